"""Make or fetch the raw photos of one dataset.

    python -m stages.raw demo

Reads   params.yaml, data/sources/DATASET where it exists, else the network. DVC does not look into data/sources:
        after a change there, `dvc exp run -f -S 'datasets=[DATASET]' raw@DATASET`
Writes  data/raw/DATASET; says of own photos how many there are, and what was passed over
Takes   the demo about 15 s on one core; a fetched dataset as long as its download
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str) -> None:
    """Let the dataset's own module do it."""
    from bgbias.datasets import by_name

    by_name.module(dataset).fetch(Path("data/raw") / dataset, settings.data[dataset])


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset")
