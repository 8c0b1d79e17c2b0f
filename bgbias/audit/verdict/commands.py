"""Commands of an audit's advice, for its reader's own paths, quoted for the shell."""

import shlex
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

FLAGS = ("one_each", "quick")  # options without a value
OF_MASKS = {"mask_method": "method", "rembg_model": "rembg_model"}  # option -> setting of the pipeline
Step = dict[str, str | list[str]]  # said: a sentence or two; commands: to be run one after the other
OWN, RAW = "data/sources/own", "data/raw/own"  # where the pipeline looks for the user's photos, and has its copies


def again(asked: Mapping[str, str], **changed: str | None) -> str:
    """Return the command of the audit with some options changed; those that are None are left out."""
    return command("audit", {name: value for name, value in {**asked, **changed}.items() if value is not None})


def command(stage: str, options: Mapping[str, str]) -> str:
    """Return the command of a stage with these options.

    >>> command("audit", {"photos": "my photos", "one_each": "True"})
    "python -m stages.audit --photos 'my photos' --one-each"
    """
    words = [(f"--{name.replace('_', '-')}", *([] if name in FLAGS else [value])) for name, value in options.items()]
    return shlex.join(["python", "-m", f"stages.{stage}", *chain(*words)])


def copied(photos: str) -> list[str]:
    """Return what gives the pipeline these photos, and no older ones: DVC does not look whether copies are of them."""
    here, linked, copies = (Path(folder).resolve() for folder in (photos, OWN, RAW))
    if here == copies:
        return []
    there = Path(OWN)  # others', which `ln` would not replace
    away = f"rm {OWN} && " if there.is_symlink() else f"mv {OWN} {OWN}_before && " if there.exists() else ""
    link = f'mkdir -p data/sources && {away}ln -sn "$(realpath {shlex.quote(photos)})" {OWN}'
    return [
        *([] if here == linked else [link]),
        *(["dvc exp run -f -S 'datasets=[own]' raw@own"] if copies.exists() else []),
    ]


def run(asked: Mapping[str, str], more: Mapping[str, str] | None = None) -> str:
    """Return the command that runs the pipeline on the audited photos, with masks by the same method; more: changes."""
    changes = {"datasets": f"[{asked.get('dataset', 'own')}]"}
    if "photos" in asked:
        changes |= {f"masks.own.{to}": asked[name] for name, to in OF_MASKS.items() if name in asked}
    changes |= more or {}
    return shlex.join(["dvc", "exp", "run", *(word for name in changes for word in ("-S", f"{name}={changes[name]}"))])
