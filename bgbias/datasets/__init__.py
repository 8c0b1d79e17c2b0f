"""The datasets, a module each with fetch(out, options) and image_table(raw)."""
