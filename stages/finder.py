"""Train an object finder alone, on the masks of one dataset: to be put before an embedder that is not trained again.

    python -m stages.finder own early_masking 42 --out finders/own

Reads   data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  FOLDER (finder.safetensors, finder.json), which `python -m stages.remedies --finder FOLDER` takes
Takes   the demo's 60 epochs 2 min of one core
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params
from bgbias.errors import InputError


def main(settings: params.Params, dataset: str, regime: str, seed: int, out: Path) -> None:
    """Train and save."""
    from bgbias import seeding
    from bgbias.models import finders
    from bgbias.photos.views import Photos
    from bgbias.training import finder

    treatment = settings.regime_settings[regime]
    if not treatment.finder:
        having = [name for name, other in settings.regime_settings.items() if other.finder]
        raise InputError(f"regime_settings.{regime} has no finder: give one that has ({', '.join(having) or 'none'})")
    finders.refuse_other_content(out)
    seeding.deterministic(settings.threads)
    photos = Photos.prepared(dataset, settings.images[dataset])
    finders.save(finder.train(photos, treatment, settings.train[dataset], seed), out)


if __name__ == "__main__":
    out = {"type": Path, "required": True, "help": "where the finder goes", "metavar": "FOLDER"}
    cli.run(main, __doc__, "dataset", "regime", "seed", out=out)
