"""The published ISNet on the study's hand masks, where both lie under data/sources."""

from pathlib import Path

import pytest

from bgbias.config import params
from bgbias.masks import quality

NETWORK = next(iter(sorted(Path("data/sources/weights").glob("isnet*.onnx"))), Path("data/sources/weights/isnet.onnx"))
HAND_MASKS = Path("data/sources/gt_masks/cub200")


@pytest.mark.slow
@pytest.mark.skipif(
    not (NETWORK.is_file() and HAND_MASKS.is_dir()),
    reason=f"needs an isnet*.onnx (general use, fp16) in {NETWORK.parent} and the study's hand masks in {HAND_MASKS}",
)
def test_isnet_cuts_out_birds_as_well_as_it_was_measured_by_the_published_normalisation():
    options = params.Masks(method="rembg", rembg_model=f"isnet-general-use:{NETWORK}", grabcut_px=128)
    found = quality.measure(HAND_MASKS, options)
    assert len(found) == 20
    assert found.iou.mean() == pytest.approx(0.8444, abs=5e-4)
    assert found.overlap.mean() == pytest.approx(0.9277, abs=5e-4)
