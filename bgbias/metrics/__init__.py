"""Tensors in, numbers out: retrieval, background bias, invariance, and how certain they are."""
