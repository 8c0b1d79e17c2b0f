"""The background pools that are packed for a dataset's photos."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bgbias.backgrounds import write_pools
from bgbias.config import read
from bgbias.datasets import demo
from bgbias.photos.pack import Pack, shrink

DEMO = replace(read.load().data["demo"], size_px=24, backgrounds=2)


@pytest.mark.parametrize("short_side_px", [12, 24, 48])
def test_rendered_backgrounds_are_as_sharp_as_the_photos_that_they_are_packed_for(tmp_path, short_side_px):
    write_pools("rendered", DEMO, short_side_px, tmp_path)
    rendered = replace(DEMO, size_px=max(24, short_side_px))
    for pool in ("val", "scene"):
        packed = Pack(tmp_path / pool)
        for (_, picture), found in zip(demo.backgrounds(pool, rendered), packed, strict=True):
            np.testing.assert_array_equal(found, shrink(Image.fromarray(picture), short_side_px))
