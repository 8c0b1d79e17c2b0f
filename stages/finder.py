"""Train an object finder alone, on the masks of one dataset: to be put before an embedder that is not trained again.

    python -m stages.finder own early_masking 42 --out finders/own

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  FOLDER (finder.safetensors, finder.json), which `python -m stages.remedies --finder FOLDER` takes
Takes   as long as the training of the demo's base model, several times
"""

from pathlib import Path

from bgbias.config import cli, params
from bgbias.errors import InputError


def main(settings: params.Params, dataset: str, regime: str, seed: int, out: Path) -> None:
    """Train, or take it from the cache where the stage train has trained it; save."""
    from bgbias import seeding
    from bgbias.finder import saved
    from bgbias.photos.views import Photos
    from bgbias.training import finder

    treatment = settings.regime_settings[regime]
    if not treatment.finder:
        having = [name for name, other in settings.regime_settings.items() if other.finder]
        raise InputError(f"regime_settings.{regime} has no finder: give one that has ({', '.join(having) or 'none'})")
    seeding.deterministic(settings.threads)
    photos = Photos.prepared(dataset, settings.images[dataset])
    parts = (f"prepared/{dataset}", f"masks/{dataset}/packed", f"backgrounds/{dataset}")
    data = [Path("data") / part for part in parts]
    saved.save(finder.kept(photos, treatment, settings.train[dataset], seed, data), out)


if __name__ == "__main__":
    out = {"type": Path, "required": True, "help": "where the finder goes", "metavar": "FOLDER"}
    cli.run(main, __doc__, "dataset", "regime", "seed", out=out)
