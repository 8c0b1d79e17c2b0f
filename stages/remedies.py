"""What helps an embedder that hangs on the background, without training it again? Tried on one dataset.

    python -m stages.remedies demo model:models/demo/base/42 --out metrics/remedies/demo.json

Every entry of params.yaml's remedies is a DVC stage of this script. DVC looks at the photos and settings alone: after a
change of weights `dvc repro -f`.

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET; the embedder (see below)
Writes  FILE.json: for each remedy clean and swapped Recall@1 and MAP@R of the test photos, and how much of the drop it
        recovers, shares in 0..1, with 95 % intervals; which one validation chooses.
        --save FILE.safetensors: `directions` (P, D) and `matrix` (D, D), for bgbias.nuisance.removed and .whitened
Takes   the demo 40 s, grocery 2 min 30 s of one core: each photo of each view is embedded in 27 ways
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.torch import save_file

from bgbias import audited, commandline, files, params, recovery, tables
from bgbias.remedies import Shown
from bgbias.removal import OBJECT
from bgbias.views import Photos


def as_table(found: dict[str, dict]) -> pd.DataFrame:
    """A row a remedy: what a query costs, Recall@1 and MAP@R, and how many percent of the drop are recovered."""
    rows = []
    for remedy in found.values():
        row = {"remedy": remedy["name"].replace("_", " "), "sides": remedy["sides"]}
        row |= {"passes": str(remedy["passes"]), "mask": "yes" if remedy["needs_mask"] else "no"}
        for metric, heading in tables.HEADINGS.items():
            swapped = remedy["swapped"]
            row[f"{heading} clean"] = tables.percent(remedy["clean"][metric])
            row[f"{heading} swapped"] = tables.percent(swapped[metric], swapped[f"{metric}_sd"])
            row[f"{heading} recovered"] = share(remedy["recovered"][metric])
        rows.append(row)
    return pd.DataFrame(rows)


def share(recovered: dict[str, float | None]) -> str:
    """A share in percent with its interval; nothing where it has none: a drop that is not certain has no shares.

    >>> share({"value": 0.731, "low": 0.65, "high": 0.8}), share({"value": 9.0, "low": None, "high": None})
    ('73 (65 to 80)', '')
    """
    if recovered["low"] is None:
        return ""
    value, low, high = (f"{100 * recovered[end]:.0f}" for end in recovery.ENDS)
    return f"{value} ({low} to {high})"


def empty_masks(photos: Photos, image_ids: np.ndarray) -> int:
    """How many photos have no object where a remedy looks for it."""
    return sum(int((masks.flatten(1).amax(1) < OBJECT).sum()) for masks in photos.foregrounds(image_ids))


def main(settings: params.Params, dataset: str, embedder: str, out: Path, save: Path | None) -> None:
    """Learn on training classes, choose on validation, measure on test."""
    model, options, seed = audited.load(embedder), settings.evaluate[dataset], settings.seed
    photos = Photos(dataset, dataclasses.replace(settings.images[dataset], input_px=model.input_px))
    learnt_from, chosen_by = photos.val_pools(separate=True)
    swaps = recovery.training_swaps(model, photos, learnt_from, seed)
    shown = Shown(photos, learnt_from, seed)
    chosen_on = recovery.embedded(model, photos, "val", chosen_by, 1, seed, shown)
    learnt = recovery.learn(swaps, chosen_on)
    pool = photos.pool(options.swaps["swapped"])
    tested = recovery.embedded(model, photos, "test", pool, options.draws, seed, shown)
    found = recovery.measure(tested, chosen_on, learnt, seed)
    chosen = max(found, key=lambda key: found[key]["validation"])
    described = {
        "dataset": dataset,
        "embedder": embedder,
        "chosen": chosen,
        "tried": learnt.tried,
        "movement": learnt.movement,
        "removed": len(learnt.directions),
        "dimensions": len(learnt.matrix),
        "empty_masks": empty_masks(photos, photos.split("test")),
    }
    files.write_json(out, {out.stem: {"remedies": found, **described}})
    if save:
        with files.whole_file(save) as partial:
            save_file({"directions": learnt.directions.contiguous(), "matrix": learnt.matrix.contiguous()}, partial)
    print(tables.markdown(as_table(found)))
    print(f"\nremoved: {len(learnt.directions)} of {len(learnt.matrix)} dimensions. Chosen by validation: {chosen}")


if __name__ == "__main__":
    commandline.run(
        main,
        f"{__doc__}\nSPEC of the embedder:\n\n{audited.__doc__.partition(chr(10))[2].strip(chr(10))}",
        "dataset",
        "embedder",
        out={"type": Path, "required": True, "help": "where the figures go", "metavar": "FILE.json"},
        save={"type": Path, "help": "where the directions go", "metavar": "FILE.safetensors"},
    )
