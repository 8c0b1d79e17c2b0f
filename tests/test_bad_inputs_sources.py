"""Public datasets as they were downloaded: archives, folders and lists under data/sources, of four classes."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from packed import pack
from spoils import content, cut, edited, folder, remove
from study_originals import write_original_cars

pytestmark = pytest.mark.slow
KAGGLE, CUB, SOP = "stanford-car-dataset-by-classes-folder.zip", "CUB_200_2011.tgz", "Stanford_Online_Products.zip"
BIRDS, GOODS = "CUB_200_2011", "Stanford_Online_Products"
ANY = {  # whatever an archive is of
    "empty": (content(""), "bytes|md5|truncated or no archive"),
    "text": (content("an archive\n"), "md5|truncated or no archive"),
    "cut": (cut, "md5|truncated or no archive"),
    "a web page": (content("<html>Sign in</html>"), "md5|truncated or no archive"),
    "a folder": (folder, "Is a directory"),
    "another archive": (lambda path: pack(path, [("1.jpg", b"1")]), "md5|holds none of the files"),
}
UNSAFE = {  # of Kaggle's, whose checksum nobody publishes
    "a path above": (lambda path: pack(path, [("../1.jpg", b"1")]), "a path outside of it"),
    "an absolute path": (lambda path: pack(path, [("/tmp/1.jpg", b"1")]), "a path outside of it"),
    "a drive": (lambda path: pack(path, [("C:\\1.jpg", b"1")]), "a path outside of it"),
    "a path through above": (lambda path: pack(path, [("car_ims/../../1.jpg", b"1")]), "a path outside of it"),
    "a link": (lambda path: pack(path, [("car_ims/1.jpg", tarfile.SYMTYPE)]), "a link or a device"),
    "a device": (lambda path: pack(path, [("car_ims/1.jpg", tarfile.CHRTYPE)]), "a link or a device"),
    "a pipe": (lambda path: pack(path, [("car_ims/1.jpg", tarfile.FIFOTYPE)]), "a link or a device"),
    "a file twice": (
        lambda path: pack(path, [("names.csv", b"one"), ("a/names.csv", b"two")]),
        "holds names.csv twice",
    ),
    "photos alone": (lambda path: pack(path, [("car_ims/1.jpg", b"1")]), "cars_annos.mat is missing"),
    "lists that are empty": (
        lambda path: pack(path, [("names.csv", b""), ("anno_train.csv", b""), ("anno_test.csv", b"")]),
        "0 images, expected 8",
    ),
}


@pytest.fixture
def give(work):
    """A function that returns what copies an original, packed or extracted, and then spoils a file of it."""

    def copied(original: str, name: str = "", then: Callable[[Path], object] = lambda path: None):
        def copy(path: Path) -> None:
            source = work / "originals" / original
            if source.is_dir():
                shutil.copytree(source, path)
            else:
                path.mkdir()
                shutil.copy(source, path)
            then(path / name)

        return copy

    return copied


WHOLE = {
    "cub200": (CUB, "write_cub"),
    "cars196": (KAGGLE, "write_kaggle_cars", "write_original_cars"),
    "sop": (SOP, "write_sop"),
}


@pytest.mark.parametrize(("dataset", "original"), [(name, each) for name in WHOLE for each in WHOLE[name]])
def test_what_is_whole_is_taken(small, give, dataset, original):
    with small.spoilt(f"data/sources/{dataset}", give(original)), small.spoilt(f"data/raw/{dataset}", remove):
        assert small.run("raw", dataset) == (0, "")


def refused(refuses, dataset: str, words: str, how) -> None:
    """The command that takes a dataset refuses it."""
    refuses(f"raw {dataset}", words, (f"data/sources/{dataset}", how), valid=False)


@pytest.mark.parametrize(("how", "words"), list(ANY.values()), ids=ANY)
@pytest.mark.parametrize("dataset", WHOLE)
def test_an_archive(refuses, give, dataset, how, words):
    refused(refuses, dataset, words, give(WHOLE[dataset][0], WHOLE[dataset][0], how))


@pytest.mark.parametrize(("how", "words"), list(UNSAFE.values()), ids=UNSAFE)
def test_an_archive_that_is_unsafe(refuses, give, how, words):
    refused(refuses, "cars196", words, give(KAGGLE, KAGGLE, how))


LISTS = {
    "empty": (content(""), ""),
    "garbage": (content(bytes(range(256))), ""),
    "cut": (cut, ""),
    "gone": (remove, "is missing"),
    "a folder": (folder, "is missing|not as published"),
    "letters": (lambda path: path.write_text(path.read_text().replace("1", "x")), ""),
    "a row less": (lambda path: path.write_text(path.read_text().rpartition("\n")[0].rpartition("\n")[0] + "\n"), ""),
    "a row twice": (lambda path: path.write_text(2 * path.read_text()), ""),
    "huge numbers": (lambda path: path.write_text(path.read_text().replace("1", 30 * "9")), ""),
    "negative numbers": (lambda path: path.write_text(path.read_text().replace("1", "-1")), ""),
    "other separators": (lambda path: path.write_text(path.read_text().replace(" ", ";").replace(",", ";")), ""),
    "UTF-16": (lambda path: path.write_text(path.read_text(), encoding="utf-16"), ""),
    "paths above": (lambda path: path.write_text(path.read_text().replace("0", "../")), ""),
}
OF = [
    ("cub200", "write_cub", f"{BIRDS}/images.txt"),
    ("cub200", "write_cub", f"{BIRDS}/image_class_labels.txt"),
    ("cars196", "write_kaggle_cars", "anno_train.csv"),
    ("cars196", "write_kaggle_cars", "names.csv"),
    ("sop", "write_sop", f"{GOODS}/Ebay_train.txt"),
    ("sop", "write_sop", f"{GOODS}/Ebay_test.txt"),
]
HARMLESS = {("paths above", "image_class_labels.txt"), ("paths above", "names.csv"), ("a row twice", "names.csv")}
SPOILT = [(*of, what) for of in OF for what in LISTS if (what, Path(of[-1]).name) not in HARMLESS]


@pytest.mark.parametrize(("dataset", "original", "name", "what"), SPOILT)
def test_a_list(refuses, give, dataset, original, name, what):
    how, words = LISTS[what]
    refused(refuses, dataset, f"data/sources/{dataset}.*{words}", give(original, name, how))


ANNOTATIONS = {
    "empty": (content(""), "md5"),
    "text": (content("x" * 300), "md5"),
    "cut": (cut, "md5"),
    "a folder": (folder, "cars_annos.mat"),
    "gone": (remove, "cars_annos.mat is missing"),
    "other labels": (lambda path: write_original_cars(path.parent, (1, 1, 2, 2, 3, 3, 4, 9)), "md5"),
}


@pytest.mark.parametrize(("how", "words"), list(ANNOTATIONS.values()), ids=ANNOTATIONS)
def test_annotations_of_cars(refuses, give, how, words):
    refused(refuses, "cars196", words, give("write_original_cars", "cars_annos.mat", how))


@pytest.mark.parametrize(
    "how",
    [content(""), content("x" * 300), content(b"MATLAB 5.0 MAT-file" + b"\0" * 200), cut, remove, folder],
    ids=["empty", "text", "a head alone", "cut", "gone", "a folder"],
)
def test_annotations_of_cars_when_they_are_prepared(refuses, small, give, how):
    with small.spoilt("data/raw/cars196", give("write_original_cars", "cars_annos.mat", how)):
        refuses("prepare cars196", "data/raw/cars196: .*(not as published|is missing)", valid=False)


PHOTOS = [
    ("cub200", "write_cub", f"{BIRDS}/images/002.Auklet/Auklet_1_791.jpg"),
    ("cars196", "write_kaggle_cars", "car_data/car_data/test/Acura RL Sedan 2012/00002.jpg"),
    ("cars196", "write_original_cars", "car_ims/000003.jpg"),
    ("sop", "write_sop", f"{GOODS}/table_final/113_0.JPG"),
]


@pytest.mark.parametrize("how", [remove, folder])
@pytest.mark.parametrize(("dataset", "original", "name"), PHOTOS)
def test_a_photo_that_is_listed_and_not_there(refuses, give, dataset, original, name, how):
    refused(refuses, dataset, "listed, but missing", give(original, name, how))


def test_a_mask_that_is_not_there(refuses, work, give):
    def with_masks(path: Path) -> None:
        shutil.copytree(work / "originals/write_masks", path, dirs_exist_ok=True)
        (path / "segmentations/002.Auklet/Auklet_1_791.png").unlink()

    refused(
        refuses, "cub200", "segmentations/002.Auklet/Auklet_1_791.png listed, but missing", give(CUB, "", with_masks)
    )


@pytest.mark.parametrize("dataset", ["grocery"])
@pytest.mark.parametrize(
    "how",
    [
        lambda path: path.mkdir(),
        lambda path: (path.mkdir(), (path / "classes.csv").write_text("a\n")),
        lambda path: (path.mkdir(), (path / "train").mkdir(), (path / "train/1.jpg").write_text("a\n")),
    ],
    ids=["an empty folder", "a list alone", "a photo alone"],
)
def test_grocery(refuses, dataset, how):
    refused(refuses, dataset, "data/sources/grocery", how)


CLASSES = "Class Name (str),Class ID (int)\napple,0\npear,1\n"
GROCERY = {
    "nothing": ({}, "classes.csv: no such file"),
    "an empty list of classes": ({"classes.csv": ""}, "classes.csv: does not read"),
    "no rows of classes": ({"classes.csv": CLASSES[:32]}, "classes.csv: has no rows"),
    "other columns": ({"classes.csv": "a,b\n1,2\n"}, "classes.csv: has no column"),
    "no photos": ({"classes.csv": CLASSES}, "train.txt: no such file"),
    "letters": ({"classes.csv": CLASSES, "train.txt": "train/1.jpg, x, 0\n"}, "train.txt: does not read"),
    "one column": ({"classes.csv": CLASSES, "train.txt": "train/1.jpg\n"}, "train.txt"),
    "nothing listed": ({"classes.csv": CLASSES, "train.txt": ""}, "train.txt: has no rows"),
    "an unknown class": (
        {"classes.csv": CLASSES, **dict.fromkeys(("train.txt", "val.txt", "test.txt"), "a, 7, 0\n")},
        "raw/grocery",
    ),
    "missing photos": (
        {"classes.csv": CLASSES, **dict.fromkeys(("train.txt", "val.txt", "test.txt"), "a, 1, 0\n")},
        "raw/grocery",
    ),
}


@pytest.mark.parametrize(("contents", "words"), list(GROCERY.values()), ids=GROCERY)
def test_lists_of_grocery_when_they_are_prepared(refuses, contents, words):
    def write(path: Path) -> None:
        path.mkdir(parents=True)
        for name, text in contents.items():
            (path / name).write_text(text)

    refuses("prepare grocery", words, ("data/raw/grocery", write), valid=False)


@pytest.mark.parametrize("how", [lambda path: path.mkdir(), content("a picture")], ids=["empty", "a file"])
def test_backgrounds_of_unsplash(refuses, how):
    spoil = edited("  demo:\n    source: rendered", "  demo:\n    source: unsplash")
    refuses("backgrounds demo", "unsplash", ("params.yaml", spoil), ("data/sources/unsplash_backgrounds", how))
