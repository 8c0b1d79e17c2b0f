"""What the study's datasets have in common: published facts, downloads, refusals of what is not as published."""

from pathlib import Path

import pytest
from study_originals import fetched, give, uri

from bgbias.datasets import cars196, cub200, sop


def test_the_published_facts():
    assert tuple(cars196.COUNTS) == (16_185, 196, 74, 98, 8_131)  # images, classes, val from, test from, test images
    assert tuple(cub200.COUNTS) == (11_788, 200, 75, 100, 5_924)
    assert tuple(sop.COUNTS) == (120_053, 22_634, 8_489, 11_318, 60_502)
    assert sop.COUNTS.classes - sop.COUNTS.test_from == 11_316
    assert cars196.ORIGINAL.md5 == "d5c8f0aa497503f355e17dc7886c3f14"
    assert cars196.ANNOTATIONS_MD5 == "b407c6086d669747186bd1d764ff9dbc"
    assert cub200.PHOTOS.md5 == "97eceeb196236b17998738112f37df78"
    assert cub200.PHOTOS.url == "https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz"
    assert sop.PHOTOS.md5 == "7f73d41a2f44250d4779881525aea32e"
    assert "jutrera/stanford-car-dataset-by-classes-folder" in cars196.KAGGLE.page


@pytest.mark.parametrize(("module", "archive"), [(cub200, "PHOTOS"), (sop, "PHOTOS"), (cars196, "KAGGLE")])
def test_what_nobody_has_given_is_downloaded_and_the_archive_removed(work, monkeypatch, module, archive):
    facts = getattr(module, archive)
    monkeypatch.setattr(module, archive, facts._replace(url=uri(facts.file)))
    assert len(module.image_table(fetched(module))) == 8
    assert list(Path(".checkpoints/downloads").iterdir()) == []


@pytest.mark.parametrize(
    ("module", "dataset", "page"),
    [
        (cub200, "cub200", "data.caltech.edu/records/65de6-vp158"),
        (sop, "sop", "github.com/rksltnl/Deep-Metric-Learning-CVPR16"),
        (cars196, "cars196", "www.kaggle.com/datasets/jutrera/stanford-car-dataset-by-classes-folder"),
    ],
)
def test_without_a_network_the_error_says_where_people_get_the_file(work, module, dataset, page):
    with pytest.raises(ConnectionError, match=f"or put what https://{page} offers into data/sources/{dataset}"):
        fetched(module)
    assert not Path("data/raw/out").exists()


CUB, SOP, ORIGINAL, KAGGLE = (
    ("cub200", "write_cub/CUB_200_2011"),
    ("sop", "write_sop/Stanford_Online_Products"),
    ("cars196", "write_original_cars"),
    ("cars196", "write_kaggle_cars"),
)
BIRD = "images/002.Auklet/Auklet_1_791.jpg"
CAR = "car_data/car_data/train/Acura RL Sedan 2012/00002.jpg"
LABELS, TEST = "image_class_labels.txt", "Ebay_test.txt"
BROKEN = [  # what is given, in which file what is replaced (None: the file is missing), the message
    (CUB, BIRD, None, f"{BIRD} listed, but missing"),
    (SOP, "bicycle_final/110_0.JPG", None, "bicycle_final/110_0.JPG listed, but missing"),
    (ORIGINAL, "car_ims/000003.jpg", None, "car_ims/000003.jpg listed, but missing"),
    (KAGGLE, CAR, None, f"{CAR} listed, but missing"),
    (CUB, "images.txt", None, "images.txt is missing"),
    (CUB, LABELS, None, "image_class_labels.txt is missing"),
    (SOP, TEST, None, "Ebay_test.txt is missing"),
    (ORIGINAL, "cars_annos.mat", None, "cars_annos.mat is missing"),
    (KAGGLE, "names.csv", None, "names.csv is missing"),
    (KAGGLE, "anno_test.csv", None, "anno_test.csv is missing"),
    (CUB, LABELS, ("8 4\n", ""), "7 images, expected 8"),
    (CUB, LABELS, ("3 2\n4 2\n", "3 1\n4 1\n"), "3 classes, expected 4"),
    (CUB, LABELS, ("1 1\n2 1\n", "1 0\n2 0\n"), "-1 as the smallest class id, expected 0"),
    (CUB, LABELS, ("7 4\n8 4\n", "7 5\n8 5\n"), "4 as the largest class id, expected 3"),
    (CUB, LABELS, ("6 3\n", "6 4\n"), "3 test images, expected 2"),
    (CUB, LABELS, ("8 4", "8 Cardinal"), "its lists are not as published .*Cardinal"),
    (CUB, LABELS, ("8 4", "7 4"), "its lists are not as published"),
    (KAGGLE, "anno_test.csv", ("375,4", "375,5"), "its lists are not as published"),
    (SOP, TEST, ("class_id path", "class_id file"), "its lists are not as published"),
    (SOP, TEST, (" table_final/113_0.JPG", ""), "its lists are not as published"),
    (SOP, TEST, ("7 4 2", "7 3 2"), "class ids up to 3 belong in Ebay_train.txt"),
]


@pytest.mark.parametrize(("given", "file", "change", "message"), BROKEN, ids=[row[-1] for row in BROKEN])
def test_an_incomplete_or_changed_folder_is_refused_and_leaves_nothing(work, given, file, change, message):
    dataset = given[0]
    path = give(*given) / file
    if change:
        assert change[0] in path.read_text()
        path.write_text(path.read_text().replace(*change))
    else:
        path.unlink()
    module = {"cub200": cub200, "sop": sop, "cars196": cars196}[dataset]
    mend = f"replace data/sources/{dataset} by what https://.* offers, or remove it$"
    with pytest.raises(
        (ValueError, FileNotFoundError), match=f"^data/sources/{dataset}: .*{message}.*: {mend}"
    ) as error:
        fetched(module)
    assert "\n" not in str(error.value) and not list(Path("data").glob("raw/*"))


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (cub200, ["CUB_200_2011.tgz"]),
        (cub200, ["segmentations.tgz", "write_cub"]),
        (sop, ["Stanford_Online_Products.zip"]),
        (cars196, ["car_ims.tgz", "cars_annos.mat"]),
        (cars196, ["cars_annos.mat", "car_ims.tgz"]),
        (cars196, ["cars_annos.mat", "cars"]),
        (cars196, ["cars_annos.mat > cars/cars_annos.mat", "cars > cars"]),
    ],
)
def test_a_changed_file_is_refused_by_its_checksum(work, module, given):
    file = give(module.__name__.rpartition(".")[2], *reversed(given)) / given[0].rpartition(" > ")[2]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"^{file}: md5 [0-9a-f]*, expected [0-9a-f]*: replace {file} by"):
        fetched(module)
    assert not list(Path("data").glob("raw/*"))
