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


def test_grabcut_of_two_tones_takes_what_the_disc_it_starts_from_shows():
    """A bright square in the middle, a grey ring around it, dark beyond: the larger disc takes the ring for object."""
    photo = Image.new("RGB", (60, 60), (20, 20, 20))
    photo.paste((120, 120, 120), (6, 6, 54, 54))
    photo.paste((230, 230, 230), (18, 18, 42, 42))
    small, large = (np.asarray(segment.grabcut(photo, 60, radius)) >= foreground.OBJECT for radius in (0.4, 0.9))
    assert small.sum() == 24 * 24 and large.sum() == 48 * 48
    assert np.array_equal(segment.grabcut(photo, 60), segment.grabcut(photo, 60, segment.PROBABLE_RADIUS))
