"""Keep what a run has measured in one file of the repository, for tables in the documents.

    python -m stages.record demo demo_three_seeds
    python -m stages.record demo demo_own_backgrounds --audits audits

Reads   metrics/evaluate/DATASET, data/queries/DATASET, data/embeddings/DATASET, data/attention/DATASET: of the regimes
        and seeds of params.yaml, after `dvc repro` or `dvc exp run`; dvc.lock, which says with what settings and code
Writes  metrics/studies/STUDY.json: loss, seeds, settings, every figure of each regime, and the differences between
        regimes with 95 % intervals; `python -m stages.documents` writes the tables that quote it
        A study of this name with another dataset, loss, regimes, seeds or settings is refused, without --replace; so
        is one with other figures, recorded before settings were
Takes   seconds

With --audits DIR the figures are those of audits of these networks, DIR/REGIME_SEED each, all on the same photos, masks
and backgrounds: clean, swapped, second_pool where all had the same --second-backgrounds, and Recall@1 by places where
all had the same --places.
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str, study: str, replace: bool, audits: Path | None = None) -> None:
    """Gather and write."""
    from dataclasses import asdict

    from bgbias import files
    from bgbias.config.values import refuse_odd_names
    from bgbias.documents.record import record, refuse_other_runs, refuse_to_lose
    from bgbias.documents.record_audits import record_audits
    from bgbias.study import counted

    refuse_odd_names("study", [study])
    out = Path("metrics/studies") / f"{study}.json"
    refuse_other_runs(dataset, settings.regimes)
    found = {"dataset": dataset, "loss": settings.loss}
    found["settings"] = counted.settings(asdict(settings), dataset, settings.regimes)
    asked = (dataset, settings.regimes, settings.seeds, settings.seed)
    found |= record_audits(*asked, audits) if audits else record(*asked)
    if not replace:
        refuse_to_lose(out, found)
    files.write_json(out, found, exact=["settings"])
    print(f"{out}: {', '.join(settings.regimes)} with {settings.loss}; seeds {', '.join(map(str, settings.seeds))}")


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        "dataset",
        "study",
        audits={"type": Path, "help": "take the figures from audits in this folder", "metavar": "DIR"},
        replace={"action": "store_true", "help": "lose a study of another kind of this name", "default": False},
    )
