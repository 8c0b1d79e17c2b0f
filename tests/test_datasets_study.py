"""The study's datasets, on a few stand-in files laid out exactly like the originals."""

import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bgbias import files
from bgbias.config.params import Fetched
from bgbias.datasets import cars196, cub200, sop
from bgbias.photos.table import check_table

SPECIES = ["001.Albatross", "002.Auklet", "003.Bunting", "004.Cardinal"]
MODELS = ["AM General Hummer SUV 2000", "Acura RL Sedan 2012", "Ram C/V Cargo Van Minivan 2012", "BMW M3 Coupe 2012"]
FOUR = {"classes": 4, "val_from": 2, "test_from": 3}  # the stand-ins' classes; each has two photos
SPLITS = ["train"] * 4 + ["val"] * 2 + ["test"] * 2


def write(folder: Path, contents: dict[str, str]) -> Path:
    """Write files; a photo's content is its path, so that no two are alike."""
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content or path)
    return folder


def pack(folder: Path, archive: Path) -> str:
    """Pack a folder's content; returns the md5."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                packed.write(file, file.relative_to(folder))
    else:
        with tarfile.open(archive, "w:gz") as packed:
            for path in sorted(folder.iterdir()):
                packed.add(path, path.name)
    return hashlib.md5(archive.read_bytes()).hexdigest()


def write_cub(folder: Path) -> Path:
    """CUB_200_2011.tgz: a folder, and beside it attributes.txt, which nobody needs."""
    paths = [f"{name}/{name[4:]}_{photo}_79{photo}.jpg" for name in SPECIES for photo in (1, 2)]
    lists = {
        "images.txt": "".join(f"{number} {path}\n" for number, path in enumerate(paths, 1)),
        "image_class_labels.txt": "".join(f"{number + 1} {number // 2 + 1}\n" for number in range(8)),
        "classes.txt": "".join(f"{number} {name}\n" for number, name in enumerate(SPECIES, 1)),
        "parts/parts.txt": "1 back\n",
        "images/.DS_Store": "",
        "images/001.Albatross/._Albatross_1_791.jpg": "",
    }
    photos = {f"images/{path}": "" for path in paths}
    write(folder, {"attributes.txt": "1 has_bill_shape::curved\n"})
    return write(folder, {f"CUB_200_2011/{path}": content for path, content in {**lists, **photos}.items()})


def write_masks(folder: Path) -> Path:
    return write(
        folder,
        {f"segmentations/{name}/{name[4:]}_{photo}_79{photo}.png": "" for name in SPECIES for photo in (1, 2)},
    )


def write_sop(folder: Path) -> Path:
    """Stanford_Online_Products.zip, class ids from 1."""
    kinds = ["bicycle", "bicycle", "coffee_maker", "table"]
    rows = [
        f"{2 * number + photo + 1} {number + 1} {number // 2 + 1} {kind}_final/11{number}_{photo}.JPG\n"
        for number, kind in enumerate(kinds)
        for photo in (0, 1)
    ]
    head = "image_id class_id super_class_id path\n"
    lists = {"train": rows[:6], "test": rows[6:], "info": rows}
    contents = {f"Ebay_{name}.txt": head + "".join(lines) for name, lines in lists.items()}
    contents |= {row.split()[3]: "" for row in rows}
    return write(folder, {f"Stanford_Online_Products/{path}": content for path, content in contents.items()})


def write_original_cars(folder: Path, labels: tuple[int, ...] = (1, 1, 2, 2, 3, 3, 4, 4)) -> Path:
    """car_ims and cars_annos.mat, with a structure array and a cell array as MATLAB writes them."""
    fields = ["relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"]
    annotations = np.empty((1, len(labels)), dtype=[(field, object) for field in fields])
    for number, label in enumerate(labels):
        annotations[0, number] = (f"car_ims/{number + 1:06d}.jpg", 30, 52, 246, 147, label, 0)
    names = np.empty((1, 4), dtype=object)
    names[0] = MODELS
    write(folder, {f"car_ims/{number:06d}.jpg": "" for number in range(1, len(labels) + 1)})
    savemat(folder / "cars_annos.mat", {"annotations": annotations, "class_names": names})
    return folder


def write_kaggle_cars(folder: Path) -> Path:
    """Photos of the same file name lie in different folders."""
    contents = {"names.csv": "".join(f"{name}\n" for name in MODELS)}
    for part in ("train", "test"):
        rows = [f"{number:05d}.jpg,39,116,569,375,{number}\n" for number in range(1, 5)]
        contents[f"anno_{part}.csv"] = "".join(rows)
        for number, name in enumerate(MODELS, 1):
            contents[f"car_data/car_data/{part}/{name.replace('/', '-')}/{number:05d}.jpg"] = ""
    return write(folder, contents)


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Stand-ins, packed and extracted, below originals/; the published facts replaced by theirs; no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    originals = tmp_path / "originals"
    writers = (write_cub, write_masks, write_sop, write_original_cars, write_kaggle_cars)
    for writer in writers:
        writer(originals / writer.__name__)
    (originals / "cars_annos.mat").write_bytes((originals / "write_original_cars/cars_annos.mat").read_bytes())
    shutil.copytree(originals / "write_original_cars/car_ims", originals / "cars/car_ims")
    for module, name, packed in (
        (cub200, "PHOTOS", "write_cub"),
        (cub200, "MASKS", "write_masks"),
        (sop, "PHOTOS", "write_sop"),
        (cars196, "ORIGINAL", "cars"),
        (cars196, "KAGGLE", "write_kaggle_cars"),
    ):
        archive = getattr(module, name)
        md5 = pack(originals / packed, originals / archive.file)
        facts = {"url": "file:///nowhere", "md5": archive.md5 and md5, "size_bytes": None}
        monkeypatch.setattr(module, name, archive._replace(**facts))
        monkeypatch.setattr(module, "COUNTS", module.COUNTS._replace(**FOUR, images=8, test_images=2))
    annotations = hashlib.md5((originals / "cars_annos.mat").read_bytes()).hexdigest()
    monkeypatch.setattr(cars196, "ANNOTATIONS_MD5", annotations)
    return tmp_path


def give(dataset: str, *originals: str) -> Path:
    """Copy stand-ins to data/sources, a folder's content or an archive; "a > b" gives it another name."""
    folder = Path("data/sources", dataset)
    folder.mkdir(parents=True, exist_ok=True)
    for original in originals:
        source, _, name = original.partition(" > ")
        source = Path("originals", source)
        if source.is_dir():
            shutil.copytree(source, folder / name, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, folder / (name or source.name))
    return folder


