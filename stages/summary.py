"""The figures to look at first: each regime's Recall@1 on clean and on swapped photos.

    python -m stages.summary demo

Reads   metrics/evaluate/DATASET
Writes  metrics/summary/DATASET.json: for each regime clean and swapped, shares as in metrics/evaluate
Takes   a second
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params

VIEWS = ("clean", "swapped")


def main(settings: params.Params, dataset: str) -> None:
    """Pick them out of all that was measured."""
    from bgbias import files
    from bgbias.report import recorded

    summary = {}
    for regime in settings.regimes:
        _, metrics = recorded.read_metrics(dataset, regime)
        summary[regime] = {view: metrics[view]["recall_at_1"] for view in VIEWS}
        print(f"{dataset}, {regime}: Recall@1", ", ".join(f"{summary[regime][view]:.4f} {view}" for view in VIEWS))
    files.write_json(Path("metrics/summary") / f"{dataset}.json", summary)


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset")
