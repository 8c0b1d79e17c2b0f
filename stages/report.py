"""The table and the pictures of one dataset.

    python -m stages.report demo

Reads   metrics/evaluate/DATASET, data/queries/DATASET, data/embeddings/DATASET, data/attention/DATASET,
        data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  plots/report/DATASET: table.md (scores, differences between regimes, what the photos are too few for),
        bars.png, front.png (clean against swapped), contact_sheet.png (photos, masks, swapped backgrounds), gallery.png
        (nearest neighbours), attention.png (the study's figure 2)
Takes   5 s
"""

from pathlib import Path

from bgbias.config import cli, params

VIEWS = ("clean", "swapped")
FIGURE_PHOTOS = 6


def main(settings: params.Params, dataset: str) -> None:
    """Gather what the regimes have left and draw it."""
    import numpy as np
    import pandas as pd
    import torch

    from bgbias import files, seeding
    from bgbias.metrics import sample_size
    from bgbias.report import comparison, figures, sheets, tables

    seeding.deterministic(settings.threads)
    swaps = settings.evaluate[dataset].swaps
    seed = str(settings.seeds[0])  # the pictures are of one network a regime
    metrics, queries, embeddings, maps = {}, {}, {view: {} for view in VIEWS}, {view: {} for view in VIEWS}
    for regime in settings.regimes:
        metrics[regime] = files.read_json(Path("metrics/evaluate") / dataset / f"{regime}.json")[dataset][regime]
        queries[regime] = pd.read_csv(Path("data/queries") / dataset / f"{regime}.csv", index_col="image_id")
        folder = Path("data/embeddings") / dataset / regime / seed
        embeddings["clean"][regime] = torch.from_numpy(np.load(folder / "clean.npy"))
        embeddings["swapped"][regime] = torch.from_numpy(np.load(folder / "swapped/0.npy"))
        folder = Path("data/attention") / dataset / regime / seed
        for view in VIEWS:
            maps[view][regime] = np.load(folder / f"{view}.npy")[:FIGURE_PHOTOS]
    scored = pd.read_csv(folder / "scores.csv").image_id[:FIGURE_PHOTOS].to_numpy()

    out = Path("plots/report") / dataset
    pictures = sheets.Pictures(dataset, settings.images[dataset], swaps["swapped"], settings.seed)
    with files.whole_folder(out) as partial:
        figures.save(partial / "contact_sheet.png", sheets.contact_sheet(pictures))
        figures.save(partial / "gallery.png", sheets.gallery(pictures, embeddings))
        figures.save(partial / "attention.png", sheets.attention(pictures, scored, maps))
        figures.save(partial / "bars.png", figures.bars(metrics, "recall_at_1"))
        figures.save(partial / "front.png", figures.front(metrics, "map_at_r"))
        table = tables.markdown(tables.summary(metrics, list(swaps)))
        photos = pictures.photos.table
        notes = [
            tables.spread(metrics[regime], photos.class_id[photos.split == "test"].nunique()),
            *comparison.differences(queries, settings.seed),
            *sample_size.limits(photos, Path("data/prepared") / dataset),
        ]
        files.write_text(partial / "table.md", "\n\n".join([table, *notes]) + "\n")
    print(table)


if __name__ == "__main__":
    cli.run(main, __doc__, "dataset")
