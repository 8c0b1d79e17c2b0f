"""Photos with masks drawn by hand, and with automatic ones: which files of a folder belong together."""

from pathlib import Path
from typing import NamedTuple

from bgbias.errors import InputError

SUFFIXES = {"photo": "_image.*", "hand mask": "_mask.png", "automatic mask": "_mask_pred.png"}


class Labelled(NamedTuple):
    """A photo with its masks: NAME_image.*, NAME_mask.png and NAME_mask_pred.png."""

    name: str
    photo: Path
    hand: Path
    given: Path  # need not exist for methods other than "given"


def find(folder: Path, method: str) -> list[Labelled]:
    """List the photos of a folder with their masks, sorted by name. Other files, and hidden ones, are passed over.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: nothing is in it, a name has two photos, or one of its files is missing.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: name one with NAME_image.* and NAME_mask.png in it")
    kinds = ["photo", "hand mask", *(["automatic mask"] if method == "given" else [])]
    paths = {kind: _by_name(folder, SUFFIXES[kind]) for kind in kinds}
    names = sorted(set().union(*paths.values()))
    if not names:
        raise InputError(f"{folder}: no NAME_image.* with NAME_mask.png in it: name photos and hand masks so")
    for kind in kinds:
        missing = [f"{name}{SUFFIXES[kind]}" for name in names if name not in paths[kind]]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            mend = "add what is missing, or remove the other files of the same name"
            mend += ", or choose another method" if kind == "automatic mask" else ""
            raise InputError(f"{folder}: {kind} missing: {', '.join(missing[:3])}{more}: {mend}")
    photos, hands = paths["photo"], paths["hand mask"]
    return [Labelled(name, photos[name], hands[name], folder / f"{name}{SUFFIXES['automatic mask']}") for name in names]


def _by_name(folder: Path, suffix: str) -> dict[str, Path]:
    paths = {}
    for path in sorted(folder.glob(f"[!.]*{suffix}")):
        name, _, ending = path.name.rpartition(suffix.removesuffix(".*"))
        if ending.count(".") > 1:  # such as NAME_image.jpeg.txt
            continue
        if name in paths:
            raise InputError(f"{path}: {paths[name].name} is a photo of the same name: remove one of them")
        paths[name] = path
    return paths
