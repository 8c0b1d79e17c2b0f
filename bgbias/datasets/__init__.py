"""The datasets by name; each module has fetch(out, options) and image_table(raw)."""

from bgbias.datasets import demo, grocery

DATASETS = {"demo": demo, "grocery": grocery}
