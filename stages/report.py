"""The table and the pictures of one dataset.

    python -m stages.report demo

Reads   metrics/evaluate/DATASET, metrics/masks, data/queries/DATASET, data/embeddings/DATASET, data/attention/DATASET,
        data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  plots/report/DATASET: table.md (scores, differences between regimes, what the photos are too few for; before
        all how many test masks are in doubt, and of own photos which are near-duplicates),
        bars.png, front.png (clean against swapped) and, in percent, their bars.csv, front.csv for `dvc plots diff`,
        contact_sheet.png (photos, masks, swapped backgrounds), gallery.png (nearest neighbours), attention.png (the
        study's figure 2)
Takes   5 s
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params
from bgbias.config.data import Folder

FIGURE_PHOTOS = 6
WITH_DOUBLES = "All figures hold them: clean Recall@1, and what swapping costs."
DOUBTS = ("empty", "tiny", "nearly_full", "border", "soft")  # kinds of masks


def main(settings: params.Params, dataset: str) -> None:
    """Read what the regimes have left and draw it."""
    from bgbias import files, seeding
    from bgbias.datasets import near_duplicates
    from bgbias.metrics import sample_size
    from bgbias.photos import foreground
    from bgbias.report import comparison, figures, recorded, sheets, tables

    seeding.deterministic(settings.threads)
    swaps = settings.evaluate[dataset].swaps
    metrics, queries, embeddings, maps, scored = recorded.read(
        dataset, settings.regimes, settings.seeds, FIGURE_PHOTOS, list(swaps)
    )
    pictures = sheets.Pictures(dataset, settings.images[dataset], swaps["swapped"], settings.seed)
    photos = pictures.photos.table
    table = tables.markdown(tables.summary(metrics, list(swaps)))
    crops = pictures.photos.foregrounds(pictures.photos.split("test"))  # an object may lie beyond what networks see
    tested = (mask[0].numpy() for masks in crops for mask in masks)
    doubts = [
        ({kind: counts.get(kind, 0) for kind in DOUBTS}, counts["masks"], of)
        for of, counts in (("", recorded.read_masks(dataset)), ("test ", foreground.summary(tested)))
    ]
    said = [*(tables.masks_in_doubt(*one) for one in doubts), tables.some_in_doubt(*doubts[1])]
    said = list(filter(None, said))[:1]
    if isinstance(settings.data[dataset], Folder):
        of_test = photos[photos.split == "test"]
        tested_photos = pictures.photos.photos.subset(of_test.image_id.to_numpy())
        doubles = near_duplicates.remarks(tested_photos, list(of_test.path), list(of_test.class_name), "test ")
        said += [f"{one} {WITH_DOUBLES}" for one in doubles]
    table = "\n\n".join([*said, table])
    notes = [
        tables.counted_on(metrics, queries[settings.regimes[-1]]["class"].nunique()),
        *comparison.differences(queries, metrics, settings.seed),
        *sample_size.limits(photos, Path("data/prepared") / dataset),
    ]
    with files.whole_folder(Path("plots/report") / dataset) as out:
        figures.save(out / "contact_sheet.png", sheets.contact_sheet(pictures))
        figures.save(out / "gallery.png", sheets.gallery(pictures, embeddings))
        figures.save(out / "attention.png", sheets.attention(pictures, scored, maps))
        figures.save(out / "bars.png", figures.bars(metrics, "recall_at_1"))
        figures.save(out / "front.png", figures.front(metrics, "map_at_r"))
        recall = figures.points(metrics, "recall_at_1").melt(
            "regime", var_name="view", value_name="recall_at_1_percent"
        )
        files.write_csv(out / "bars.csv", recall)
        files.write_csv(out / "front.csv", figures.points(metrics, "map_at_r"))
        files.write_text(out / "table.md", "\n\n".join([table, *notes]) + "\n")
    print(table)


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset")
