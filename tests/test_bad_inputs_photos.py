"""Own photos as people bring them: photos.csv, pictures of all kinds that are none, masks that do not fit."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from spoils import content, cut, fifo, folder, remove

pytestmark = pytest.mark.slow
OWN = "data/sources/own"
LIST, PHOTO, MASK = f"{OWN}/photos.csv", f"{OWN}/photos/mug 3/1.png", f"{OWN}/masks/mug 3/1.png"
AUDIT = f"audit --photos {OWN} --backgrounds backgrounds --embedder model:models/demo/base/42 --out audits/own"
GIVEN, GRABCUT = f"{AUDIT} --mask-method given", f"{AUDIT} --mask-method grabcut"
ROW, HEADER = "photos/mug 3/1.png,mug 3,masks/mug 3/1.png", "path,class,mask"


def listed(text: str, by: str, count: int = 1):
    """Replace a text of photos.csv."""

    def edit(path: Path) -> None:
        found = path.read_text()
        assert text in found
        path.write_text(found.replace(text, by, count))

    return edit


LISTS = {
    "empty": (content(""), "its first line is ''"),
    "a blank line": (content("\n"), "its first line is"),
    "the header alone": (content(f"{HEADER}\n"), "no photos"),
    "one column": (content("path\nphotos/mug 3/1.png\n"), "its first line is 'path'"),
    "no header": (listed(f"{HEADER}\n", ""), "its first line is 'photos/"),
    "semicolons": (listed(",", ";", 999), "its first line is 'path;class;mask'"),
    "tabs": (listed(",", "\t", 999), "its first line is"),
    "an unknown column": (listed("class", "label"), "its first line is 'path,label,mask'"),
    "a column twice": (listed("mask", "class"), "its first line is 'path,class,class'"),
    "capitals": (listed(HEADER, "Path,Class,Mask"), "its first line is"),
    "a field less": (listed(ROW, "photos/mug 3/1.png,mug 3"), "not one field per column"),
    "a field more": (listed(ROW, f"{ROW},more"), "not one field per column"),
    "no path": (listed(ROW, ",mug 3,"), "rows without a path"),
    "no class": (listed(ROW, "photos/mug 3/1.png,,"), "rows without a class"),
    "a blank class": (listed(ROW, "photos/mug 3/1.png,  ,"), "without a class"),
    "a blank path": (listed(ROW, "  ,mug 3,"), "photos.csv"),
    "a missing photo": (listed("mug 3/1.png", "mug 3/9.png"), "listed, but missing"),
    "a missing mask": (listed("masks/mug 3/1.png", "masks/none.png"), "listed, but missing"),
    "backslashes": (listed(ROW, ROW.replace("/", "\\")), "listed, but missing"),
    "an absolute path": (listed(ROW, "/etc/passwd,mug 3,"), "paths that leave the folder"),
    "a path above": (listed(ROW, "../own/photos/mug 3/1.png,mug 3,"), "paths that leave the folder"),
    "a path through above": (listed(ROW, "photos/../photos/mug 3/1.png,mug 3,"), "paths that leave the folder"),
    "an absolute mask": (listed("masks/mug 3/1.png", "/etc/passwd"), "paths that leave the folder"),
    "a folder for a photo": (listed("photos/mug 3/1.png", "photos/mug 3"), "listed, but missing"),
    "the folder itself": (listed("photos/mug 3/1.png", "."), "listed, but missing"),
    "an address": (listed("photos/mug 3/1.png", "https://example.org/1.png"), "listed, but missing"),
    "a home": (listed("photos/mug 3/1.png", "~/1.png"), "listed, but missing"),
    "a photo twice": (listed(ROW, f"{ROW}\n{ROW}"), "listed twice"),
    "a photo twice by another path": (listed(ROW, f"{ROW}\n.//{ROW}"), "listed twice"),
    "one class": (content(f"path,class\n{PHOTO.removeprefix(OWN + '/')},mug\n"), "all photos are of the class mug"),
    "a NUL byte": (listed("mug 3/1.png", "mug\0 3/1.png"), "photos.csv"),
    "a NUL byte in a class": (listed(",mug 3,", ",mug\0 3,"), "control characters"),
    "an open quote": (listed(ROW, f'"{ROW}'), "does not read"),
    "a quote within": (listed(ROW, 'photos/"mug" 3/1.png,mug 3,'), "listed, but missing|does not read"),
    "UTF-16": (lambda path: path.write_text(path.read_text(), encoding="utf-16"), "does not read"),
    "Latin-1": (lambda path: path.write_bytes(path.read_bytes() + b"a,\xe4,\n"), "does not read"),
    "a field of a megabyte": (listed(",mug 3,", f",{'m' * 10**6},"), "does not read"),
    "a path of 5,000 letters": (listed("photos/mug 3/1.png", "p" * 5000), "File name too long"),
    "a spreadsheet": (content(b"PK\x03\x04" + bytes(range(256))), "does not read"),
    "a folder": (folder, "photos.csv|two classes|same photo"),
    "an escape": (listed(",mug 3,", ",mug\x1b[31m 3,"), "control characters"),
    "a mark from right to left": (listed(",mug 3,", ",mug \u202e3,"), "control characters"),
}
SPLITS = {
    "unknown": ("dev", "train", "unknown split"),
    "capitals": ("Train", "val", "unknown split"),
    "not all": ("", "train", "photos without a split"),
    "no test": ("train", "val", "needs 2"),
    "no train": ("test", "val", "needs 2"),
}


@pytest.mark.parametrize(("how", "words"), list(LISTS.values()), ids=LISTS)
def test_a_list_of_photos(refuses, how, words):
    refuses("raw own", words, (LIST, how))


@pytest.mark.parametrize(("first", "others", "words"), list(SPLITS.values()), ids=SPLITS)
def test_splits_of_a_list(refuses, first, others, words):
    def split(path: Path) -> None:
        header, *rows = path.read_text().splitlines()
        split = (f"{row},{first if 'mug 3' in row else others}" for row in rows)
        path.write_text("\n".join([f"{header},split", *split]) + "\n")

    refuses("raw own", words, (LIST, split))


def png(width: int, height: int, data: bytes = b"", broken: bytes = b"") -> bytes:
    """A PNG of a declared size, and what is broken in it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + broken + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def encoded(kind: str, size: tuple[int, int] = (40, 32), mode: str = "RGB", **how: object) -> bytes:
    """A picture of some format."""
    buffer = io.BytesIO()
    Image.new(mode, size, 7).save(buffer, kind, **how)
    return buffer.getvalue()


