"""The datasets by name; each module has fetch(out, options) and image_table(raw)."""

from bgbias.datasets import cars196, cub200, demo, grocery, sop

DATASETS = {"demo": demo, "grocery": grocery, "cars196": cars196, "cub200": cub200, "sop": sop}
