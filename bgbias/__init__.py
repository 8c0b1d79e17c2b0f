"""Measuring, explaining and curing background bias in image retrieval."""
