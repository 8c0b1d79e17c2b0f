"""Marks of what was audited, by which two audits are held against one another."""

import hashlib
import json

import numpy as np

from bgbias.photos.pack import Pack


def of_pack(pictures: Pack) -> str:
    """Return the SHA-256 of packed pictures, in their order: sizes and pixels."""
    total = hashlib.sha256(pictures.shapes.astype(np.int32).tobytes())
    for picture in pictures:
        total.update(picture)
    return total.hexdigest()


def of_values(values: list) -> str:
    """Return sixteen hexadecimal digits of texts, numbers and lists of these."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
