"""Cars196: 16,185 photos of 196 car models (Krause et al., 2013), in either of the two layouts that are around.

Split by model: the first 98 are train and val, the last 98 test. The original host is gone. Kaggle serves the
photos in folders by class; who still has the original may use car_ims.tgz with cars_annos.mat.
"""

import shutil
from pathlib import Path

import pandas as pd
from scipy.io import loadmat

from bgbias import files
from bgbias.config.data import Fetched
from bgbias.datasets import downloads, published
from bgbias.errors import InputError

COUNTS = published.Counts(images=16_185, classes=196, val_from=74, test_from=98, test_images=8_131)
KAGGLE = published.Archive(
    file="stanford-car-dataset-by-classes-folder.zip",
    url="https://www.kaggle.com/api/v1/datasets/download/jutrera/stanford-car-dataset-by-classes-folder",
    page="https://www.kaggle.com/datasets/jutrera/stanford-car-dataset-by-classes-folder",
    md5="",  # none is published: the zip's own checksums and the counts have to do
    size_bytes=None,
    wanted=r"(?:[^/]+/)?(names\.csv|anno_train\.csv|anno_test\.csv|cars_annos\.mat|car_ims/[^/.][^/]*\.(?i:jpg)"
    r"|car_data/car_data/(?:train|test)/[^/]+/[^/.][^/]*\.(?i:jpg))",
)
ORIGINAL = KAGGLE._replace(file="car_ims.tgz", md5="d5c8f0aa497503f355e17dc7886c3f14")
ANNOTATIONS, ANNOTATIONS_MD5 = "cars_annos.mat", "b407c6086d669747186bd1d764ff9dbc"


def fetch(out: Path, options: Fetched) -> None:
    """Take the photos from data/sources/cars196, packed or extracted, in either layout; else from Kaggle.

    Raises:
        FileNotFoundError, ConnectionError, ValueError: see `published.take` and `published.checked`.
    """
    folder, archive = published.local("cars196"), _given()
    for annotations in (folder / ANNOTATIONS, *sorted(folder.glob(f"*/{ANNOTATIONS}"))):
        if annotations.is_file():
            mend = f"replace {annotations} by the original, or {folder} by what {KAGGLE.page} offers"
            downloads.verify(annotations, ANNOTATIONS_MD5, None, mend)
    with files.whole_folder(out) as partial:
        origin = published.take("cars196", archive, partial)
        if archive == ORIGINAL and (folder / ANNOTATIONS).is_file():
            shutil.copyfile(folder / ANNOTATIONS, partial / ANNOTATIONS)
        if archive == ORIGINAL and not (partial / ANNOTATIONS).is_file():
            origin = origin[0], f"put {ANNOTATIONS} beside it, or {origin[1]}"
        published.checked(_listed, COUNTS, partial, *origin)
    published.downloaded(KAGGLE).unlink(missing_ok=True)


def _given() -> published.Archive:
    """The archive in data/sources/cars196; browsers save Kaggle's under the name archive.zip."""
    folder = published.local("cars196")
    if (folder / ORIGINAL.file).is_file():
        return ORIGINAL
    zips = sorted(path.name for path in folder.glob("*.zip"))
    if len(zips) > 1:
        raise InputError(f"{folder}: {' and '.join(zips)}: keep the one that holds names.csv and car_data")
    return KAGGLE._replace(file=zips[0]) if zips else KAGGLE


def image_table(raw: Path) -> pd.DataFrame:
    """List the photos: columns path, class_id (from 0), class_name, split.

    Raises:
        FileNotFoundError, ValueError: see `published.checked`.
    """
    return published.checked(_listed, COUNTS, raw)


def _listed(raw: Path) -> pd.DataFrame:
    is_original = (raw / ANNOTATIONS).is_file() or (raw / "car_ims").is_dir()
    photos, names = _original(raw) if is_original else _kaggle(raw)
    class_id = photos.label.astype(int) - 1
    return pd.DataFrame({"path": photos.path, "class_id": class_id, "class_name": [names[i] for i in class_id]})


def _original(raw: Path) -> tuple[pd.DataFrame, list[str]]:
    with (raw / ANNOTATIONS).open("rb") as file:
        content = loadmat(file, squeeze_me=True)
    annotations = content["annotations"]
    photos = pd.DataFrame({"path": annotations["relative_im_path"], "label": annotations["class"]})
    return photos, list(content["class_names"])


def _kaggle(raw: Path) -> tuple[pd.DataFrame, list[str]]:
    names = (raw / "names.csv").read_text(encoding="utf-8").splitlines()
    columns = ["file", "x1", "y1", "x2", "y2", "label"]
    lists = []
    for part in ("train", "test"):  # of photos of the same classes: not the split here
        photos = pd.read_csv(raw / f"anno_{part}.csv", names=columns, dtype={"label": int})
        folders = [names[label - 1].replace("/", "-") for label in photos.label]
        photos["path"] = f"car_data/car_data/{part}/" + pd.Series(folders, dtype=str) + "/" + photos.file
        lists.append(photos)
    return pd.concat(lists, ignore_index=True), names
