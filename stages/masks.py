"""Make the foreground mask of every photo of one dataset.

    python -m stages.masks demo

Reads   data/raw/DATASET, data/prepared/DATASET
Writes  data/masks/DATASET/png (8-bit soft masks of the photos' own sizes, in the dataset's folders),
        data/masks/DATASET/packed (the same, packed like the photos), metrics/masks/DATASET.json
Takes   given masks of the demo 3 s, GrabCut for grocery's 5,421 photos 2 min on two cores

Interrupted and started again, it goes on where it was.
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str) -> None:
    """Make the masks in a folder that outlives an interruption, then move them to their place."""
    from tqdm import tqdm

    from bgbias import cache, files, ranks
    from bgbias.masks import make, segment
    from bgbias.photos import decode, foreground, pack
    from bgbias.photos.table import read_table

    raw, prepared, out = (Path("data") / part / dataset for part in ("raw", "prepared", "masks"))
    options, short_side_px = settings.masks[dataset], settings.images[dataset].short_side_px
    table = read_table(prepared / "images.csv")
    segment.refuse_unpinned(options)
    if options.method != "given" and (named := int((table.mask_path != "").sum())):
        print(f"{dataset}: {named} of {len(table)} photos bring masks: masks.{dataset}.method given takes these")
    settings_of_masks, data = make.made_from(options)

    def finish(unfinished: Path) -> dict[str, float]:
        masks = [make.file_of(unfinished, path) for path in table.path]
        pictures = pack.shrink_all(masks, short_side_px, decode.read_mask)
        pack.Pack.write(out / "packed", tqdm(pictures, "packing", len(table), unit="mask"))
        packed = pack.Pack(out / "packed")
        summary = foreground.summary(packed[i] for i in range(len(packed)))
        files.write_json(Path("metrics/masks") / f"{dataset}.json", {dataset: {"masks": summary}})
        files.move(unfinished, out / "png")
        return summary

    with cache.unfinished(f"masks-{dataset}", settings_of_masks, [raw, *data]) as unfinished:
        make.make_masks(table, raw, unfinished, options)
        summary = ranks.by_first(finish, unfinished)
    print(f"{dataset}: " + ", ".join(f"{name} {value:.4g}" for name, value in summary.items()))


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset", shared=True)
