"""Photo and mask files: what is certain is read as it is meant, all else is refused."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from bgbias.photos.decode import odd_files, picture_size, read_mask, read_photo
from bgbias.photos.foreground import OBJECT

OBJECT_AT = np.zeros((20, 30), dtype=bool)
OBJECT_AT[5:15, 8:20] = True


def saved(tmp_path, picture, name="mask.png"):
    picture.save(tmp_path / name)
    return tmp_path / name


def cut_out():
    """A dark object on nothing: bright where it is transparent."""
    pixels = np.full((20, 30, 4), 250, dtype=np.uint8)
    pixels[OBJECT_AT] = (10, 20, 30, 255)
    pixels[~OBJECT_AT, 3] = 0
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "mask",
    [
        Image.fromarray(255 * OBJECT_AT.astype(np.uint8)),
        Image.fromarray(OBJECT_AT),
        Image.fromarray(OBJECT_AT.astype(np.uint8)),
        Image.fromarray(65535 * OBJECT_AT.astype(np.uint16)),
        Image.fromarray(255 * OBJECT_AT.astype(np.uint16)),
        Image.fromarray(OBJECT_AT.astype(np.uint16)),
        cut_out(),
        cut_out().convert("LA"),
        Image.merge("RGBA", [Image.fromarray(255 * OBJECT_AT.astype(np.uint8))] * 3 + [Image.new("L", (30, 20), 255)]),
    ],
    ids="8-bit two-levels 0-1 16-bit 8-in-16-bit 0-1-in-16-bit cut-out grey-cut-out opaque".split(),
)
def test_a_mask_is_the_object_whatever_it_is_written_as(tmp_path, mask):
    found = np.asarray(read_mask(saved(tmp_path, mask)))
    assert found.dtype == np.uint8 and np.array_equal(found >= OBJECT, OBJECT_AT)
    assert set(np.unique(found)) == {0, 255}


@pytest.mark.parametrize("coloured", [False, True])
@pytest.mark.parametrize("number", [1, 20])
def test_masks_of_class_numbers_with_unclear_edges_of_255_are_refused(tmp_path, number, coloured):
    levels = np.where(OBJECT_AT, number, 0).astype(np.uint8)
    levels[4:16, 7] = 255
    mask = Image.fromarray(levels)
    if coloured:
        mask = mask.convert("P")  # a palette of greys
        mask.putpalette([level for number in range(256) for level in (number * 37 % 256, 0, 60)])
    with pytest.raises(ValueError, match=r"mask.png: a mask of class numbers, and of 255 along edges, which would be"):
        read_mask(saved(tmp_path, mask))


def test_a_background_that_is_nearly_black_is_no_class_number(tmp_path):
    mask = Image.fromarray(np.where(OBJECT_AT, 255, 1).astype(np.uint8))
    assert np.array_equal(np.asarray(read_mask(saved(tmp_path, mask))) >= OBJECT, OBJECT_AT)


def test_the_edge_of_a_soft_mask_is_no_class_number(tmp_path):
    levels = np.zeros((20, 30), dtype=np.uint8)
    levels[0, :6], levels[1, 0] = 9, 255  # all that a crop holds of it
    assert np.array_equal(np.asarray(read_mask(saved(tmp_path, Image.fromarray(levels)))), levels)


def test_soft_16_bit_masks_are_scaled(tmp_path):
    levels = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    found = np.asarray(read_mask(saved(tmp_path, Image.fromarray(levels))))
    assert np.abs(found - levels / 257).max() <= 0.5


def test_levels_of_8_bits_in_16_are_kept_and_those_of_more_are_scaled(tmp_path):
    for levels, expected in (([0, 128, 255], [0, 128, 255]), ([0, 256, 514], [0, 1, 2])):
        mask = Image.fromarray(np.array([levels], dtype=np.uint16))
        assert np.asarray(read_mask(saved(tmp_path, mask))).tolist() == [expected]
    mask = Image.fromarray(np.array([[0, 128, 256]], dtype=np.uint16))  # 0, 0 and 1 of 255: two levels
    assert np.asarray(read_mask(saved(tmp_path, mask))).tolist() == [[0, 0, 255]]


def test_16_bit_photos_are_scaled_and_not_clipped(tmp_path):
    levels = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    photo = np.asarray(read_photo(saved(tmp_path, Image.fromarray(levels))))
    assert photo.shape == (20, 30, 3) and np.abs(photo[..., 0] - levels / 257).max() <= 0.5


@pytest.mark.parametrize("kind", ["RGBA.png", "RGBA.webp", "LA.png", "P.png", "RGB.png", "L.png"])
def test_what_is_transparent_in_a_photo_is_on_white_and_the_rest_as_it_is(tmp_path, kind):
    mode, hidden = kind.partition(".")[0], {"RGB": (250, 250, 250), "L": 250}
    photo, how = cut_out().convert(mode), {"lossless": True, "exact": True} if kind.endswith("webp") else {}
    how |= {"transparency": hidden[mode]} if mode in hidden else {}
    photo.save(tmp_path / kind, **how)
    seen = np.asarray(read_photo(tmp_path / kind))
    shown = np.asarray(photo.convert("RGB"))
    assert (seen[~OBJECT_AT] == 255).all() and np.array_equal(seen[OBJECT_AT], shown[OBJECT_AT])
    (said,) = odd_files([tmp_path / kind, saved(tmp_path, photo.convert("L"), "opaque.png")], "photos")
    assert said == "1 of 2 photos have an alpha channel: what is transparent is shown on white, as in a browser."


@pytest.mark.parametrize("hidden", [0, 40_000])
def test_a_transparent_level_of_a_grey_photo_of_16_bits_is_on_white_and_the_others_are_scaled(tmp_path, hidden):
    levels = np.where(OBJECT_AT, np.linspace(300, 30_000, 600).astype(np.uint16).reshape(20, 30), np.uint16(hidden))
    photo = tmp_path / "grey.png"
    Image.fromarray(levels).save(photo, transparency=hidden)
    seen = np.asarray(read_photo(photo))
    assert (seen[~OBJECT_AT] == 255).all() and np.abs(seen[..., 0] - levels / 257)[OBJECT_AT].max() <= 0.5
    assert np.array_equal(np.asarray(read_mask(photo)), 255 * OBJECT_AT.astype(np.uint8))


def test_nothing_is_said_of_photos_without_an_alpha_channel(tmp_path):
    assert odd_files([saved(tmp_path, cut_out().convert("RGB"), "opaque.png")], "photos") == []


def two_pictures(**how):
    return {"save_all": True, "append_images": [Image.new("RGB", (30, 20), "blue")]} | how


@pytest.mark.parametrize("name", ["animated.webp", "animated.png", "two.jpg"])
def test_of_several_pictures_the_first_is_taken_and_that_is_said(tmp_path, name):
    file, single = tmp_path / "cup" / name, saved(tmp_path, Image.new("RGB", (30, 20)), "single.jpg")
    file.parent.mkdir()
    how = {"format": "MPO"} if name.endswith("jpg") else {"lossless": True}
    Image.new("RGB", (30, 20), "red").save(file, **two_pictures(**how))
    assert np.abs(np.asarray(read_photo(file)) - np.array([255, 0, 0])).max() <= 2
    said = f"1 of 2 photos hold several pictures, such as cup/{name}: of each the first is taken."
    assert odd_files([single, file], "photos") == [said]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_photos_of_16_bits_whose_levels_are_those_of_fewer_are_said_to_be_dark(tmp_path, channels):
    levels = np.linspace(0, 1, 600).reshape(20, 30)
    for name, most in (("deep.png", 65535), ("dim.png", 16640), ("twelve.png", 4095), ("fourteen.png", 16383)):
        pixels = np.stack([(most * levels).astype(np.uint16)] * min(channels, 3), 2)
        if channels == 4:
            pixels = np.concatenate([pixels, np.full((20, 30, 1), 65535, np.uint16)], 2)
        cv2.imwrite(str(tmp_path / name), pixels)  # Pillow writes no colours of 16 bits
    dark = saved(tmp_path, Image.new("RGB", (30, 20), (9, 9, 9)), "of_8_bits.png")  # as dark as it is meant to be
    files = [dark, *(tmp_path / f"{name}.png" for name in ("deep", "dim", "twelve", "fourteen"))]
    *of_alpha, said = odd_files(files, "photos")
    assert said == (
        f"2 of 5 photos are of 16 bits a channel and have no level above a quarter of that, such as {tmp_path.name}/"
        "twelve.png, so they are seen dark: if their levels are of 12 or 14 bits, multiply them."
    )
    assert len(of_alpha) == (channels == 4)
    assert not any("16 bits" in other for other in odd_files(files[:3], "photos"))


def test_what_shines_through_is_mixed_with_white_and_an_opaque_photo_is_read_to_the_byte(tmp_path):
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8))
    photo.putalpha(51)
    seen, bare = (np.asarray(of, int) for of in (read_photo(saved(tmp_path, photo)), photo.convert("RGB")))
    assert np.abs(seen - (0.2 * bare + 0.8 * 255)).max() <= 1
    photo.putalpha(255)
    assert np.array_equal(np.asarray(read_photo(saved(tmp_path, photo))), bare)


def test_an_empty_mask_stays_empty(tmp_path):
    assert not np.asarray(read_mask(saved(tmp_path, Image.new("L", (5, 5))))).any()


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "PPM", "EPS"])
def test_other_formats_are_refused_whatever_the_file_is_called(tmp_path, kind):
    Image.new("RGB", (9, 9)).save(tmp_path / "photo.jpg", format=kind)
    with pytest.raises(ValueError, match=r"photo.jpg: does not decode .*: replace or remove it"):
        read_photo(tmp_path / "photo.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP"])
def test_these_formats_are_read_whatever_the_file_is_called(tmp_path, kind):
    Image.new("RGB", (9, 7), "red").save(tmp_path / "photo.png", format=kind)
    assert read_photo(tmp_path / "photo.png").size == picture_size(tmp_path / "photo.png") == (9, 7)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 20_000, 19_800, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    (tmp_path / "bomb.png").write_bytes(png + chunk(b"IEND", b""))
    with pytest.raises(
        ValueError, match="bomb.png: does not decode .20000 x 19800 are more than 200 megapixels.: repl"
    ):
        read_photo(tmp_path / "bomb.png")


def test_whatever_a_decoder_trips_over_is_the_file_s_fault(tmp_path, monkeypatch):
    def trips(*_):
        raise RuntimeError("deep inside")

    path = saved(tmp_path, Image.new("RGB", (5, 5)), "a.png")
    monkeypatch.setattr("PIL.ImageOps.exif_transpose", trips)
    with pytest.raises(ValueError, match=r"a.png: does not decode .deep inside.: replace or remove it"):
        read_photo(path)