JPEG = encoded("JPEG")
PICTURES = {
    "empty": (content(""), "does not decode"),
    "a byte": (content("x"), "does not decode"),
    "text": (content("a photo of a mug\n"), "does not decode"),
    "a web page": (content("<!DOCTYPE html><html><body>404</body></html>"), "does not decode"),
    "cut": (cut, "does not decode"),
    "a JPEG that is cut": (content(JPEG[: len(JPEG) // 2]), "does not decode"),
    "a JPEG of its head": (content(JPEG[:20]), "does not decode"),
    "a WebP that is cut": (content(encoded("WEBP")[:30]), "does not decode"),
    "a GIF": (content(encoded("GIF")), "does not decode"),
    "a BMP": (content(encoded("BMP")), "does not decode"),
    "a TIFF": (content(encoded("TIFF")), "does not decode"),
    "a PDF": (content(encoded("PDF")), "does not decode"),
    "an AVIF": (content(b"\0\0\0\x1cftypavif" + b"\0" * 40), "does not decode"),
    "a HEIC": (content(b"\0\0\0\x18ftypheic" + b"\0" * 40), "does not decode"),
    "an EPS": (content("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(rm) run\n"), "does not decode"),
    "an SVG": (content('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), "does not decode"),
    "a zip": (content(b"PK\x03\x04" + b"\0" * 60), "does not decode"),
    "a PNG without pixels": (content(png(40, 32)), "does not decode"),
    "a PNG with few pixels": (content(png(40, 32, b"\0" * 99)), "does not decode"),
    "a PNG of another checksum": (content(png(40, 32, b"\0" * 3872).replace(b"IDAT", b"IDAU")), "does not decode"),
    "a PNG with a broken chunk": (content(png(40, 32, b"\0" * 3872, b"\0\0\0\4tEXtabcd\0\0\0\0")), "does not decode"),
    "a PNG of no width": (content(png(0, 32)), "does not decode|side of less|more than"),
    "a PNG of gigapixels": (content(png(60_000, 60_000)), "megapixels"),
    "a PNG of 2^31": (content(png(2**31 - 1, 2**31 - 1)), "megapixels|does not decode"),
    "a pixel": (content(encoded("PNG", (1, 1))), "side of less than 8 pixels"),
    "a line": (content(encoded("PNG", (6000, 1))), "side of less than 8 pixels"),
    "a strip": (content(encoded("PNG", (9000, 9))), "times as long as wide"),
    "a folder": (folder, "listed, but missing"),
    "gone": (remove, "listed, but missing"),
    "a pipe": (fifo, "listed, but missing"),
    "a link to nowhere": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "listed, but missing"),
    "a link to itself": (lambda path: (path.unlink(), path.symlink_to(path.name)), "mug 3/1.png"),
    "a copy of another": (lambda path: path.write_bytes(path.with_name("0.png").read_bytes()), "the same photo twice"),
    "a copy of another class": (
        lambda path: path.write_bytes((path.parent.parent / "mug 4/0.png").read_bytes()),
        "the same photo in two classes",
    ),
}
FOR_PREPARE = ("empty", "text", "cut", "a GIF", "a PNG of gigapixels", "a PNG with few pixels", "a folder", "gone")
FOR_PREPARE += ("a pixel", "a line", "a strip")


@pytest.mark.parametrize(("how", "words"), list(PICTURES.values()), ids=PICTURES)
def test_a_picture_in_an_audit(refuses, how, words):
    refuses(GIVEN, words, (PHOTO, how))


@pytest.mark.parametrize("what", FOR_PREPARE)
def test_a_picture_in_the_pipeline(refuses, what):
    how, words = PICTURES[what]
    refuses("prepare own", words, ("data/raw/own/photos/mug 3/1.png", how))


MASKS = {
    "empty": (content(""), "does not decode"),
    "text": (content("white\n"), "does not decode"),
    "cut": (cut, "does not decode"),
    "a GIF": (content(encoded("GIF")), "does not decode"),
    "gone": (remove, "missing"),
    "a folder": (folder, "missing"),
    "a pipe": (fifo, "missing"),
    "smaller": (content(encoded("PNG", (20, 16), "L")), "40 x 32 pixels, but its mask has 20 x 16"),
    "on its side": (content(encoded("PNG", (32, 40), "L")), "40 x 32 pixels, but its mask has 32 x 40"),
    "a pixel": (content(encoded("PNG", (1, 1), "L")), "40 x 32 pixels, but its mask has 1 x 1"),
    "gigapixels": (content(png(60_000, 60_000)), "megapixels"),
}


@pytest.mark.parametrize(("how", "words"), list(MASKS.values()), ids=MASKS)
@pytest.mark.parametrize("command", [GIVEN, "masks own"])
def test_a_mask(refuses, command, how, words):
    path = MASK if command == GIVEN else MASK.replace("sources", "raw")
    refuses(command, words, (path, how))


def test_masks_that_are_all_empty(refuses):
    def empty(path: Path) -> None:
        for file in path.rglob("*.png"):
            Image.new("L", (40, 32)).save(file)

    refuses(GIVEN, "all masks are empty", (f"{OWN}/masks", empty))


def an_audited_photo(path: Path) -> None:
    """Save one, enlarged."""
    Image.open(path.parent.parent / OWN / "photos/mug 1/1.png").resize((80, 64)).save(path)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (content(""), "does not decode"),
        (content("a picture"), "does not decode"),
        (cut, "does not decode"),
        (content(png(60_000, 60_000)), "megapixels"),
        (remove, "3 pictures, at least 4"),
        (folder, "3 pictures, at least 4"),
        (lambda path: Image.new("RGB", (50, 60), (0, 90, 200)).save(path), "of 4 backgrounds 3 differ, expected 4"),
        (an_audited_photo, "backgrounds: audited photos among the backgrounds, with their objects"),
    ],
    ids=["empty", "text", "cut", "gigapixels", "gone", "a folder", "the colour of another", "an audited photo"],
)
def test_a_background(refuses, how, words):
    refuses(GIVEN, words, ("backgrounds/1.png", how))
