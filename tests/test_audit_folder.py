"""Photos, masks and backgrounds that an audit takes, and those that it refuses with one line and a mend."""

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bgbias.audit.inputs import packs, pictures, pools, sources
from bgbias.audit.inputs.folder import given_masks, read, refuse_unmasked
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.photos.pack import crop
from bgbias.photos.views import Photos

GRABCUT = params.Masks(method="grabcut", rembg_model="u2net", grabcut_px=128)
GIVEN = params.Masks(method="given", rembg_model="u2net", grabcut_px=128)


@pytest.fixture
def folder(tmp_path):
    """Two classes of two photos."""
    for name in ("apple/a.jpg", "apple/b.jpg", "pear/a.jpg", "pear/b.png"):
        draw(tmp_path / "shop" / name, (40, 30))
    return tmp_path / "shop"


NUMBERS = itertools.count()


def draw(path, size, mode="RGB", colour=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = (colour, colour, 8 * next(NUMBERS) % 256)  # no two are equal
    Image.new(mode, size, rgb if mode == "RGB" else colour).save(path)


def refused(message):
    return pytest.raises(ValueError, match=f"^[^\n]*{re.escape(message)}[^\n]*$")


def test_photos_are_listed_with_their_classes(folder):
    table, said = read(folder)
    assert list(table.path) == ["apple/a.jpg", "apple/b.jpg", "pear/a.jpg", "pear/b.png"]
    assert list(table.class_id) == [0, 0, 1, 1] and said == []


def test_photos_half_of_which_the_centre_square_leaves_out_are_named(folder):
    draw(folder / "pear/tall.jpg", (20, 39))
    assert read(folder)[1] == []
    draw(folder / "apple/wide.jpg", (400, 50))
    draw(folder / "pear/taller.jpg", (20, 40))
    assert read(folder)[1] == [
        "2 of 7 photos are twice as long as wide or more, such as apple/wide.jpg: the model is shown their centre "
        "square, half of them at most; crop them around the object."
    ]


def test_of_split_photos_the_test_photos_are_audited(folder):
    for name in ("fig/a.jpg", "fig/b.jpg"):
        draw(folder / name, (40, 30))
    rows = "".join(
        f"{path},{path.partition('/')[0]},{'train' if path.startswith('fig') else 'test'}\n"
        for path in read(folder)[0].path
    )
    (folder / "photos.csv").write_text("path,class,split\n" + rows)
    table, said = read(folder)
    assert set(table.class_name) == {"apple", "pear"}
    assert said == ["Of the 6 photos that photos.csv lists, the 4 of the split test are audited."]
    (folder / "photos.csv").write_text("path,class,split\n" + rows.replace("test", "val"))
    with refused("test photos: 0 classes of two photos or more, and an audit needs 2: add classes or photos"):
        read(folder)


def test_one_class_is_refused(folder):
    (folder / "pear/b.png").unlink()
    with refused("1 classes of two photos or more, and an audit needs 2: add classes or photos"):
        read(folder)
    (folder / "pear/a.jpg").unlink()
    (folder / "pear").rmdir()
    with refused("all photos are of the class apple: add other classes, or give "):
        read(folder)


@pytest.mark.parametrize(
    ("size", "complaint"),
    [
        ((1, 1), "photos with a side of less than 8 pixels; replace or remove them: pear/b.png (1 x 1)"),
        ((400, 9), "photos more than 20 times as long as wide; crop or remove them: pear/b.png (400 x 9)"),
        ((10_001, 10_000), "more than 100 megapixels; shrink or remove them: pear/b.png (10001 x 10000)"),
        ((20_000, 15_000), "more than 100 megapixels; shrink or remove them: pear/b.png (20000 x 15000)"),
        ((30_000, 20_000), "more than 100 megapixels; shrink or remove them: pear/b.png"),
    ],
)
def test_photos_of_odd_sizes_are_refused(folder, size, complaint):
    Image.new("1", size).save(folder / "pear/b.png")
    with refused(complaint):
        read(folder)


def test_what_is_no_picture_is_refused(folder, tmp_path):
    (folder / "pear/b.png").write_text("no picture")
    with refused("pear/b.png: does not decode"):
        read(folder)
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "pear/b.png")
    whole = (folder / "pear/b.png").read_bytes()
    (folder / "pear/b.png").write_bytes(whole[: len(whole) // 2])
    table, _ = read(folder)
    with refused("pear/b.png: does not decode"):
        packs.photo_pack(table, folder, 16, Cache(tmp_path / "cache"))


def test_a_folder_of_masks_has_the_photos_paths(folder, tmp_path):
    table, masks = read(folder)[0], tmp_path / "masks"
    with refused("masks is no folder: give the folder of masks, or a --mask-method"):
        given_masks(table, masks)
    for name in ("apple/a.png", "apple/b.jpg.png", "pear/a.png"):
        draw(masks / name, (40, 30), "L", 255)
    with refused("no mask for photos; add such as pear/b.png, or give a --mask-method: pear/b.png"):
        given_masks(table, masks)
    draw(masks / "pear/b.png", (41, 30), "L", 255)
    found = given_masks(table, masks)
    assert found.mask_path[1] == str(masks / "apple/b.jpg.png")
    with refused("pear/b.png: 40 x 30 pixels, but its mask has 41 x 30: replace the mask"):
        packs.mask_pack(found, folder, GIVEN, 16, Cache(tmp_path / "cache"))


def test_two_photos_cannot_share_a_mask(folder, tmp_path):
    draw(folder / "apple/a.png", (40, 30))
    for name in ("apple/a.png", "apple/b.png", "pear/a.png", "pear/b.png"):
        draw(tmp_path / "masks" / name, (40, 30), "L", 255)
    with refused("photos that share a mask; name masks in full, such as a.jpg.png: apple/a.jpg, apple/a.png"):
        given_masks(read(folder)[0], tmp_path / "masks")


def test_the_method_given_needs_masks(folder):
    with refused("photos.csv names no mask for photos; add them, or --mask-method grabcut: apple/a.jpg"):
        refuse_unmasked(read(folder)[0], folder)


def test_masks_that_are_all_empty_are_refused(folder, tmp_path):
    for name in ("apple/a.png", "apple/b.png", "pear/a.png", "pear/b.png"):
        draw(tmp_path / "masks" / name, (40, 30), "L", 0)
    table = given_masks(read(folder)[0], tmp_path / "masks")
    with refused("all masks are empty (white is the object): make others, or --mask-method grabcut"):
        packs.refuse_empty(packs.mask_pack(table, folder, GIVEN, 16, Cache(tmp_path / "cache")), folder)


def audited(table, photos, masks, pool, px, cache):
    """The pictures of all photos of a table."""
    photos = Photos(table, photos, masks, packs.square(px))
    return pictures.Pictures(photos, np.arange(len(table)), pool, 1, cache)


def test_photos_and_masks_are_cropped_alike(folder, tmp_path):
    table, cache = read(folder)[0], Cache(tmp_path / "cache")
    made = (
        packs.photo_pack(table, folder, 16, cache),
        packs.mask_pack(table, folder, GRABCUT, 16, cache),
        pools.background_pack(None, 16, 1, cache),
    )
    assert made[0].shapes.tolist() == [[16, 16, 3]] * 4 and made[1].shapes.tolist() == [[16, 16, 1]] * 4
    assert made[2].shapes.tolist() == [[27, 27, 3]] * 100
    seen = audited(table, *made, 16, cache)
    assert seen.photo(np.array([2, 0])).shape == (2, 3, 16, 16) and seen.mask(np.array([1])).shape == (1, 1, 16, 16)


def test_the_crop_is_the_centre_square():
    picture = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(1, 60).repeat(20, axis=0))
    assert crop(picture, 20)[0, :, 0].tolist() == list(range(20, 40))


def test_backgrounds_are_four_at_least_and_a_hundred_at_most(tmp_path):
    with refused("is no folder: give a folder of background pictures, or none to render some"):
        pools.background_pack(tmp_path / "gone", 16, 1, Cache(tmp_path / "cache"))
    for number in range(3):
        draw(tmp_path / f"some/deep/{number}.png", (30, 40))
    with refused("some: 3 pictures, at least 4 are needed: add some backgrounds"):
        pools.background_pack(tmp_path / "some", 16, 1, Cache(tmp_path / "cache"))
    for hidden in ("@eaDir/0.png", ".trash/0.png", "._0.png"):
        draw(tmp_path / "some" / hidden, (30, 40))
    with refused("some: 3 pictures, at least 4 are needed"):
        pools.background_pack(tmp_path / "some", 16, 1, Cache(tmp_path / "cache"))
    for number in range(120):
        draw(tmp_path / f"some/{number}.png", (30, 40), colour=number)
    assert len(pools.background_pack(tmp_path / "some", 16, 1, Cache(tmp_path / "cache"))) == 100
    first, again, other = (pools.drawn(tmp_path / "some", seed) for seed in (1, 1, 2))
    assert first == again == sorted(set(first)) != other


def test_a_pool_is_made_anew_for_another_name_seed_side_or_picture(tmp_path, monkeypatch):
    def swap(name, number, seed, side_px):
        return np.full((side_px, side_px, 3), ({"test": 0, "val": 100}[name] + 10 * seed + number + 0.6) / 255)

    monkeypatch.setattr(pools, "POOL", 4)
    monkeypatch.setattr(pools, "swap", swap)
    cache = Cache(tmp_path / "cache")

    def last(*given):
        picture = pools.background_pack(*given)[3]
        return len(picture), picture[0, 0, 0]

    assert [last(None, px, seed, cache) for px, seed in ((3, 1), (6, 1), (3, 2))] == [(5, 14), (10, 14), (5, 24)]
    assert [last(None, 3, 1, cache, name) for name in ("val", "test")] == [(5, 114), (5, 14)]
    for name in ("0.png", "1.png", "2.png", "3.PNG"):
        draw(tmp_path / "some" / name, (30, 30), colour=int(name[0]))
    assert [last(tmp_path / "some", px, 1, cache)[0] for px in (3, 6)] == [5, 10]
    before = last(tmp_path / "some", 3, 1, cache)
    draw(tmp_path / "some/3.PNG", (30, 30), colour=200)
    assert last(tmp_path / "some", 3, 1, cache) != before


def test_a_second_pool_is_named_and_marked_by_the_pictures_that_are_drawn_from_it(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "POOL", 4)
    monkeypatch.setattr(pools, "swap", lambda name, number, seed, px: np.full((px, px, 3), (number + 4 * seed) / 99))
    walls = tmp_path / "walls"
    for number in range(6):
        draw(walls / f"{number}.png", (90, 80), colour=number)

    def second(asked, seed):
        asking = SimpleNamespace(input_px=16, seed=seed)
        return pools.second(str(asked), asking, Cache(tmp_path / "cache"))

    one, other, rendered, again = second(walls, 1), second(walls, 2), second("rendered", 1), second("rendered", 2)
    assert (one.name, rendered.name) == (f"4 of {walls}", "4 of this project, rendered")
    assert one.mark == pools.mark(*pools.drawn(walls, 1)) != other.mark and rendered.mark == pools.RENDERED
    assert len({pool.identity for pool in (one, other, rendered, again)}) == 4
    assert {min(shape[:2]) for shape in one.pictures.shapes.tolist()} == {27}
    first, second_one, third = sorted(walls.iterdir())[:3]
    assert pools.mark(first, second_one) != pools.mark(first, third)


def test_copies_of_a_background_are_refused_for_they_would_count_as_other_backgrounds(tmp_path):
    for number in range(4):
        draw(tmp_path / f"some/{number}.png", (30, 40), colour=number)
    for number in (1, 3):
        (tmp_path / f"some/{number}.png").write_bytes((tmp_path / f"some/{number - 1}.png").read_bytes())
    with refused("some: the same photo twice; keep one of each: 0.png = 1.png, 2.png = 3.png"):
        pools.background_pack(tmp_path / "some", 16, 1, Cache(tmp_path / "cache"))


@pytest.mark.parametrize("which", ["backgrounds", "second_backgrounds"])
def test_near_duplicates_among_backgrounds_are_named(folder, tmp_path, which):
    (tmp_path / "walls").mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (4, 48, 64, 3), dtype=np.uint8)):
        Image.fromarray(pixels).resize((192, 144)).save(tmp_path / f"walls/{number}.png")
    options = params.Audit(photos=str(folder), embedder="", second_masks="none", **{which: str(tmp_path / "walls")})
    assert sources.of_folder(options, 16, 1, Cache(tmp_path / "cache")).remarks == []
    Image.open(tmp_path / "walls/2.png").resize((160, 120)).save(tmp_path / "walls/2_small.jpg")
    (said,) = sources.of_folder(options, 16, 1, Cache(tmp_path / "cache")).remarks
    assert said == (
        f"2 of the 5 backgrounds of {tmp_path}/walls are near-duplicates, such as 2.png = 2_small.jpg: these figures "
        "take them for backgrounds that differ. Keep one of each."
    )


