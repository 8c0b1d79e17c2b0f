"""Second masks and second backgrounds that are the first ones again, in other files or by the same method."""

import numpy as np
import pytest
from PIL import Image

from bgbias.audit import sources
from bgbias.audit.folder import read
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.masks import make


@pytest.fixture
def said(in_the_shop, tmp_path):
    """What is said of an audit of the shop's photos."""

    def said(**options):
        given = params.Audit(photos="photos", embedder="", **{name: str(value) for name, value in options.items()})
        return sources.of_folder(given, 16, 1, Cache(tmp_path / "cache")).remarks

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
    assert said(**pools | {"second_backgrounds": "photos"}) == []


def test_given_masks_that_the_second_method_has_made_are_named(said, shop, tmp_path):
    table, grabcut = read(shop / "photos")[0], params.Masks(method="grabcut", rembg_model="u2net", grabcut_px=128)
    make.make_masks(table, shop / "photos", tmp_path / "made", grabcut, workers=1)
    for path in table.path[:5]:
        mask = make.file_of(tmp_path / "made", path)
        Image.new("L", Image.open(mask).size).save(mask)
    assert said(masks=tmp_path / "made") == [
        f"{len(table) - 5} of the {len(table)} masks of the second kind, grabcut, are those of the first, to the byte: "
        "no second opinion on these photos. Give --second-masks another method."
    ]
    assert said(masks=tmp_path / "made", second_masks="none") == []
    assert said(mask_method="grabcut") == []  # two of GrabCut may find the same
