"""Galleries and their queries: which are drawn, what tells them apart, and their photos; masks of a second kind."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bgbias.audit.inputs import gallery as galleries
from bgbias.audit.inputs import packs, second_kind
from bgbias.cache import Cache
from bgbias.errors import InputError
from bgbias.masks.make import file_of
from bgbias.photos.decode import read_photo
from bgbias.photos.pack import Pack, crop
from bgbias.photos.views import Photos


def test_queries_are_drawn_by_the_seed_from_those_that_are_not_searched():
    labels = np.tile([0, 1, 2], 20)
    found = [galleries.drawn(labels, 30, 9, seed)[0] for seed in (1, 1, 2)]
    assert found[0].tolist() == found[1].tolist() != found[2].tolist()
    assert all(len(rows) == 9 and rows.min() >= 30 for rows in found)


@pytest.mark.parametrize("queries", [30, 31])
def test_as_many_queries_as_there_are_or_more_are_all_of_them_and_that_is_said(queries):
    labels, said = np.tile([0, 1, 2], 20), [f"--queries {queries}: there are 30, so all are audited, as without it."]
    rows, found = galleries.drawn(labels, 30, queries, 1)
    assert rows.tolist() == list(range(30, 60)) and found == said
    assert galleries.drawn(labels[:30], 30, queries, 1) == (None, said)
    assert galleries.drawn(labels[:30], 30, None, 1) == (None, [])


def test_queries_of_a_single_class_are_refused_however_many():
    labels, refused = np.repeat([0, 1], [20, 4]), 0
    for seed in range(20):
        try:
            assert len(set(labels[galleries.drawn(labels, 24, 2, seed)[0]])) == 2
        except InputError:
            refused += 1
    assert 0 < refused < 20


def test_every_part_of_a_gallery_and_its_queries_tells_it_from_others():
    table = pd.DataFrame({"class_id": [0, 0, 1, 1]})
    one = galleries.Gallery(table, 4, np.array([0, 2]), None, None, "a")
    others = [{"content": "b"}, {"size": 3}, {"rows": np.array([0, 3])}, {"table": table.assign(class_id=[0, 1, 1, 1])}]
    assert len({gallery.asked for gallery in (one, *(one._replace(**other) for other in others))}) == 5


def noise(seed, shape=(12, 9, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_photos_of_a_folder_are_cropped_in_the_order_that_they_are_asked_for(tmp_path):
    names = ["0.png", "1.png", "2.png"]
    for number, name in enumerate(names):
        Image.fromarray(noise(number)).save(tmp_path / name)
    table = pd.DataFrame({"path": names, "class_id": [0, 0, 0]})
    gallery = galleries.of_files(table, 2, tmp_path, np.array([2]), 8)
    expected = np.stack([crop(read_photo(tmp_path / name), 8) for name in ("2.png", "0.png")])
    seen = gallery.photo(np.array([2, 0]))
    assert np.array_equal(seen.permute(0, 2, 3, 1), expected) and seen.is_contiguous() and gallery.size == 2
    assert np.array_equal(gallery.compared(np.array([2, 0])), expected)
    Image.fromarray(noise(3)).save(tmp_path / "2.png")  # of a query
    assert galleries.of_files(table, 2, tmp_path, np.array([2]), 8).content != gallery.content


def test_a_dataset_s_queries_are_drawn_by_the_seed_from_photos_that_tell_the_gallery_from_others(photos):
    image_ids = photos.split("test")
    one = galleries.of_prepared(photos, image_ids, 4, 1)[0]
    assert len({str(galleries.of_prepared(photos, image_ids, 4, seed)[0].rows) for seed in range(9)}) > 1
    others = Photos(photos.table, photos.masks, photos.masks, photos.geometry)  # other bytes
    for gallery, _ in (galleries.of_prepared(*given, 4, 1) for given in ((photos, image_ids[1:]), (others, image_ids))):
        assert gallery.content != one.content
    assert galleries.of_prepared(photos, image_ids, 9, 1) == (
        None,
        ["--queries 9: there are 9, so all are audited, as without it."],
    )


def test_second_masks_are_made_anew_for_other_photos_or_by_another_method(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        second_kind, "cut_out", lambda photo, *_: made.append(photo) or Image.new("L", photo.size, len(made))
    )
    for name, seeds in (("a", (0, 1)), ("b", (0, 2))):
        Pack.write(tmp_path / name, (noise(seed) for seed in seeds))
    one, other = (Pack(tmp_path / name) for name in "ab")
    grabcut, larger = (second_kind.making(None, first, "u2net") for first in ("given", "grabcut"))

    def masks(*given):
        return [mask.flat[0] for mask in second_kind.of_packed(*given, Cache(tmp_path / "cache")).masks]

    assert masks(one, np.array([0, 1]), grabcut) == masks(one, np.array([0, 1]), grabcut) == [1, 2]
    assert masks(one, np.array([1, 0]), grabcut) == [3, 4]
    assert masks(one, np.array([0, 1]), larger) == [5, 6]
    assert masks(other, np.array([0, 1]), grabcut) == [7, 8]
    network = second_kind.making("rembg", "given", str(tmp_path / "net.onnx"))
    for content, expected in ((b"one", [9, 10]), (b"two", [11, 12])):
        (tmp_path / "net.onnx").write_bytes(content)
        assert masks(one, np.array([0, 1]), network) == expected
    assert np.array_equal(np.asarray(made[3]), one[0]) and second_kind.making("rembg", "given", "a").rembg_model == "a"


def test_photos_and_masks_of_a_folder_are_made_anew_for_another_side_photo_method_or_network(tmp_path, monkeypatch):
    table, cache = pd.DataFrame({"path": ["0.png"], "mask_path": ""}), Cache(tmp_path / "cache")
    calls, network = [], tmp_path / "net.onnx"

    def make(table, folder, out, options):
        calls.append(options)
        out.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 12), 100 + len(calls)).save(file_of(out, "0.png"))

    def anew(options, px=8):
        photo = packs.photo_pack(table, tmp_path, px, cache)[0]
        mask = packs.mask_pack(table, tmp_path, options, px, cache)[0]
        assert len(photo) == len(mask) == px
        return mask.flat[0] == 100 + len(calls)

    monkeypatch.setattr(packs, "make_masks", make)
    Image.fromarray(noise(0)).save(tmp_path / "0.png")
    network.write_bytes(b"one")
    grabcut, larger = (second_kind.making(None, first, "u2net") for first in ("given", "grabcut"))
    by_network = second_kind.making("rembg", "given", str(network))
    asked = [anew(grabcut), anew(grabcut), anew(grabcut, 4), anew(larger), anew(by_network), anew(by_network)]
    assert asked == [True, False, True, True, True, False]
    network.write_bytes(b"two")
    assert anew(by_network)
    Image.fromarray(noise(1)).save(tmp_path / "0.png")
    assert anew(grabcut) and not anew(grabcut)
