"""List the photos of one dataset in an image table and pack their pixels.

    python -m stages.prepare demo

Reads   data/raw/DATASET
Writes  data/prepared/DATASET: images.csv, photos/ (packed, short side images.DATASET.short_side_px); prints
        what the photos are too few for
Takes   the demo 2 s, grocery's 5,421 photos 4 s on two cores
"""

from pathlib import Path

from tqdm import tqdm

from bgbias import commandline, datasets, evidence, files, images, params


def main(settings: params.Params, dataset: str) -> None:
    """Write the image table and the packed photos."""
    raw, out = Path("data/raw") / dataset, Path("data/prepared") / dataset
    if not raw.is_dir():
        raise FileNotFoundError(f"{raw} does not exist: run `dvc repro raw@{dataset}`")
    table = images.check_table(datasets.module(dataset).image_table(raw), raw)
    for limit in evidence.limits(table, raw):
        print(f"{dataset}: {limit}")
    with files.whole_folder(out) as partial:
        files.write_csv(partial / "images.csv", table)
        pictures = images.shrink_all([raw / path for path in table.path], settings.images[dataset].short_side_px)
        images.Pack.write(partial / "photos", tqdm(pictures, "packing", len(table), unit="photo"))


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset")
