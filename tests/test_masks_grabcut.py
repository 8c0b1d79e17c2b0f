"""GrabCut on photos of any size."""

import numpy as np
import pytest
from PIL import Image

from bgbias.masks import segment
from bgbias.photos import foreground


@pytest.mark.parametrize("size", [(3, 3), (1, 9), (90, 2), (50, 40)])
def test_grabcut_is_never_empty(size):
    assert foreground.suspicion(np.asarray(segment.grabcut(Image.new("RGB", size, "gray"), 64))) != "empty"


def test_grabcut_needs_some_pixels():
    with pytest.raises(ValueError, match=r"GrabCut at 2 x 1 pixels: raise masks.<dataset>.grabcut_px"):
        segment.grabcut(Image.new("RGB", (60, 40)), 2)
