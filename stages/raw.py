"""Make or fetch the raw photos of one dataset.

    python -m stages.raw demo

Reads   params.yaml, data/sources/DATASET where it exists, else the network
Writes  data/raw/DATASET
Takes   the demo about 15 s on one core; a fetched dataset as long as its download
"""

from pathlib import Path

from bgbias import commandline, params
from bgbias.datasets import DATASETS


def main(settings: params.Params, dataset: str) -> None:
    """Let the dataset's own module do it."""
    DATASETS[dataset].fetch(Path("data/raw") / dataset, getattr(settings.data, dataset))


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset")
