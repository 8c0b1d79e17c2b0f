"""What the verdict says of swapped photos, by one kind of masks or two, on one pool or two: drop, pasting, conflict."""

from bgbias.audit.verdict import sensitivity
from bgbias.audit.verdict.grade import above_chance, guesses
from bgbias.audit.verdict.kinds import kind
from bgbias.audit.verdict.wording import Estimate, aside, concluded, negative, points, side, span, unshown
from bgbias.report.tables import no_second_opinion

EFFECTS = {1: "a loss is shown", 0: "no effect is shown", -1: "a gain is shown"}
COSTS, NO_COST = "pasting by itself costs something there", "pasting by itself is not shown to cost anything there"
OUTWEIGHS = {
    1: "the background outweighs the object",
    0: "neither is shown to outweigh the other",
    -1: "the object outweighs the background",
}


def drop(found: dict) -> str:
    """Say how far Recall@1 drops, as far as both kinds of masks and both pools allow."""
    drops, chance = sensitivity.drops(found), found["chance"]["recall_at_1"]
    sides = set(sensitivity.sides(drops, 0))
    if sides == {-1}:
        more, brackets = sensitivity.ranged([(how, negative(one)) for how, one in drops], "points", found)
        text = f"With swapped backgrounds Recall@1 is {more} higher {brackets}"
        if guesses(found):
            return f"{text}. A model at chance, with both, has nothing to gain, so this says nothing about backgrounds."
        better = concluded(drops[0][1], "the photos' own backgrounds serve this model worse than these")
        return f"{text}{better}."
    cost, brackets = sensitivity.ranged(drops, "points", found)
    text = f"Swapping backgrounds costs {cost} of Recall@1 {brackets}"
    if sides == {1}:
        left = sensitivity.remaining(found)
        guessed = [how for how, share in left if side(share, chance) != 1]
        by = "" if len(guessed) == len(left) else f" {' and '.join(guessed)}"
        like = f", which is not shown to be better than guessing{by}" if guessed else ""
        return f"{text}. Recall@1 is then {span(*(share for _, share in left), digits=1)} %{like}."
    text += f"{concluded(drops[0][1], sensitivity.told(drops, EFFECTS, 0))}."
    if above_chance(found) or sides != {0}:
        return text
    return f"{text} A model at chance has nothing to lose, so this says nothing about backgrounds."


def agreement(found: dict) -> list[str]:
    """Say how far the two kinds of masks agree, and how far the drop depends on which is believed."""
    second = found["second_masks"]
    if second is None:
        return []
    if none := no_second_opinion(second, found["photos"]):
        return [none]
    alike, moved = second["agreement"], second["moved"]["recall_at_1"]
    more, within = aside(moved, "more", "less")
    outcome = "the loss depends on the kind by that much" if side(moved, 0) else "it is not shown to depend on the kind"
    text = (
        f"Masks of two kinds, {' and '.join(sensitivity.kinds(found))}, agree with an IoU of {alike['value']:.2f} on "
        f"average, of less than 0.50 for {100 * second['unlike_share']:.0f} % of {found['photos']} photos. By the "
        f"first the swap costs {more} than by the second ({within}){concluded(moved, outcome)}."
    )
    agreed = [second[key] and second[key]["recall_at_1"] for key in ("drop_agreed", "second_drop_agreed")]
    if all(agreed):
        by = zip([f"by {kind}" for kind in sensitivity.kinds(found)], agreed, strict=True)
        counted = f"{agreed[0]['queries']} queries{unshown(*by)}"
        text += f" On the photos alone on which they agree it costs {points(*agreed)} ({counted})."
    return [text]


def pools(found: dict) -> list[str]:
    """Say how far drop and conflict depend on which pool is believed."""
    second = found["second_backgrounds"]
    if second is None:
        return []
    moved, outweighs = second["moved"]["recall_at_1"], second["conflict_moved"]
    return [
        f"On a second pool of backgrounds, {second['backgrounds']}, the swap costs {_beside(moved, '')}, and the "
        f"background comes first in the conflict {_beside(outweighs, ' often')}; by the first masks, query by query."
    ]


def _beside(moved: Estimate, often: str) -> str:
    more, within = aside(moved, "more", "less")
    outcome = "" if side(moved, 0) else ": not shown to differ"
    return f"{more}{often} than on the first ({within}{outcome})"


def pasting(found: dict) -> list[str]:
    """Say what cutting out and pasting costs on photos' own backgrounds, and at most.

    Photos that search for themselves do so in the gallery as it is, where nothing is mirrored: what mirroring costs
    there, an embedder that cannot see pasting loses, too, for it is another background.
    """
    back, mirrored = (of["recall_at_1"] for of in found["pasting"].values())
    if back["low"] is None:
        return []
    one_each = kind(found).one_each
    other, bounding = (", which the gallery does not show", [back]) if one_each else ("", [back, mirrored])
    costs = COSTS if 1 in (side(of, 0) for of in bounding) else NO_COST
    lower, on_mirrored = (_changed(of, costs == COSTS) for of in (back, mirrored))
    at_most = max(of["high"] for of in bounding)
    bounded = at_most > 0 and all(of["low"] < of["high"] for of in bounding)  # classes all alike bound nothing
    bound = f", {100 * at_most:.1f} points at most" if bounded else ""
    return [
        f"Cut out and put back on their own backgrounds, photos have a Recall@1 that is {lower}; on these "
        f"mirrored{other}, {on_mirrored}{concluded(back, f'{costs}{bound}')}."
    ]


def _changed(lost: Estimate, one_shown: bool) -> str:
    shown, within = aside(lost, "lower", "higher")
    return f"{shown} ({within}{unshown(('', lost)) if one_shown else ''})"


def conflict(found: dict) -> str:
    """Say which outweighs, object or background, likewise."""
    conflicts = sensitivity.conflicts(found)
    share, brackets = sensitivity.ranged(conflicts, "%", found)
    outcome = concluded(conflicts[0][1], sensitivity.told(conflicts, OUTWEIGHS, 0.5))
    return (
        f"In {share} of trials {brackets} a photo of another class on the same background comes before a photo of the "
        f"same class on another one{outcome} (0 %: the object always comes first; 50 %: as by chance)."
    )
