"""The verdict by masks of both kinds and on both pools: nothing is said more strongly than all of them allow."""

from collections.abc import Callable
from operator import itemgetter
from pathlib import PurePath

from bgbias.audit.verdict.wording import Estimate, intervals, side, span
from bgbias.report.tables import masks_in_doubt

Estimates = list[tuple[str, Estimate]]  # "by" a kind of masks, or "on" a pool -> what is estimated so


def opinion(found: dict) -> dict | None:
    """What audit.json holds of second masks; None where there are none, or most of them are in doubt themselves."""
    second = found["second_masks"]
    return None if second is None or masks_in_doubt(second["flagged"], found["photos"]) else second


def drops(found: dict) -> Estimates:
    """The drop of Recall@1 by the first masks on the first pool; then by second masks, and on a second pool."""
    return _each(found, found["drop"]["recall_at_1"], lambda other: other["drop"]["recall_at_1"])


def on_swapped(found: dict) -> dict[str, Estimate]:
    """Return the scores on swapped photos: of a swapped gallery; where a sample was audited, of the one as it is."""
    galleries = found["matrix"]["swapped"]
    return galleries.get("swapped") or galleries["clean"]


def remaining(found: dict) -> Estimates:
    """Recall@1 on swapped photos, likewise."""
    first = on_swapped(found)["recall_at_1"]
    return _each(found, first, lambda other: other["swapped"]["recall_at_1"])


def kept(found: dict) -> Estimates:
    """The share of what is found that is kept, likewise."""
    return _each(found, found["kept"], itemgetter("kept"))


def conflicts(found: dict) -> Estimates:
    """The conflict, likewise."""
    return _each(found, found["conflict"], itemgetter("conflict"))


def _each(found: dict, first: Estimate, of: Callable[[dict], Estimate]) -> Estimates:
    masks, pool = opinion(found), found["second_backgrounds"]
    if masks:
        by = [(f"by {kind}", one) for kind, one in zip(kinds(found), (first, of(masks)), strict=True)]
    else:
        by = [(f"on {found['backgrounds']}" if pool else "", first)]
    return [*by, (f"on {pool['backgrounds']}", of(pool))] if pool else by


def believed(found: dict) -> str:
    """Say what has to be believed for one of several figures: "masks", "backgrounds", both; "" for a single figure."""
    return " and ".join(filter(None, (opinion(found) and "masks", found["second_backgrounds"] and "backgrounds")))


def kinds(found: dict) -> tuple[str, str]:
    """Name both kinds of masks: given ones by the last part of their folder's path.

    >>> kinds({"masks": "shop/isnet", "second_masks": {"kind": "grabcut"}})
    ('isnet', 'grabcut')
    >>> kinds({"masks": "shop/grabcut", "second_masks": {"kind": "grabcut"}})
    ('shop/grabcut', 'grabcut')
    >>> kinds({"masks": ".", "second_masks": {"kind": "grabcut"}})
    ('.', 'grabcut')
    """
    first, second = PurePath(found["masks"]).name, found["second_masks"]["kind"]
    return (found["masks"] if first in ("", second) else first), second


def sides(estimates: Estimates, level: float) -> list[int]:
    """The `side` of each."""
    return [side(estimate, level) for _, estimate in estimates]


def decisive(estimates: Estimates, level: float) -> list[str]:
    """Return which has to be believed before anything is shown: masks, backgrounds, both or neither.

    >>> above, open_ = {"low": 0.6, "high": 0.7}, {"low": 0.4, "high": 0.7}
    >>> decisive([("by grabcut", above), ("by rembg", above), ("on walls", open_)], 0.5)
    ['backgrounds']
    """
    return unlike([(how, side(estimate, level)) for how, estimate in estimates])


def unlike(said: list[tuple[str, object]]) -> list[str]:
    """Return what makes them differ from the first: masks, backgrounds, both or neither.

    >>> unlike([("by grabcut", "D"), ("by rembg", "C"), ("on walls", "D")])
    ['masks']
    """
    ways = {how.partition(" ")[0] for how, what in said if what != said[0][1]}
    return [what for how, what in (("by", "masks"), ("on", "backgrounds")) if how in ways]


def told(estimates: Estimates, outcomes: dict[int, str], level: float) -> str:
    """Say what intervals show, and by which masks, on which pool, where they do not show the same.

    >>> above, open_ = {"low": 0.6, "high": 0.7}, {"low": 0.4, "high": 0.7}
    >>> told([("by grabcut", above), ("on walls", open_)], {1: "a loss", 0: "no effect"}, 0.5)
    'by grabcut, a loss; on walls, no effect'
    >>> told([("by grabcut", above), ("on walls", above)], {1: "a loss"}, 0.5)
    'a loss'
    """
    said = [outcomes[place] for place in sides(estimates, level)]
    return either([(how, text) for text, (how, _) in zip(said, estimates, strict=True)])


def either(said: list[tuple[str, str]]) -> str:
    """Say what all of them tell, once where it is the same.

    >>> either([("by grabcut", "Grade D"), ("on walls", "Grade D")])
    'Grade D'
    >>> either([("by grabcut", "grade D"), ("on walls", "grade C")])
    'by grabcut, grade D; on walls, grade C'
    """
    texts = dict.fromkeys(text for _, text in said)
    if len(texts) == 1:
        return said[0][1]
    return "; ".join(f"{how}, {text}" for how, text in said)


def ranged(estimates: Estimates, unit: str, found: dict) -> tuple[str, str]:
    """Write the range of estimates, and their intervals with the backgrounds, in brackets.

    >>> one = {"value": 0.5, "low": 0.25, "high": 0.75, "queries": 40, "classes": 8}
    >>> found = {"second_masks": None, "second_backgrounds": None, "backgrounds": "walls"}
    >>> ranged([("", one)], "points", found)
    ('50.0 points', '(95 % interval 25.0 to 75.0, 8 classes; backgrounds: walls)')
    """
    text = span(*(estimate for _, estimate in estimates), digits=1)
    which = f"depending on which {believed(found)} are believed: " if " to " in text else ""
    pool = "" if estimates[0][0].startswith("on ") else f"; backgrounds: {found['backgrounds']}"
    return f"{text} {unit}", f"({which}{intervals(estimates)}{pool})"
