"""Keep what a run has measured in one file of the repository, for tables in the documents.

    python -m stages.record demo demo_three_seeds

Reads   metrics/evaluate/DATASET, data/queries/DATASET, data/embeddings/DATASET, data/attention/DATASET: of the regimes
        and seeds of params.yaml, after `dvc repro` or `dvc exp run`
Writes  metrics/studies/STUDY.json: loss, seeds, every figure of each regime, and the differences between regimes with
        95 % intervals; `python -m stages.documents` writes the tables that quote it
Takes   seconds
"""

from pathlib import Path

from bgbias.config import cli, params


def main(settings: params.Params, dataset: str, study: str) -> None:
    """Gather and write."""
    from bgbias import files
    from bgbias.config.consistency import refuse_odd_names
    from bgbias.documents.record import record

    refuse_odd_names("study", [study])
    out = Path("metrics/studies") / f"{study}.json"
    found = record(dataset, settings.regimes, settings.seeds, settings.seed)
    files.write_json(out, {"dataset": dataset, "loss": settings.loss, **found})
    print(f"{out}: {', '.join(settings.regimes)} with {settings.loss}; {len(settings.seeds)} seeds")


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", "study")