def uri(original: str) -> str:
    return Path("originals", original).absolute().as_uri()


def fetched(module) -> Path:
    out = Path("data/raw/out")
    module.fetch(out, Fetched())
    return out


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


@pytest.mark.parametrize(
    "given",
    [
        ["CUB_200_2011.tgz"],
        ["write_cub"],  # as tar leaves it: a folder CUB_200_2011
        ["write_cub/CUB_200_2011"],  # its content
    ],
)
def test_cub200(work, given):
    give("cub200", *given)
    raw = fetched(cub200)
    table = cub200.image_table(raw)
    assert list(table.columns) == ["path", "class_id", "class_name", "split"]
    assert table.path[2] == "images/002.Auklet/Auklet_1_791.jpg"
    assert (raw / table.path[2]).read_text() == f"CUB_200_2011/{table.path[2]}"
    assert table.class_id.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table.split.tolist() == SPLITS
    assert table.class_name.tolist() == [name for name in SPECIES for _ in range(2)]
    assert sorted(path.name for path in raw.iterdir()) == ["image_class_labels.txt", "images", "images.txt"]
    assert len(list(raw.rglob("*.jpg"))) == 8  # and no ._ file of a Mac
    assert not check_table(table, raw).mask_path.any()


@pytest.mark.parametrize(
    "given",
    [
        ["CUB_200_2011.tgz", "segmentations.tgz"],
        ["CUB_200_2011.tgz", "write_masks"],
        ["write_cub", "segmentations.tgz"],
        ["write_cub", "write_masks > CUB_200_2011"],
        ["write_cub/CUB_200_2011", "write_masks"],
    ],
)
def test_cub200_with_the_official_masks(work, given):
    give("cub200", *given)
    raw = fetched(cub200)
    table = check_table(cub200.image_table(raw), raw)
    assert table.mask_path[2] == "segmentations/002.Auklet/Auklet_1_791.png"
    assert [(raw / path).read_text() for path in table.mask_path] == table.mask_path.tolist()


def test_given_masks_go_with_downloaded_photos(work, monkeypatch):
    monkeypatch.setattr(cub200, "PHOTOS", cub200.PHOTOS._replace(url=uri("CUB_200_2011.tgz")))
    folder = give("cub200", "write_masks")
    mask = folder / "segmentations/002.Auklet/Auklet_1_791.png"
    mask.rename("lost")
    missing = "data/sources/cub200: segmentations/002.Auklet/Auklet_1_791.png listed, but missing: replace"
    with pytest.raises(FileNotFoundError, match=missing):
        fetched(cub200)
    monkeypatch.setattr(cub200, "PHOTOS", cub200.PHOTOS._replace(url="file:///nowhere"))
    Path("lost").rename(mask)
    raw = fetched(cub200)  # the archive was kept, and is dropped now
    assert cub200.image_table(raw).mask_path.notna().all() and not list(Path(".checkpoints/downloads").iterdir())


