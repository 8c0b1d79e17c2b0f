"""The datasets by name; each module has fetch(out, options) and image_table(raw)."""

from types import ModuleType

from bgbias.datasets import cars196, cub200, demo, folder, grocery, packages, sop

DATASETS = {"demo": demo, "grocery": grocery, "packages": packages, "cars196": cars196, "cub200": cub200, "sop": sop}


def module(dataset: str) -> ModuleType:
    """Return the module of a dataset; any other name than those of DATASETS is that of a folder of photos."""
    return DATASETS.get(dataset, folder)
