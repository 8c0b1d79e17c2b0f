"""The verdict by masks of both kinds: no figure alone, and nothing said more strongly than both allow."""

from pathlib import PurePath

from bgbias.audit.wording import Estimate, intervals, side, span
from bgbias.report.tables import masks_in_doubt

ByMasks = list[tuple[str, Estimate]]  # a kind of masks -> what is estimated by them


def opinion(found: dict) -> dict | None:
    """What audit.json holds of second masks; None where there are none, or most of them are in doubt themselves."""
    second = found["second_masks"]
    return None if second is None or masks_in_doubt(second["flagged"], found["photos"]) else second


def drops(found: dict) -> ByMasks:
    """The drop of Recall@1 by the first masks, and by the second where there are some."""
    second = opinion(found)
    return _both(found, found["drop"]["recall_at_1"], second and second["drop"]["recall_at_1"])


def remaining(found: dict) -> ByMasks:
    """Recall@1 on swapped photos, likewise."""
    second = opinion(found)
    first = found["matrix"]["swapped"]["swapped"]["recall_at_1"]
    return _both(found, first, second and second["swapped"]["recall_at_1"])


def kept(found: dict) -> ByMasks:
    """The share of what is found that is kept, likewise."""
    second = opinion(found)
    return _both(found, found["kept"], second and second["kept"])


def conflicts(found: dict) -> ByMasks:
    """The conflict, likewise."""
    second = opinion(found)
    return _both(found, found["conflict"], second and second["conflict"])


def _both(found: dict, first: Estimate, second: Estimate | None) -> ByMasks:
    return list(zip(kinds(found), [first, second], strict=True)) if second else [(found["masks"], first)]


def kinds(found: dict) -> tuple[str, str]:
    """Name both kinds of masks: given ones by the last part of their folder's path.

    >>> kinds({"masks": "shop/isnet", "second_masks": {"kind": "grabcut"}})
    ('isnet', 'grabcut')
    >>> kinds({"masks": "shop/grabcut", "second_masks": {"kind": "grabcut"}})
    ('shop/grabcut', 'grabcut')
    """
    first, second = PurePath(found["masks"]).name, found["second_masks"]["kind"]
    return (found["masks"] if first in ("", second) else first), second


def sides(estimates: ByMasks, level: float) -> list[int]:
    """The `side` of each."""
    return [side(estimate, level) for _, estimate in estimates]


def told(estimates: ByMasks, outcomes: dict[int, str], level: float) -> str:
    """Say what intervals show, and by which masks where they do not show the same.

    >>> above, open_ = {"low": 0.6, "high": 0.7}, {"low": 0.4, "high": 0.7}
    >>> told([("grabcut", above), ("rembg", open_)], {1: "a loss", 0: "no effect"}, 0.5)
    'a loss by grabcut, no effect by rembg: which is believed decides'
    >>> told([("grabcut", above), ("rembg", above)], {1: "a loss"}, 0.5)
    'a loss'
    """
    said = [outcomes[place] for place in sides(estimates, level)]
    return either([(kind, text) for text, (kind, _) in zip(said, estimates, strict=True)])


def either(said: list[tuple[str, str]]) -> str:
    """Say what masks of one kind or two tell, once where it is the same.

    >>> either([("grabcut", "Grade D"), ("rembg", "Grade D")])
    'Grade D'
    """
    texts = dict.fromkeys(text for _, text in said)
    if len(texts) == 1:
        return said[0][1]
    return f"{', '.join(f'{text} by {kind}' for kind, text in said)}: which is believed decides"


def ranged(estimates: ByMasks, digits: int, unit: str, pool: str) -> tuple[str, str]:
    """Write the range of estimates, and their intervals with the pool, in brackets.

    >>> one = {"value": 0.5, "low": 0.25, "high": 0.75, "classes": 8}
    >>> ranged([("grabcut", one)], 1, "points", "walls")
    ('50.0 points', '(95 % interval 25.0 to 75.0, 8 classes; pool: walls)')
    """
    text = span(*(estimate for _, estimate in estimates), digits=digits)
    which = "by which masks are believed: " if " to " in text else ""
    return f"{text} {unit}", f"({which}{intervals(estimates)}; pool: {pool})"
