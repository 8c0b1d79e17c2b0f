"""What audits were made with: whether two may be held against one another, or one replaces another."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bgbias import files
from bgbias.audit.measures import queries
from bgbias.errors import InputError

MENDS = {  # what two audits must have been made with alike -> what to give both
    "photos": "the same photos, for some files of these names hold others",
    "masks": "the same --masks or --mask-method",
    "backgrounds": "the same --backgrounds",
    "seed": "the same seed in params.yaml",
    "draws": "the same evaluate.DATASET.draws in params.yaml",
}
AUDITED = ("photos", "masks")  # of which a dataset has more than are audited
EARLIER = "the mark of photos and masks by an earlier version, as in {}, is of all that a dataset has"
DRAWN = (
    "{} number their photos otherwise, and so have other draws of the backgrounds: a part of what differs on swapped "
    "photos is owed to that."
)


def read(folder: Path, mend: str = "") -> dict[str, Any]:
    """Read what an audit was made with; a ValueError, with what to do, if it does not say all of MENDS."""
    for what in MENDS:
        files.read_json(folder / "audit.json", "made_with", what, mend=mend or queries.mend(folder))
    return _of(folder, "made_with")


def differing(first: Mapping[str, Any], second: Mapping[str, Any], names: Iterable[str] = tuple(MENDS)) -> list[str]:
    """Return what two audits were not made with alike.

    Of datasets of the pipeline photos and masks are the audited ones, if both audits mark these; audits of an earlier
    version mark all that a dataset has.

    >>> old, new = {"photos": "a"}, {"photos": "a", "audited": {"photos": "c"}}
    >>> differing(old, new, ["photos"]), differing(new, new | {"photos": "b"}, ["photos"])
    ([], [])
    >>> differing(old, new | {"photos": "b"}, ["photos"])
    ['photos']
    """
    if all(isinstance(made.get("audited"), dict) for made in (first, second)):
        first, second = ({**made, **made["audited"]} for made in (first, second))
    return [what for what in names if first.get(what) != second.get(what)]


def same(folders: Sequence[Path], what: str) -> bool:
    """Tell whether audits have been made with the same of something, or all without."""
    made = [_of(folder, "made_with") for folder in folders]
    first, *others = (with_.get(what) if isinstance(with_, dict) else None for with_ in made)
    return all(other == first for other in others)


def refuse_unlike(first: Path, second: Path, allowed: str | None = None) -> list[str]:
    """Raise a ValueError if two audits swapped otherwise: what differs would be owed to that as well as to the models.

    Args:
        first: folder of an audit.
        second: of another one.
        allowed: "masks" may differ.

    Returns:
        What is to be said of masks that differ, a sentence or nothing.
    """
    unlike = differing(read(first), read(second))
    older = " and ".join(str(folder) for folder in (first, second) if "drawn" not in read(folder))
    for what in unlike:
        if what != allowed:
            also = ", or allow it: --allow masks" if what == "masks" else ""
            also += f"; {EARLIER.format(older)}" if older and what in AUDITED else ""
            raise InputError(
                f"{first} and {second} differ in {what}: audit both with {MENDS[what]}, then compare{also}"
            )
    if not unlike:
        return []
    kinds = " and ".join(f"{_of(folder, 'masks')} ({folder})" for folder in (first, second))
    return [f"The masks differ, {kinds}: so do the figures, by the masks as well as by the models."]


def drawn_otherwise(folders: Sequence[Path]) -> list[str]:
    """Say that audits have other draws of the backgrounds, a sentence or nothing; earlier versions do not tell."""
    marks = {read(folder).get("drawn") for folder in folders} - {None}
    return [DRAWN.format(" and ".join(map(str, folders)))] if len(marks) > 1 else []


def replaced(folder: Path, embedder: str, made_with: Mapping[str, Any], quick: bool) -> str:
    """Say which audit another one will replace; "" where there is none, or it is the same again.

    Args:
        folder: of both.
        embedder: the SPEC of the other one.
        made_with: what it is made with, as in audit.json.
        quick: whether it is a quick one.
    """
    try:
        then = _of(folder)
        unlike = [] if then["embedder"] == embedder else [f"of {then['embedder']}"]
        differ = differing(then["made_with"], made_with, (*MENDS, "queries", "places"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # another file, or of an earlier version
        return ""
    unlike += [f"with other {' and '.join(differ)}"] if differ else []
    unlike += ["that is not quick"] if quick and not is_quick(then) else []
    kept = f"{folder} holds an audit {', '.join(unlike)}: this one will replace it. To keep it, give another --out."
    return kept if unlike else ""


def is_quick(found: dict) -> bool:
    """Tell of what audit.json holds whether it is of a quick audit."""
    return "worst_of_backgrounds" not in found


def _of(folder: Path, *keys: str) -> Any:
    return files.read_json(folder / "audit.json", *keys, mend=queries.mend(folder))
