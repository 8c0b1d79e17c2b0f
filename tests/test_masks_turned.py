"""Given masks of photos that their EXIF orientation turns: turned as the photo is, or refused where that is unknown."""

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image, ImageOps

from bgbias.config import params
from bgbias.errors import InputError
from bgbias.masks import quality
from bgbias.masks.make import file_of, make_masks, orientation

TURNS = range(2, 9)
TRUTH = np.zeros((20, 30), dtype=np.uint8)  # of the upright photo; no turn gives it back
TRUTH[2:9, 4:25] = TRUTH[9:16, 4:12] = 255


def tag(value):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    return exif


def stored(upright, turned):
    """The pixels that a camera stores with this tag."""
    back = {6: 8, 8: 6}.get(turned, turned)  # the others are their own reverse
    picture = upright.copy()
    picture.getexif()[ExifTags.Base.Orientation] = back
    return ImageOps.exif_transpose(picture)


def made(tmp_path, mask, turned, truth=TRUTH, method="given", **saved):
    """The mask that is written for a photo with this tag."""
    upright = Image.fromarray(truth)
    stored(upright.convert("RGB"), turned).save(tmp_path / "a.jpg", exif=tag(turned))
    if mask is not None:
        mask.save(tmp_path / "mask.png", **saved)
    table = pd.DataFrame({"path": ["a.jpg"], "mask_path": ["mask.png"]})
    options = params.Masks(method=method, rembg_model="u2net", grabcut_px=64)
    file_of(tmp_path / "out", "a.jpg").unlink(missing_ok=True)
    make_masks(table, tmp_path, tmp_path / "out", options, workers=1)
    return file_of(tmp_path / "out", "a.jpg")


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_hand_mask_is_turned_as_its_photo_is_before_a_fresh_mask_is_held_against_it(tmp_path):
    bright = Image.fromarray(TRUTH).resize((120, 80))
    options = params.Masks(method="grabcut", rembg_model="u2net", grabcut_px=120)
    for turned, square in ((1, False), (6, False), (3, False), (6, True)):
        upright = bright.resize((80, 80)) if square else bright
        stored(upright.convert("RGB"), turned).save(tmp_path / "a_image.jpg", exif=tag(turned))
        stored(upright, turned).save(tmp_path / "a_mask.png")
        if (turned, square) in ((3, False), (6, True)):
            with pytest.raises(InputError, match=f"a_image.jpg: turned by its EXIF orientation {turned}, and its mask"):
                quality.measure(tmp_path, options)
            continue
        assert quality.measure(tmp_path, options).iou[0] > 0.8


@pytest.mark.parametrize("turned", TURNS)
def test_a_mask_with_a_tag_says_itself_how_it_is_turned(tmp_path, turned):
    upright = Image.fromarray(TRUTH)
    for mask, own in ((upright, 1), (stored(upright, turned), turned)):
        assert np.array_equal(pixels(made(tmp_path, mask, turned, exif=tag(own))), TRUTH)


@pytest.mark.parametrize("turned", [5, 6, 7, 8])
def test_the_size_of_a_mask_without_a_tag_tells_whether_it_is_turned(tmp_path, turned):
    upright = Image.fromarray(TRUTH)
    for mask in (upright, stored(upright, turned)):
        assert np.array_equal(pixels(made(tmp_path, mask, turned)), TRUTH)
    with pytest.raises(ValueError, match="a.jpg: 30 x 20 pixels, but its mask has 31 x 20: replace the mask"):
        made(tmp_path, Image.new("L", (31, 20)), turned)


@pytest.mark.parametrize("turned", TURNS)
def test_where_the_size_does_not_tell_the_mask_is_refused(tmp_path, turned):
    truth = TRUTH if turned < 5 else TRUTH[:, :20]
    mend = rf"save the photo upright, or give the mask a tag \(1: of the upright photo; {turned}: of the stored one\)"
    with pytest.raises(ValueError, match=f"a.jpg: turned by its EXIF orientation {turned}, and its mask .*: {mend}"):
        made(tmp_path, Image.fromarray(truth), turned, truth)


@pytest.mark.parametrize("turned", [1, 0, 9])
def test_a_photo_that_is_not_turned_takes_its_mask_as_it_is(tmp_path, turned):
    assert np.array_equal(pixels(made(tmp_path, Image.fromarray(TRUTH), turned)), TRUTH)


@pytest.mark.parametrize(("turned", "written"), [(1, None), (3, 1), (6, 1)])
@pytest.mark.parametrize("method", ["given", "grabcut"])
def test_a_mask_that_was_made_can_be_given_again(tmp_path, turned, written, method):
    first = made(tmp_path, Image.fromarray(TRUTH), turned, method=method, exif=tag(1))
    assert orientation(first) == written
    before = pixels(first)
    if written is None:  # nothing else is in its bytes
        Image.fromarray(before).save(tmp_path / "plain.png", compress_level=1)
        assert first.read_bytes() == (tmp_path / "plain.png").read_bytes()
    again = made(tmp_path, None, turned) if first.replace(tmp_path / "mask.png") else None
    assert np.array_equal(pixels(again), before)
