"""Pools of backgrounds that would show no effect whatever the model is, or the photos' objects: refused, or named."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bgbias.audit.inputs import alike, packs, pools, sources
from bgbias.cache import Cache
from bgbias.config import params

RNG = np.random.default_rng(0)


def noise(height=96, width=128):
    """Of large grains, as a scene has."""
    grains = Image.fromarray(RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return np.asarray(grains.resize((width, height), Image.Resampling.BICUBIC))


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def opened(tmp_path):
    """What is said of photos of two classes, whose backgrounds are in a folder."""
    for number in range(4):
        save(tmp_path / f"shop/{'apple' if number < 2 else 'pear'}/{number}.png", noise())

    def said(which="backgrounds", folder=tmp_path / "walls"):
        given = {"photos": str(tmp_path / "shop"), "embedder": "", "second_masks": "none", which: str(folder)}
        return sources.of_folder(params.Audit(**given), 64, 1, Cache(tmp_path / "cache")).remarks

    return said


def plain(level, seed=0):
    """One colour, and the noise of a camera."""
    return (level + np.random.default_rng(seed).normal(0, 2, (60, 90, 3))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("which", ["backgrounds", "second_backgrounds"])
def test_backgrounds_that_are_alike_are_refused_for_a_swap_among_them_changes_nothing(opened, tmp_path, which):
    for number in range(8):
        save(tmp_path / f"walls/{number}.png", plain(230 if number else 90, number))
    message = f"{tmp_path}/walls: of 8 backgrounds 2 differ, expected 4, for a swap among alike ones changes nothing: "
    with pytest.raises(ValueError, match=f"^{re.escape(message)}give others$"):
        opened(which)


def test_a_picture_that_is_there_again_and_again_counts_once(opened, tmp_path):
    scene = noise()
    for quality in (95, 90, 80, 70, 60):
        save(tmp_path / f"walls/{quality}.jpg", scene, quality=quality)
    with pytest.raises(ValueError, match="of 5 backgrounds 1 differ, expected 4"):
        opened()


def test_alike_backgrounds_are_refused_before_masks_are_made(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "make_masks", lambda *_: pytest.fail("masks were made first"))
    for number in range(4):
        save(tmp_path / f"walls/{number}.png", plain(250, number))
    with pytest.raises(ValueError, match="of 4 backgrounds 1 differ"):
        opened()


def test_backgrounds_of_one_colour_each_are_named_where_most_are(opened, tmp_path):
    for number in range(4):
        save(tmp_path / f"walls/scene{number}.png", noise())
        save(tmp_path / f"walls/plain{number}.png", plain(60 * number, number))
    assert opened() == []
    save(tmp_path / "walls/plain4.png", plain(255))
    assert opened() == [
        f"5 of the 9 backgrounds of {tmp_path}/walls are of one colour each: they show what is lost without the "
        "photos' own backgrounds, and hardly what other places do. Give photos of places."
    ]


def test_what_differs_by_less_than_8_levels_is_plain_and_plain_ones_are_alike():
    def halves(low, high):
        return np.repeat(np.array([low, high], np.uint8), [20, 20])[:, None, None].repeat(60, 1).repeat(3, 2)

    assert list(alike.plain_colours([halves(113, 127), halves(111, 129)])) == [0]
    assert alike.of_pool([halves(level, level) for level in (50, 59, 68, 77)], "apart")
    with pytest.raises(ValueError, match="near: of 4 backgrounds 3 differ, expected 4"):
        alike.of_pool([halves(level, level) for level in (50, 59, 68, 75)], "near")


def test_a_second_pool_is_none_if_more_than_half_of_it_are_in_the_first():
    a, b, c, d, e, f, g = (noise() for _ in range(7))

    def said(first, second):
        return alike.shared(first, pools.SecondPool("4 of others", second, "", ""))

    assert said([a, b, c], [d, e, f, g]) == said([a, a, c], [d, d, f, g]) == []
    for first, count in (([a, b, c], 2), ([a, a, c], 1)):
        (sentence,) = said(first, [a, b, f, g])
        assert sentence.startswith(f"{count} of the 4 backgrounds of the second pool, 4 of others, are in the first")
    with pytest.raises(ValueError, match="^3 of the 4 backgrounds of the second pool, .* so it is no second opinion"):
        said([a, b, c], [a, b, c, g])


class Emptied(list):
    """Photos without their objects, by number."""

    folder = None

    def subset(self, rows):
        some = Emptied(rows.tolist())
        some.folder = self.folder
        return some


def test_the_photos_own_backgrounds_are_of_those_that_show_enough_and_a_hundred_at_most(tmp_path):
    (tmp_path / "emptied").mkdir()

    def pool(shown, seed=1):
        every = Emptied()
        every.folder = tmp_path / "emptied"
        return pools.of_photos(SimpleNamespace(probed=range(shown), labels=range(200), seed=seed, all_emptied=every))

    few, many, other = pool(5), pool(150), pool(150, seed=2)
    assert few.pictures == [0, 1, 2, 3, 4] and (few.name[:4], few.mark) == ("5 of", pools.OWN)
    assert len(set(many.pictures)) == 100 and max(many.pictures) > 100 and sorted(many.pictures) == many.pictures
    assert many.pictures != other.pictures and many.identity != other.identity
    (tmp_path / "emptied/1.npy").write_bytes(b"other")
    assert pool(150).identity != many.identity
    with pytest.raises(ValueError, match="--second-backgrounds photos: 3 photos show enough of theirs, expected 4"):
        pool(3)


def test_transparent_backgrounds_are_named(opened, tmp_path):
    for number in range(4):
        save(tmp_path / f"walls/{number}.png", noise())
    save(tmp_path / "walls/4.png", np.dstack([noise(), np.full((96, 128), 128, np.uint8)]))
    (said,) = opened()
    assert said.startswith(f"1 of 5 backgrounds of {tmp_path}/walls have an alpha channel")


def test_photos_before_white_are_no_second_pool(opened, tmp_path):
    for path in (tmp_path / "shop").rglob("*.png"):
        picture = np.full((96, 96, 3), 255, np.uint8)
        picture[32:64, 32:64] = noise(32, 32)
        save(path, picture)
    message = "--second-backgrounds photos: of 4 backgrounds 1 differ, expected 4, for a swap among alike ones"
    with pytest.raises(ValueError, match=message):
        opened("second_backgrounds", "photos")


@pytest.mark.parametrize("which", ["backgrounds", "second_backgrounds"])
def test_copies_of_audited_photos_among_backgrounds_are_refused_also_if_recompressed(
    opened, tmp_path, which, monkeypatch
):
    monkeypatch.setattr(alike, "AT_ONCE", 3)  # of four
    for number in range(4):
        save(tmp_path / f"walls/{number}.png", noise())
    assert opened(which) == []
    Image.open(tmp_path / "shop/pear/3.png").resize((100, 75)).save(tmp_path / "walls/4.jpg", quality=80)
    message = "walls: audited photos among the backgrounds, with their objects; give a folder without them: "
    with pytest.raises(ValueError, match=f"{message}4.jpg = pear/3.png$"):
        opened(which)


@pytest.mark.parametrize("second", [False, True])
def test_backgrounds_that_are_photos_to_the_byte_are_refused_whichever_these_are(tmp_path, second):
    walls, paths = tmp_path / "walls", ["0.png", "1.png", "2.png"]
    walls.mkdir()
    for number in range(7):
        folder = tmp_path if number < 3 else walls
        Image.new("RGB", (20 + number, 20), (90, 9 * number, 0)).save(folder / f"{number}.png")
    asked, first = (str(walls), None) if second else (None, walls)
    pools.refuse_unfit(asked, first, tmp_path, paths, 1)
    (walls / "6.png").write_bytes((tmp_path / "2.png").read_bytes())
    with pytest.raises(ValueError, match="with their objects; give a folder without them: .*/walls/6.png$"):
        pools.refuse_unfit(asked, first, tmp_path, paths, 1)