@pytest.mark.parametrize(
    "given",
    [["Stanford_Online_Products.zip"], ["write_sop"], ["write_sop/Stanford_Online_Products"]],
)
def test_sop(work, given):
    give("sop", *given)
    raw = fetched(sop)
    table = sop.image_table(raw)
    assert table.path[4] == "coffee_maker_final/112_0.JPG"
    assert (raw / table.path[4]).read_text() == f"Stanford_Online_Products/{table.path[4]}"
    assert table.class_id.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table.split.tolist() == SPLITS
    assert table.class_name.unique().tolist() == ["bicycle 1", "bicycle 2", "coffee_maker 3", "table 4"]
    assert check_table(table, raw).image_id.tolist() == list(range(8))


@pytest.mark.parametrize(
    "given",
    [["car_ims.tgz", "cars_annos.mat"], ["write_original_cars"], ["write_original_cars > cars"]],
)
def test_cars196_as_originally_published(work, given):
    give("cars196", *given)
    raw = fetched(cars196)
    table = cars196.image_table(raw)
    assert table.path.tolist() == [f"car_ims/{number:06d}.jpg" for number in range(1, 9)]
    assert table.class_id.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and table.split.tolist() == SPLITS
    assert table.class_name.tolist() == [name for name in MODELS for _ in range(2)]
    check_table(table, raw)


@pytest.mark.parametrize(
    "given",
    [
        ["stanford-car-dataset-by-classes-folder.zip"],
        ["stanford-car-dataset-by-classes-folder.zip > archive.zip"],
        ["write_kaggle_cars"],
        ["write_kaggle_cars > stanford-car-dataset-by-classes-folder"],
    ],
)
def test_cars196_as_kaggle_serves_it(work, given):
    give("cars196", *given)
    raw = fetched(cars196)
    table = cars196.image_table(raw)
    assert table.class_id.tolist() == [0, 1, 2, 3] * 2 and table.class_name.tolist() == MODELS * 2
    assert table.split.tolist() == ["train", "train", "val", "test"] * 2  # not Kaggle's split by photo
    assert table.path[2] == "car_data/car_data/train/Ram C-V Cargo Van Minivan 2012/00003.jpg"
    assert [(raw / path).read_text() for path in table.path] == table.path.tolist()
    check_table(table, raw)


def test_both_layouts_of_cars196_have_the_same_photos_per_class(work):
    tables = []
    for given in (["car_ims.tgz", "cars_annos.mat"], ["write_kaggle_cars"]):
        shutil.rmtree(give("cars196"))
        give("cars196", *given)
        tables.append(cars196.image_table(fetched(cars196)))
    sizes = [table.groupby(["class_id", "class_name", "split"]).size() for table in tables]
    assert sizes[0].equals(sizes[1])


@pytest.mark.parametrize(
    ("module", "archive"),
    [(cub200, "PHOTOS"), (sop, "PHOTOS"), (cars196, "KAGGLE")],
)
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


def test_a_large_count_reads_well(work, monkeypatch):
    monkeypatch.setattr(sop, "COUNTS", sop.COUNTS._replace(images=120_053))
    give("sop", "write_sop")
    with pytest.raises(ValueError, match="8 images, expected 120,053"):
        fetched(sop)


def test_photos_lost_from_the_raw_data_are_found_again(work):
    give("sop", "write_sop")
    raw = fetched(sop)
    for photo in ("bicycle_final/110_0.JPG", "coffee_maker_final/112_1.JPG"):
        (raw / photo).unlink()
    mend = "remove data/raw/out and run `dvc repro`, which fetches it again"
    with pytest.raises(
        FileNotFoundError, match=f"data/raw/out: bicycle_.*_0.JPG and 1 more listed, but missing: {mend}"
    ):
        sop.image_table(raw)


def test_a_broken_dataset_does_not_replace_a_whole_one(work):
    give("sop", "write_sop")
    before = files.checksum(fetched(sop))
    Path("data/sources/sop/Stanford_Online_Products/Ebay_test.txt").unlink()
    with pytest.raises(FileNotFoundError, match="Ebay_test.txt is missing"):
        fetched(sop)
    assert files.checksum(Path("data/raw/out")) == before and len(list(Path("data/raw").iterdir())) == 1


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


def test_photos_without_their_annotations_are_refused(work):
    give("cars196", "car_ims.tgz")
    with pytest.raises(FileNotFoundError, match="cars196/car_ims.tgz: cars_annos.mat is missing: replace"):
        fetched(cars196)


def test_of_two_zips_the_user_has_to_choose(work):
    zipped = "stanford-car-dataset-by-classes-folder.zip"
    give("cars196", f"{zipped} > archive.zip", f"{zipped} > other.zip")
    with pytest.raises(
        ValueError, match="sources/cars196: archive.zip and other.zip: keep the one that holds names.csv"
    ):
        fetched(cars196)


def test_another_zip_is_not_taken_for_kaggle_s(work):
    give("cars196", "Stanford_Online_Products.zip")
    with pytest.raises(FileNotFoundError, match="Products.zip: holds none of the files of .*: replace"):
        fetched(cars196)
