"""Pack the background pools that one dataset's photos are composed with.

    python -m stages.backgrounds demo

Reads   params.yaml; for unsplash data/sources/unsplash_backgrounds where it exists, else the network
Writes  data/backgrounds/DATASET: a pack for each pool (val, test; rendered also scene), backgrounds.csv
Takes   5 s; rendered for photos of 256 px 2 min
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str) -> None:
    """Write the pools of the dataset's source of backgrounds."""
    from bgbias import backgrounds, files

    source = settings.backgrounds[dataset].source
    with files.whole_folder(Path("data/backgrounds") / dataset) as out:
        backgrounds.write_pools(source, settings.data["demo"], settings.images[dataset].short_side_px, out)


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset")
