"""What helps an embedder that relies on the background, without training it again? Tried on one dataset.

    python -m stages.remedies --dataset demo --embedder model:models/demo/base/42 --out metrics/remedies/demo.json

Every entry of params.yaml's remedies is a DVC stage of this script. DVC looks at the photos and settings alone: after a
change of weights `dvc repro -f`.

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET; the embedder (see below)
Writes  FILE.json: for each remedy clean and swapped Recall@1 and MAP@R of the test photos, and how much of the drop it
        recovers, shares in 0..1, with 95 % intervals; which one validation chooses.
        --save FILE.safetensors: `directions` (P, D) and `matrix` (D, D), for removed and whitened of
        bgbias.remedies.projection
Takes   the demo 40 s, grocery 2 min 30 s of one core: each photo of each view is embedded in 27 ways
"""

from pathlib import Path

from bgbias import external
from bgbias.config import cli, params


def main(
    settings: params.Params, dataset: str, embedder: str, out: Path, save: Path | None, finder: Path | None
) -> None:
    """Learn on training classes, choose on validation, measure on test."""
    import dataclasses

    from safetensors.torch import save_file

    from bgbias import files, seeding
    from bgbias.external import spec
    from bgbias.external.steady import refuse_unsteady
    from bgbias.finder import saved
    from bgbias.photos.views import Photos
    from bgbias.remedies import recovery
    from bgbias.remedies.pictures import Shown
    from bgbias.report import tables

    seeding.deterministic(settings.threads)
    model, options, seed = spec.load(embedder), settings.evaluate[dataset], settings.seed
    photos = Photos.prepared(dataset, dataclasses.replace(settings.images[dataset], input_px=model.input_px))
    refuse_unsteady(model, next(photos.clean(photos.split("test"))), photos.table.path[photos.split("test")].to_list())
    learnt_from, chosen_by = photos.val_pools(separate=True)
    swaps = recovery.training_swaps(model, photos, learnt_from, seed)
    shown = Shown(photos, learnt_from, seed, saved.load(finder) if finder else None)
    chosen_on = recovery.embedded(model, photos, "val", chosen_by, 1, seed, shown)
    learnt = recovery.learn(swaps, chosen_on)
    pool = photos.pool(options.swaps["swapped"])
    tested = recovery.embedded(model, photos, "test", pool, options.draws, seed, shown)
    measured = recovery.measure(tested, chosen_on, learnt, seed)
    described = recovery.described(measured, learnt) | {"dataset": dataset, "embedder": embedder}
    described["empty_masks"] = recovery.empty_masks(photos, photos.split("test"))
    files.write_json(out, {out.stem: {"remedies": measured, **described}})
    if save:
        with files.whole_file(save) as partial:
            save_file({"directions": learnt.directions.contiguous(), "matrix": learnt.matrix.contiguous()}, partial)
    print(tables.markdown(tables.remedies(measured)))
    print("\nremoved: {removed} of {dimensions} dimensions. Chosen by validation: {chosen}".format(**described))


if __name__ == "__main__":
    cli.run(
        main,
        f"{__doc__}\n{external.__doc__.partition(chr(10))[2].strip(chr(10))}",
        dataset={"required": True, "help": "of params.yaml, prepared with masks and backgrounds", "metavar": "NAME"},
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "where the figures go", "metavar": "FILE.json"},
        save={"type": Path, "help": "where the directions go", "metavar": "FILE.safetensors"},
        finder={"type": Path, "help": "of stages.finder, to be tried as a remedy", "metavar": "FOLDER"},
    )
