"""The study's tables, from the experiments of this pipeline, beside the published figures."""
