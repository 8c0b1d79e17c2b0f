"""What is to be said before the table of a leaderboard."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bgbias import files
from bgbias.audit.measures import comparable, made_alike, places
from bgbias.report.comparison import too_few


def said(folders: Mapping[str, Path]) -> str:
    """Return what its figures may be owed to beside the embedders, sentences; photos are those of the first audit.

    Args:
        folders: name of a row -> folder of its audit.
    """
    audits = {name: files.read_json(folder / "audit.json") for name, folder in folders.items()}
    first, every = next(iter(audits.values())), [*folders.values()]
    sentences = [
        *_of_masks(folders, comparable.in_doubt),
        *too_few(first["classes"]),
        *_of_masks(folders, comparable.no_opinion),
        _near_duplicates(first),
        _assumed(audits),
        *comparable.of_models(folders),
        *made_alike.drawn_otherwise(every),
        *_of_places(first, made_alike.same(every, "places")),
    ]
    return " ".join(filter(None, sentences))


def _of_masks(folders: Mapping[str, Path], of: Callable[[Path], str]) -> list[str]:
    """What is said of the masks of any row, each sentence once: at a smaller input thin objects vanish.

    Of the first row it is said without its name.
    """
    found, first = {}, next(iter(folders))
    for name, folder in folders.items():
        found.setdefault(of(folder), name)
    return [said if not said or name == first else f"{name}: {said}" for said, name in found.items()]


def _near_duplicates(audit: dict) -> str:
    """Say what the audit says of near-duplicates, and mirrored ones; "" of none, or where an older one did not look."""
    found = audit.get("near_duplicates") or {}
    said = " ".join(filter(None, (found.get("said"), found.get("mirrored"))))
    return f"{said} All figures hold them." if said else ""


def _assumed(audits: Mapping[str, dict]) -> str:
    """Name the rows whose figures are perhaps not those of their models; rows of older audits do not tell."""
    names = [name for name, audit in audits.items() if (audit.get("normalisation") or {}).get("assumed")]
    if not names:
        return ""
    assumed = "their files do not tell how pictures are normalised, and ImageNet's ways were assumed"
    mend = "Add mean=...&sd=... to their SPECs, after ? or, where there is one, after &."
    return f"The figures of {', '.join(names)} may not be the models' own: {assumed}. {mend}"


def _of_places(first: dict, same: bool) -> list[str]:
    """Say that places are not the same, or are of too few classes, and what near-duplicates do there; sentences."""
    if not same:
        return [comparable.LEFT_OUT.format("places")]
    if not (found := first.get("places")):
        return []
    few = (f"By places, {said}" for said in too_few(found["photos"]["drop"]["classes"]))
    return [*few, *places.said_of_pairs(found["doubles"], found.get("alike", 0))]
