"""Second masks and second backgrounds that are the first ones again, in other files or by the same method."""

import numpy as np
import pytest
from PIL import Image

from bgbias.audit.inputs import sources
from bgbias.audit.inputs.folder import read
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.masks import make


@pytest.fixture
def said(in_the_shop, tmp_path):
    """What is said of an audit of the shop's photos."""

    def said(**options):
        given = {"photos": "photos", "embedder": ""} | {name: str(value) for name, value in options.items()}
        return sources.of_folder(params.Audit(**given), 16, 1, Cache(tmp_path / "cache")).remarks

    return said


def test_a_second_pool_that_holds_pictures_of_the_first_in_other_files_is_no_second_opinion(said, tmp_path):
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (9, 48, 64, 3), dtype=np.uint8)):
        for name, size in (("walls", (192, 144)), ("small", (160, 120))):
            (tmp_path / name).mkdir(exist_ok=True)
            if (number, name) not in {(0, "small"), (8, "walls")}:
                Image.fromarray(pixels).resize(size).save(tmp_path / f"{name}/{number}.png")
    pools = {"backgrounds": tmp_path / "walls", "second_backgrounds": tmp_path / "small", "second_masks": "none"}
    sentence = f"7 of the 8 backgrounds of the second pool, 8 of {tmp_path / 'small'}, are in the first, too"
    with pytest.raises(InputError, match=f"^{sentence}, so it is no second opinion: give others, or none$"):
        said(**pools)
    for number in range(1, 5):
        (tmp_path / f"walls/{number}.png").unlink()
    assert said(**pools) == [f"{sentence.replace('7', '3', 1)}: the two pools differ by less than they seem to."]
    (plain,) = said(**pools | {"second_backgrounds": "photos"})  # no picture of it is in the first
    assert plain.startswith("48 of the 48 backgrounds of --second-backgrounds photos are of one colour each: ")


def test_given_masks_that_the_second_method_has_made_are_named(said, tmp_path):
    photos, made, rng = tmp_path / "photos", tmp_path / "made", np.random.default_rng(0)
    for path in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (photos / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)).save(photos / path)
    table, grabcut = read(photos)[0], params.Masks(method="grabcut", rembg_model="u2net", grabcut_px=128)
    make.make_masks(table, photos, made, grabcut, workers=1)
    Image.new("L", (200, 150)).save(make.file_of(made, "a/1.png"))
    assert said(photos=photos, masks=made) == [
        "3 of the 4 masks of the second kind, grabcut, are those of the first, to the byte: no second opinion on these "
        "photos. Give --second-masks another method."
    ]
    assert said(photos=photos, masks=made, second_masks="none") == []
    assert said(photos=photos, mask_method="grabcut") == []  # two of GrabCut may find the same


def test_of_a_small_photo_two_methods_may_find_the_same_pixels(said):
    assert said(masks="masks") == []  # drawn discs, which GrabCut finds
