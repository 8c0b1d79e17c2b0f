"""An audit in a sentence for everyone, and its grade from A to E.

Like the verdict, the sentence calls an effect shown only where its 95 % interval says so.
"""

from bgbias.audit.verdict import sensitivity
from bgbias.audit.verdict.kinds import kind
from bgbias.audit.verdict.wording import Estimate, counted, ends, most, side, span
from bgbias.metrics.sample_size import FEWEST
from bgbias.report.tables import masks_in_doubt

GRADES = {"A": 0.9, "B": 0.75, "C": 0.6, "D": 0.4}  # from which share that is kept; below, E
RULE = "A from 90 %, B from 75 %, C from 60 %, D from 40 %, E below"
MUCH = 0.2  # of searches that guessing finds: then half of all that is found is not half of what is found beyond that
NO_LOSS, TOO_FEW = "no loss is shown", "no loss is shown, but these photos are too few to exclude one"
LOSES = {  # by on which side of a half the share that is kept is shown to be
    1: "it loses some of what it finds, and keeps most",
    0: "it loses a part of what it finds, and it is not shown whether that is more than half",
    -1: "it loses most of what it finds",
}
MAY_LOSE = 0.05  # of Recall@1: if the drop may be larger, more photos are asked for


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
        said: a sentence; grade: a letter, several where two kinds of masks or two pools do not give the same ("D or
        E"), or None where there is no effect to grade; graded: a sentence on it.
    """
    clean, drops = found["matrix"]["clean"]["clean"]["recall_at_1"], sensitivity.drops(found)
    swapped = [share for _, share in sensitivity.remaining(found)]
    told_apart = span(clean, digits=0) != span(*swapped, digits=0) or set(sensitivity.sides(drops, 0)) == {0}
    digits = 0 if told_apart else 1  # a drop that is shown is not said of equal numbers
    search = kind(found)
    searches = search.clean.format(clean=span(clean, digits=digits))
    if doubtful(found):
        before = "" if search.one_each else f"{searches}. "  # they find themselves, as they must
        said = f"{before}What other backgrounds do cannot be told: most of the masks are in doubt."
        return _no_grade(said, "most of the masks are in doubt")
    both = search.swapped.format(searches=searches, swapped=span(*swapped, digits=digits))
    if few := too_few(found):
        asked = search.unit[1]
        said = f"{both}: {few} {asked} are too few to conclude anything."
        return _no_grade(said, f"one needs {FEWEST} {asked} at least")
    said = f"{both}: {_outcome(found)}."
    if not above_chance(found):
        if set(sensitivity.sides(drops, 0)) != {-1} or guesses(found):
            guessed = f"{100 * found['chance']['recall_at_1']:.0f}"
            said = f"{searches}: not shown to be better than guessing ({guessed})."
        return _no_grade(said, "on clean photos it is not shown to find more than guessing")
    kept = sensitivity.kept(found)
    if any(share["low"] is None for _, share in kept):
        return _no_grade(said, "the share that is kept has no interval")
    grades = sorted({letter(share["value"]) for _, share in kept})
    several = f": {sensitivity.either([(how, letter(share['value'])) for how, share in kept])}" if grades[1:] else ""
    graded = (
        f"Of what it finds beyond guessing, it keeps {span(*(share for _, share in kept), digits=1)} % on other "
        f"backgrounds ({_within(kept)}){several}. {RULE}.{search.caveat}"
    )
    return {"said": said, "grade": " or ".join(grades), "graded": graded}


def _no_grade(said: str, why: str) -> dict:
    return {"said": said, "grade": None, "graded": f"No grade: {why}."}


def doubtful(found: dict) -> str:
    """Return what is to be said where most masks are in doubt; "" where they are not."""
    counts = {kind: len(paths) for kind, paths in found["mask_doubt"]["flagged"].items()}
    return masks_in_doubt(counts, found["photos"])


def too_few(found: dict) -> int:
    """Return of how many classes there are queries where these are too few for a grade; 0 where they are not."""
    classes_asked = found["drop"]["recall_at_1"]["classes"]
    return classes_asked if classes_asked < FEWEST else 0


def above_chance(found: dict) -> bool:
    """Whether the clean photos are shown to be found better than by guessing."""
    return side(found["matrix"]["clean"]["clean"]["recall_at_1"], found["chance"]["recall_at_1"]) == 1


def guesses(found: dict) -> bool:
    """Whether neither clean nor swapped photos are shown to be found better than by guessing."""
    sides = sensitivity.sides(sensitivity.remaining(found), found["chance"]["recall_at_1"])
    return not above_chance(found) and 1 not in sides


def _outcome(found: dict) -> str:
    """Say what becomes of the searches; where masks or pools tell different things, what all of them bear out."""
    drops = sensitivity.drops(found)
    told = [(how, _told(drop, kept)) for (how, drop), (_, kept) in zip(drops, sensitivity.kept(found), strict=True)]
    decisive, sides = " and ".join(sensitivity.unlike(told)), set(sensitivity.sides(drops, 0))
    texts = {text for _, text in told}
    open_ = sides == {1} and LOSES[0] in texts and len(texts) < 3  # which does not contradict the other one
    if open_ or not decisive:
        beyond = " beyond guessing" if found["chance"]["recall_at_1"] > MUCH else ""
        return (LOSES[0] if open_ else told[0][1]).replace("what it finds", f"what it finds{beyond}")
    if 1 not in sides:
        return TOO_FEW if any(text == TOO_FEW for _, text in told) else NO_LOSS
    return f"{'how much' if sides == {1} else 'whether'} it loses depends on which {decisive} are believed"


def _told(drop: Estimate, kept: Estimate) -> str:
    if side(drop, 0) == -1:
        return "more than on their own"
    if side(drop, 0) == 0 and most(drop) > MAY_LOSE:
        return TOO_FEW
    if side(drop, 0) == 0:
        return NO_LOSS
    half = 0 if kept["low"] is None else side(kept, 0.5)
    return LOSES[half]


def _within(kept: sensitivity.Estimates) -> str:
    """Write the intervals, and which grades lie in each."""
    found = []
    for how, share in kept:
        low, high = letter(share["low"]), letter(share["high"])
        by = f" {how}" if len(kept) > 1 else ""
        within = f"all of it {low}" if low == high else f"{low} to {high}"
        found.append(f"{ends(share)}{by}: {within if share['low'] < share['high'] else counted(share)}")
    return f"95 % interval{'s' if len(kept) > 1 else ''} {'; '.join(found)}"
