"""Make the foreground mask of every photo of one dataset.

    python -m stages.masks demo

Reads   data/raw/DATASET, data/prepared/DATASET
Writes  data/masks/DATASET/png (8-bit soft masks of the photos' own sizes, in the dataset's folders),
        data/masks/DATASET/packed (the same, packed like the photos), metrics/masks/DATASET.json
Takes   given masks of the demo 3 s, GrabCut for grocery's 5,421 photos 2 min on two cores

Interrupted and started again, it goes on where it was.
"""

import shutil
from pathlib import Path

from tqdm import tqdm

from bgbias import checkpoints, commandline, files, images, masks, params


def main(settings: params.Params, dataset: str) -> None:
    """Make the masks in a folder that outlives an interruption, then move them to their place."""
    raw, prepared, out = (Path("data") / part / dataset for part in ("raw", "prepared", "masks"))
    options, short_side_px = settings.masks[dataset], settings.images[dataset].short_side_px
    table = images.read_table(prepared / "images.csv")
    model = Path(options.rembg_model)
    unfinished = checkpoints.folder(f"masks-{dataset}", options, [raw, *([model] if model.is_file() else [])])
    masks.make(table, raw, unfinished, options)
    pictures = images.shrink_all([masks.file_of(unfinished, path) for path in table.path], short_side_px, "L")
    images.Pack.write(out / "packed", tqdm(pictures, "packing", len(table), unit="mask"))
    packed = images.Pack(out / "packed")
    summary = masks.summary(packed[i] for i in range(len(packed)))
    files.write_json(Path("metrics/masks") / f"{dataset}.json", {dataset: {"masks": summary}})
    shutil.rmtree(out / "png", ignore_errors=True)
    shutil.move(unfinished, out / "png")
    print(f"{dataset}: " + ", ".join(f"{name} {value:.4g}" for name, value in summary.items()))


if __name__ == "__main__":
    commandline.run(main, __doc__, "dataset")
