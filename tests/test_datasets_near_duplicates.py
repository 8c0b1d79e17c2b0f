"""Near-duplicates are found, other photos are not; what the stage prepare says of photos."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from own_photos import CLASSES, OPTIONS
from PIL import Image

from bgbias.config import read
from bgbias.datasets import folder, near_duplicates
from bgbias.datasets.near_duplicates import first_ones
from stages import prepare


def photo(seed, size=(120, 90), detail=6):
    """A picture of smooth random colours."""
    colours = np.random.default_rng(seed).integers(0, 256, (detail, detail, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC)


def recompressed(picture, quality):
    memory = io.BytesIO()
    picture.save(memory, "JPEG", quality=quality)
    return Image.open(memory)


def cropped(picture, left, top, right, bottom):
    return picture.crop((left, top, picture.width - right, picture.height - bottom))


CHANGES = {
    "quality 30": lambda picture: recompressed(picture, 30),
    "quality 95": lambda picture: recompressed(picture, 95),
    "half": lambda picture: picture.resize((60, 45)),
    "double": lambda picture: picture.resize((240, 180)),
    "a crop of 2 %": lambda picture: cropped(picture, 2, 2, 2, 2),
    "a crop of 4 %": lambda picture: cropped(picture, 5, 4, 5, 4),
    "a crop of one side": lambda picture: cropped(picture, 2, 0, 0, 0),
}


def found(*pictures):
    return near_duplicates.near_duplicates([np.asarray(picture) for picture in pictures])


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others_whichever_comes_first(change):
    copy = CHANGES[change](photo(0))
    assert found(photo(1), photo(0), photo(2), copy) == [(1, 3)]
    assert found(copy, photo(1), photo(0)) == [(0, 2)]


@pytest.mark.parametrize(
    "other",
    [
        photo(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        cropped(photo(0), 12, 9, 12, 9),
        photo(0).point(lambda level: level // 2 + 120),
        Image.blend(photo(0), photo(1), 0.2),
    ],
    ids=["mirrored", "cropped by 10 %", "paler", "another object"],
)
def test_what_differs_by_more_is_another_photo(other):
    assert found(photo(0), other) == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_mirror_image_is_found_as_one_where_it_is_asked_for(change):
    copy = CHANGES[change](photo(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    pictures = [np.asarray(picture) for picture in (photo(1), photo(0), photo(2), copy, photo(2))]
    assert near_duplicates.near_duplicates(pictures, mirrored=True) == [(1, 3)]
    one, other = near_duplicates.remarks(pictures, "abcde", "xxxxy", "test ")
    assert one.startswith("2 of 5 test photos are near-duplicates (recompressed, ") and "such as c = e" in one
    assert other.startswith("2 of 5 test photos are near-duplicates of others' mirror images (recompressed, ")
    assert other.endswith("; 1 pair, such as b = d), found by any model: keep one of each.")


def test_pictures_of_one_colour_are_not_compared():
    assert found(*(Image.new("RGB", (20, 20), (90, 90, blue)) for blue in (90, 91, 200))) == []


def test_all_rows_are_compared_whatever_their_number(monkeypatch):
    pictures = [photo(seed) for seed in (0, 1, 2, 0, 3, 1, 0)]
    expected = [(0, 3), (0, 6), (1, 5), (3, 6)]
    assert found(*pictures) == expected
    monkeypatch.setattr(near_duplicates, "ROWS", 2)
    assert found(*pictures) == expected


def many():
    """16 photos, then copies of 8 of them; and the pairs among them."""
    pictures = [photo(seed) for seed in range(16)]
    pictures += [change(photo(seed)) for seed, change in enumerate([*CHANGES.values(), lambda picture: picture])]
    return pictures, found(*pictures)


@pytest.mark.parametrize("batch", [1, 5, 24])
@pytest.mark.parametrize("rows", [3, 256])
def test_queries_are_found_among_batches_of_any_size_as_among_all(monkeypatch, batch, rows):
    pictures, pairs = many()
    assert pairs == [(seed, seed + 16) for seed in range(8)]
    monkeypatch.setattr(near_duplicates, "ROWS", rows)
    assert found(*pictures) == pairs
    arrays, queries = [np.asarray(picture) for picture in pictures], [2, 5, 9, 18, 23]
    find = near_duplicates.near_duplicates_of([arrays[row] for row in queries])
    among = [
        (queries[query], start + place)
        for start in range(0, len(arrays), batch)
        for query, place in find(arrays[start : start + batch])
    ]
    others = [(query, row) for query, row in among if query != row]
    assert len(among) == len(set(among)) == len(others) + len(queries)  # each is one of the photos itself, too
    assert {tuple(sorted(pair)) for pair in others} == {pair for pair in pairs if set(pair) & set(queries)}
    assert sorted(others) == [(2, 18), (5, 21), (18, 2), (23, 7)]


def test_what_is_said_of_a_pair_depends_on_no_other_also_where_most_are_candidates():
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:48, :48]
    discs = [
        np.where((np.hypot((x - 24) * wide, y - 24) < radius)[..., None], rng.integers(0, 60, 3), 255).astype(np.uint8)
        for wide, radius in rng.uniform((0.9, 14), (1.1, 17), (60, 2))
    ]
    pairs = near_duplicates.near_duplicates(discs)
    assert 200 < len(pairs) < 1500  # of 1,770
    alone = [near_duplicates.near_duplicates_of([one]) for one in discs]
    assert pairs == [(one, other) for one in range(60) for other in range(one + 1, 60) if alone[one]([discs[other]])]


def test_of_a_row_of_near_duplicates_no_two_are_chosen():
    pairs = [(1, 2), (0, 1), (2, 3), (4, 6)]
    chosen = first_ones(pairs, 7)
    assert chosen.tolist() == [True, False, True, False, True, True, False]
    assert not any(chosen[first] and chosen[second] for first, second in pairs)


def test_the_stage_prepare_says_how_many_own_photos_are_near_duplicates(own, capsys):
    settings = read.load(Path(__file__).parent.parent / "params.yaml")
    raw = Path("data/raw/own")
    for seed, path in enumerate(sorted(own.rglob("*.jpg"))):
        photo(seed).save(path)
    folder.fetch(raw, OPTIONS)
    prepare.main(settings, "own")
    said = capsys.readouterr().out
    assert "near-duplicates" not in said and "alpha" not in said
    recompressed(photo(0), 50).save(raw / "cup/9.jpg")
    with (raw / "photos.csv").open("a") as lines:
        split = folder.read(raw).set_index("class_name").split["cup"].iloc[0]
        lines.write(f"cup/9.jpg,cup,{split},\n")
    prepare.main(settings, "own")
    first = f"{CLASSES[1]}/1.jpg"
    assert (
        "own: 2 of 17 photos are near-duplicates (recompressed, resized or slightly cropped; 1 pair, such as "
        f"{first} = cup/9.jpg), found by any model: keep one of each. Of two classes, one of them wrong: 1 pair, "
        f"such as {first} = cup/9.jpg.\n"
    ) in capsys.readouterr().out


def test_the_stage_prepare_says_how_many_photos_may_be_transparent_or_masks(own, capsys):
    for seed, path in enumerate(sorted(own.rglob("*.jpg"))):
        photo(seed).save(path)
    Image.new("RGBA", (8, 8)).save(own / "cup/1_mask.png")
    folder.fetch(Path("data/raw/own"), OPTIONS)
    prepare.main(read.load(Path(__file__).parent.parent / "params.yaml"), "own")
    said = capsys.readouterr().out
    assert "own: 1 of 17 photos have an alpha channel: what is transparent is shown on white" in said
    assert "own: 1 of 17 photos is black and white alone, as masks are, such as cup/1_mask.png: leave masks" in said


def test_the_stage_prepare_says_how_many_own_photos_lose_half_to_the_centre_square_or_are_enlarged(own, capsys):
    settings, paths = read.load(Path(__file__).parent.parent / "params.yaml"), sorted(own.rglob("*.jpg"))
    for seed, path in enumerate(paths):
        photo(seed, (128, 96)).save(path)
    long, less = (path.relative_to(own) for path in paths[:2])
    photo(90, (100, 200)).save(own / long)
    photo(91, (128, 95)).save(own / less)
    folder.fetch(Path("data/raw/own"), OPTIONS)
    prepare.main(settings, "own")
    printed = capsys.readouterr().out
    for said in (
        f"own: 1 of 16 photos are twice as long as wide or more, such as {long}: the model is shown their centre",
        f"own: 1 of 16 photos have a short side of less than 96 px, such as {less}, and are enlarged: beside others",
    ):
        assert said in printed
    photo(92, (1, 1)).save(Path("data/raw/own") / long)
    with pytest.raises(ValueError, match=r"photos with a side of less than 8 pixels; replace or remove them: .*1 x 1"):
        prepare.main(settings, "own")


def test_the_stage_prepare_refuses_a_batch_that_the_classes_do_not_fill(own):
    settings = read.load(Path(__file__).parent.parent / "params.yaml")
    for seed, path in enumerate(sorted(own.rglob("*.jpg"))):
        photo(seed).save(path)
    folder.fetch(Path("data/raw/own"), OPTIONS)
    message = r"own: batch_size 32 needs 8 classes \(per_class 4\), and \d are for training: lower train.own.batch_size"
    with pytest.raises(ValueError, match=message):
        prepare.main(replace(settings, datasets=["demo", "own"]), "own")
    assert not Path("data/prepared/own").exists()
    prepare.main(settings, "own")  # not trained on: photos may be few
