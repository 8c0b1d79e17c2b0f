"""Photos of an audit that a model of this checkout was trained on: it knows these, as it will know no new ones."""

from collections.abc import Iterable
from pathlib import Path

from bgbias import files
from bgbias.models.embedder import Embedder
from bgbias.photos.table import read_table


def remark(embedder: Embedder, folder: Path, paths: Iterable[str], mend: bool = False) -> list[str]:
    """Say how many audited photos a model was trained on, a sentence; nothing where none, or that is not known.

    A model's folder is models/DATASET/REGIME/SEED, and its training photos are in data/raw/DATASET.

    Args:
        embedder: named by its SPEC.
        folder: of the photos.
        paths: of these, relative to it; those that are not there are passed over.
        mend: whether to say how to choose other photos, as the user of a folder can.
    """
    if not embedder.name.startswith("model:"):
        return []
    dataset = "".join(embedder.files[0].absolute().parts[-3:-2])
    raw, images = (files.root() / "data" / part for part in (f"raw/{dataset}", f"prepared/{dataset}/images.csv"))
    if not raw.is_dir() or not images.is_file():
        return []
    table, audited = read_table(images), [folder / path for path in paths if (folder / path).is_file()]
    training = [raw / path for path in table.path[table.split == "train"] if (raw / path).is_file()]
    sizes = {path.stat().st_size for path in training} & {path.stat().st_size for path in audited}
    alike = [[files.checksum(path) for path in of if path.stat().st_size in sizes] for of in (training, audited)]
    learnt = set(alike[0])
    count = sum(one in learnt for one in alike[1])
    if not count:
        return []
    choice = f": name splits in photos.csv, as that of data/raw/{dataset} does, and those of test alone are audited"
    said = f"{count:,} of the {len(audited):,} photos are among those that the model was trained on, and it finds these"
    return [f"{said} better than new ones{choice * mend}."]
