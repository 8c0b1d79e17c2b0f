"""The study's datasets: a few stand-in files laid out exactly like the originals."""

import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from bgbias.config.data import Fetched
from bgbias.datasets import cars196, cub200, sop

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
        folder, {f"segmentations/{name}/{name[4:]}_{photo}_79{photo}.png": "" for name in SPECIES for photo in (1, 2)}
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