@pytest.mark.parametrize("which", ["backgrounds", "second_backgrounds"])
def test_no_folder_of_backgrounds_is_refused_before_masks_are_made(folder, tmp_path, monkeypatch, which):
    monkeypatch.setattr(packs, "make_masks", lambda *_: pytest.fail("masks were made first"))
    options = params.Audit(photos=str(folder), embedder="small_resnet", **{which: str(tmp_path / "gone")})
    with refused("gone is no folder"):
        sources.of_folder(options, 16, 1, Cache(tmp_path / "cache"))


def test_photos_that_hide_their_background_are_not_probed(folder, tmp_path):
    table = read(folder)[0]
    boxes = {"apple/a": (10, 10, 20, 20), "apple/b": (6, 1, 33, 28), "pear/a": None, "pear/b": (0, 0, 0, 0)}
    for name, box in boxes.items():
        mask = Image.new("L", (40, 30), 255 if box is None else 0)
        if box:
            mask.paste(255, box)
        (tmp_path / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        mask.save(tmp_path / "masks" / f"{name}.png")
    table, cache = given_masks(table, tmp_path / "masks"), Cache(tmp_path / "cache")
    made = packs.photo_pack(table, folder, 30, cache), packs.mask_pack(table, folder, GIVEN, 30, cache)
    seen = audited(table, *made, pools.background_pack(None, 30, 1, cache), 30, cache)
    assert seen.probed.tolist() == [0]  # the second's box is 0.81 of the picture, but all of it with its margin
    assert seen.doubts == ["", "", "nearly_full", "empty"]
