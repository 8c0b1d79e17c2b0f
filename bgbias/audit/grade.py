"""An audit in a sentence for everyone, and its grade from A to E.

Like the verdict, the sentence calls an effect shown only where its 95 % interval says so.
"""

from bgbias.report.tables import masks_in_doubt

GRADES = {"A": 0.9, "B": 0.75, "C": 0.6, "D": 0.4}  # from which share that is kept; below, E
RULE = "A from 90 %, B from 75 %, C from 60 %, D from 40 %, E below"
MAY_LOSE = 0.05  # Recall@1: if as much may be lost, more photos are asked for


def letter(kept: float) -> str:
    """Return the grade of a share that is kept, taken to a tenth of a percent, as it is written.

    >>> letter(1.02), letter(0.9), letter(0.8994), letter(0.4), letter(-0.1)
    ('A', 'A', 'B', 'D', 'E')
    """
    return next((grade for grade, least in GRADES.items() if round(kept, 3) >= least), "E")


def summary(found: dict) -> dict:
    """Sum up an audit.

    Args:
        found: what audit.json holds, without the verdict; `kept` is the share of what is found on clean photos beyond
            guessing that is found on swapped ones, too.

    Returns:
        said: a sentence; grade: a letter, or None where there is no effect to grade; graded: a sentence on it.
    """
    clean, swapped = (found["matrix"][view][view]["recall_at_1"] for view in ("clean", "swapped"))
    searches = f"Of 100 searches, {_hundred(clean)} find the right product"
    if doubtful(found):
        said = f"{searches}. What other backgrounds do cannot be told: most of the masks are in doubt."
        return {"said": said, "grade": None, "graded": "No grade: most of the masks are in doubt."}
    said = f"{searches}; on other backgrounds, {_hundred(swapped)} do: {_outcome(found)}."
    if not above_chance(found):
        if side(found["drop"]["recall_at_1"], 0) != -1:
            guessed = f"{100 * found['chance']['recall_at_1']:.0f}"
            said = f"{searches}: not shown to be better than guessing ({guessed})."
        return {
            "said": said,
            "grade": None,
            "graded": "No grade: on clean photos it is not shown to find more than guessing.",
        }
    kept = found["kept"]
    if kept["low"] is None:
        return {"said": said, "grade": None, "graded": "No grade: the share that is kept has no interval."}
    ends = [f"{100 * kept[end]:.1f}" for end in ("low", "high")]
    grades = [letter(kept[end]) for end in ("low", "high")]
    within = f"all of it {grades[0]}" if grades[0] == grades[1] else f"{grades[0]} to {grades[1]}"
    graded = (
        f"Of what it finds beyond guessing, it keeps {100 * kept['value']:.1f} % on other backgrounds (95 % interval "
        f"{ends[0]} to {ends[1]}: {within}). {RULE}."
    )
    return {"said": said, "grade": letter(kept["value"]), "graded": graded}


def doubtful(found: dict) -> str:
    """Return what is to be said where most masks are in doubt; "" where they are not."""
    counts = {kind: len(paths) for kind, paths in found["mask_doubt"]["flagged"].items()}
    return masks_in_doubt(counts, found["photos"])


def side(estimate: dict, level: float) -> int:
    """Return 1 above a level, -1 below, 0 where the interval holds it.

    >>> side({"low": 0.1, "high": 0.2}, 0), side({"low": -0.1, "high": 0.2}, 0)
    (1, 0)
    """
    return (estimate["low"] > level) - (estimate["high"] < level)


def above_chance(found: dict) -> bool:
    """Whether the clean photos are shown to be found better than by guessing."""
    return side(found["matrix"]["clean"]["clean"]["recall_at_1"], found["chance"]["recall_at_1"]) == 1


def _outcome(found: dict) -> str:
    drop, kept = found["drop"]["recall_at_1"], found["kept"]
    if side(drop, 0) == -1:
        return "more than on their own"
    if side(drop, 0) == 0 and drop["high"] > MAY_LOSE:
        return "no loss is shown, but these photos are too few to exclude one"
    if side(drop, 0) == 0:
        return "no loss is shown"
    half = 0 if kept["low"] is None else side(kept, 0.5)
    return {
        1: "it loses some of what it finds, and keeps most",
        0: "it loses a part of what it finds, and it is not shown whether that is more than half",
        -1: "it loses most of what it finds",
    }[half]


def _hundred(estimate: dict) -> int:
    return round(100 * estimate["value"])
