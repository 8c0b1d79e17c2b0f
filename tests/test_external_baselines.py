"""Embedders without learning: colour histogram and HOG."""

import numpy as np
import pytest
import torch

from bgbias.external import spec
from bgbias.external.baselines import FLAT, Hog
from bgbias.models.embedder import embed


def pictures(photos=3, px=64, seed=0):
    """Random pictures, smooth enough to have edges of all strengths."""
    coarse = torch.rand(photos, 3, px // 8, px // 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (px, px), mode="bicubic").clamp(0, 1)


def as_bytes(images):
    return (images * 255).round().to(torch.uint8)


def test_hog_is_scikit_images():
    feature = pytest.importorskip("skimage.feature")
    images = pictures(px=72)
    expected = [
        feature.hog(image.permute(1, 2, 0).double().numpy(), 9, (8, 8), (2, 2), channel_axis=2) for image in images
    ]
    found = Hog()(images.double()).numpy()
    np.testing.assert_allclose(found[:, :-1], np.stack(expected), atol=1e-6)
    assert found[:, -1].tolist() == [FLAT] * 3


def test_hog_is_what_scikit_image_gave():
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    image = torch.stack([x * y % 7 / 7, (x + 2 * y) % 5 / 5, x / 16])
    first, last = [0.3026, 0.0689, 0.0621, 0.3026, 0.1548, 0.0174], [0.0174, 0.1397, 0.1203, 0.0]
    found = Hog()(image[None].double())[0, :-1].tolist()
    assert found[:6] == pytest.approx(first, abs=1e-4) and found[-4:] == pytest.approx(last, abs=1e-4)


def test_hog_sees_the_direction_of_edges_and_no_colour():
    stripes = (torch.arange(64) // 8 % 2).float().expand(3, 64, 64)
    found = embed(spec.load("baseline:hog"), [as_bytes(torch.stack([stripes, 1 - stripes, stripes.mT]))], "abc")
    assert found[0] @ found[1] > 0.999 and found[0] @ found[2] < 0.01


def test_hog_of_vertical_edges_votes_for_the_first_direction():
    edges = torch.zeros(1, 3, 16, 16)
    edges[..., 8:] = 1
    assert Hog()(edges)[0, :-1].reshape(4, 9).sum(0).nonzero().flatten().tolist() == [0]


def test_a_picture_without_any_edge_has_an_embedding():
    flat = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    assert embed(spec.load("baseline:hog"), [flat], ["flat"])[0, -1] == 1


def test_colour_histogram_counts_colours_wherever_they_are():
    red_left, red_right = torch.zeros(2, 3, 64, 64)
    red_left[0, :, :16], red_right[0, :, 48:] = 1, 1
    found = embed(spec.load("baseline:colour_histogram"), [as_bytes(torch.stack([red_left, red_right]))], "ab")
    assert torch.equal(found[0], found[1])
    assert found[0].square()[[0, 7 * 64]].tolist() == pytest.approx([0.75, 0.25])


def test_baselines_have_no_gradients_and_a_near_miss_is_named():
    assert not spec.load("baseline:colour_histogram").differentiable and spec.load("baseline:hog").input_px == 64
    with pytest.raises(ValueError, match="unknown baseline 'hgo'; close to it is hog"):
        spec.load("baseline:hgo")
