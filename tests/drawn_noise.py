"""Photos of noise, whose objects are where their masks say, and four backgrounds: as what is audited."""

import numpy as np
import pandas as pd

from bgbias.audit.inputs.packs import square
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos


def noisy_photos(folder, masks, labels):
    """The photos, as large as their masks, uint8 (S, S, 1), of these classes; and the pool."""
    rng, px, parts = np.random.default_rng(0), len(masks[0]), {"masks": masks}
    parts["photos"] = rng.integers(0, 256, (len(masks), px, px, 3), dtype=np.uint8)
    parts["pool"] = rng.integers(0, 256, (4, 20, 20, 3), dtype=np.uint8)
    for name, pictures in parts.items():
        Pack.write(folder / name, iter(pictures))
    table = pd.DataFrame({"path": [f"{row}.png" for row in range(len(masks))], "class_id": labels})
    table["class_name"] = "class " + table.class_id.astype(str)
    photos, masks, pool = (Pack(folder / name) for name in ("photos", "masks", "pool"))
    return Photos(table, photos, masks, square(px)), pool
