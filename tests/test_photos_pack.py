"""The image table's checks, photo files, packed pixels."""

import numpy as np
import pytest
from PIL import Image

from bgbias.photos.decode import read_photo
from bgbias.photos.pack import Pack, shrink, shrink_all
from bgbias.photos.table import COLUMNS, check_table, read_table


def test_a_sound_table_is_numbered(raw):
    folder, table = raw
    checked = check_table(table, folder)
    assert checked.image_id.tolist() == list(range(27))
    assert checked.columns.tolist() == [*COLUMNS, "mask_path"]
    assert check_table(table.drop(columns="mask_path"), folder).mask_path.eq("").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[:0], "no photos found"),
        (lambda t: t.iloc[[0, *range(27)]], "listed twice; .*: photos/class0/0.png"),
        (lambda t: t.replace("photos/class1/2.png", "photos/gone.png"), "listed, but missing; .*: photos/gone.png"),
        (lambda t: t.replace({"split": {"val": "train"}}), "no classes in split; .*: val"),
        (lambda t: t.replace({"split": {"val": "vall"}}), "no classes in split; .*: val"),
        (lambda t: t.drop(index=[0, 1]), "training classes with a single photo; add some, or remove the class: class0"),
        (lambda t: t.assign(split=["test", *t.split[1:]]), "classes with more than one split; .*: class0"),
        (lambda t: t.assign(class_id=[9, *t.class_id[1:]]), "classes with more than one class_id; .*: class0"),
    ],
)
def test_an_unsound_table_is_refused(raw, change, message):
    folder, table = raw
    with pytest.raises(ValueError, match=message):
        check_table(change(table), folder)


def test_an_empty_class_folder_is_refused(raw):
    folder, table = raw
    (folder / "photos/empty").mkdir()
    with pytest.raises(ValueError, match="class folders without photos; fill or remove them: photos/empty"):
        check_table(table, folder)


def test_photos_need_no_folder(raw):
    folder, table = raw
    (folder.parent / "empty").mkdir()  # beside the dataset, not in it
    (folder / "loose.png").write_bytes((folder / table.path[0]).read_bytes())
    check_table(table.replace(table.path[0], "loose.png"), folder)


def test_a_photo_that_does_not_decode_is_named_with_the_mend(tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    with pytest.raises(ValueError, match=r"broken.jpg: does not decode .*: replace or remove it"):
        read_photo(broken)


def test_a_truncated_photo_is_refused(tmp_path):
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    Image.effect_noise((64, 64), 50).save(whole)
    cut.write_bytes(whole.read_bytes()[:-400])
    with pytest.raises(ValueError, match=r"cut.jpg: does not decode"):
        read_photo(cut)


def test_photos_come_upright(tmp_path):
    photo, exif = Image.new("RGB", (4, 2)), Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    photo.save(tmp_path / "turned.jpg", exif=exif)
    assert read_photo(tmp_path / "turned.jpg").size == (2, 4)


def test_transparent_and_grey_photos_become_rgb(tmp_path):
    for mode in ("RGBA", "L", "P", "CMYK"):
        path = tmp_path / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}"
        Image.new(mode, (3, 3)).save(path)
        assert read_photo(path).mode == "RGB"


@pytest.mark.parametrize(("size", "shape"), [((40, 20), (10, 20, 3)), ((20, 40), (20, 10, 3)), ((5, 5), (10, 10, 3))])
def test_shrink_brings_the_short_side_to_size_and_keeps_proportions(size, shape):
    assert shrink(Image.new("RGB", size), 10).shape == shape


def test_pack_gives_back_pictures_of_any_size_to_the_byte(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((3, 5, 3), (7, 2, 3), (1, 1, 3))]
    Pack.write(tmp_path / "pack", iter(pictures))
    pack = Pack(tmp_path / "pack")
    assert len(pack) == 3
    for i, picture in enumerate(pictures):
        assert np.array_equal(pack[i], picture)


@pytest.mark.parametrize(
    ("picture", "found"),
    [
        (np.ones((2, 3, 1), dtype=bool), r"bool \(2, 3, 1\)"),
        (np.full((2, 3, 1), -1, dtype=np.int8), r"int8 \(2, 3, 1\)"),
        (np.ones((2, 3, 3), dtype=np.float32), r"float32 \(2, 3, 3\)"),
        (np.ones((2, 3), dtype=np.uint8), r"uint8 \(2, 3\)"),
    ],
)
def test_what_is_no_picture_of_bytes_is_not_packed(tmp_path, picture, found):
    with pytest.raises(ValueError, match=rf"pack: picture 1 is {found}, expected uint8 \(H, W, C\): bring it"):
        Pack.write(tmp_path / "pack", iter([np.zeros((2, 2, 1), np.uint8), picture]))
    assert not (tmp_path / "pack").exists()


def test_an_interrupted_pack_leaves_nothing(tmp_path, checkout):
    def pictures():
        yield np.zeros((2, 2, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pack.write(tmp_path / "pack", pictures())
    assert list(tmp_path.rglob("*")) == [checkout]


def test_a_truncated_pack_is_refused(tmp_path):
    Pack.write(tmp_path / "pack", iter([np.zeros((2, 2, 3), np.uint8)]))
    (tmp_path / "pack/pixels.bin").write_bytes(b"12345")
    with pytest.raises(ValueError, match="5 bytes, expected 12: remove .*pack, and run the stage again"):
        Pack(tmp_path / "pack")


@pytest.mark.parametrize("shapes", [[[-2, -2, 3]], [[0, 2, 3]], [[2**31, 2, 3]]])
def test_a_pack_of_sides_that_no_picture_has_is_refused(tmp_path, shapes):
    Pack.write(tmp_path / "pack", iter([np.zeros((2, 2, 3), np.uint8)]))
    np.save(tmp_path / "pack/shapes.npy", np.array(shapes))
    with pytest.raises(ValueError, match="pack/shapes.npy: holds sides that no picture has: remove .*pack"):
        Pack(tmp_path / "pack")


def test_pictures_are_shrunk_over_all_cores_in_order(raw):
    folder, table = raw
    paths = [folder / path for path in table.path]
    shrunk = shrink_all(paths, 12)
    assert all(np.array_equal(one, shrink(read_photo(path), 12)) for one, path in zip(shrunk, paths, strict=True))


def test_a_broken_photo_among_many_is_named(raw):
    folder, table = raw
    (folder / table.path[5]).write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"class1/2.png: does not decode"):
        list(shrink_all([folder / path for path in table.path], 12))


def test_a_table_that_was_cut_off_is_refused(data):
    table = data / "prepared/drawn/images.csv"
    assert len(read_table(table)) == 27
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:14]))
    mend = "make it again, `dvc repro -f prepare@drawn`"
    with pytest.raises(ValueError, match=f"images.csv: 13 photos, but 27 are packed beside it: {mend}$"):
        read_table(table)
