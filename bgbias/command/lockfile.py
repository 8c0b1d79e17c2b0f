"""Whether what a stage reads was made by one network, as far as dvc.lock tells; no output names its network."""

import hashlib
import json
from pathlib import Path

from ruamel.yaml import YAML

from bgbias.errors import InputError, as_input_error

MADE_BY = {"embed": "embeddings", "attention": "attention"}  # stage -> folder of data that it writes


def refuse_two_networks(dataset: str, regime: str, seed: int) -> None:
    """Raise an InputError if embeddings and attention scores of a network are of two.

    What is as its stage has left it is of the network that dvc.lock names beside it. Anything else was made by hand,
    and is taken to be of the network that is there. Nothing is refused where there is no dvc.lock, or no network. Where
    both are of one network, and another is there now, such as one that was trained by hand since, that is said.

    Args:
        dataset: its name.
        regime: likewise.
        seed: of the training.
    """
    lock = Path("dvc.lock")
    if not lock.is_file():
        return
    with as_input_error(f"{lock}: does not read: restore it with `git restore`"):
        stages = YAML(typ="safe").load(lock)["stages"]
        cell, by_lock = f"{dataset}/{regime}/{seed}", {}
        for stage, part in MADE_BY.items():
            its, folder = stages.get(f"{stage}@{cell.replace('/', '-')}", {}), f"data/{part}/{cell}"
            left, read = ({one["path"]: one["md5"] for one in its.get(kind, ())} for kind in ("outs", "deps"))
            by_lock[folder] = left.get(folder), read.get(f"models/{cell}")
    found = {
        folder: network if left == md5_of_folder(Path(folder)) else None for folder, (left, network) in by_lock.items()
    }
    now = md5_of_folder(Path(f"models/{cell}")) if Path(f"models/{cell}").is_dir() else None
    found = {folder: network or now for folder, network in found.items()}
    first, second = found.values()
    if first and second and first != second:
        raise InputError(f"{' and '.join(found)}: are of two networks, by {lock}: run both stages again")
    if now and first and first != now:
        mend = f"`python -m stages.embed {cell.replace('/', ' ')}` and stages.attention measure that"
        print(f"{' and '.join(found)}: are of another network than models/{cell} is now, by {lock}: {mend}")


def md5_of_folder(folder: Path) -> str:
    """The MD5 of a folder as DVC has it: of a list of its files, with the MD5 of each."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    listed = [{"md5": _md5((folder / path).read_bytes()), "relpath": path} for path in files]
    return f"{_md5(json.dumps(listed, sort_keys=True).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()
