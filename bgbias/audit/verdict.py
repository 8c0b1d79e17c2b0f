"""What an audit's figures mean, in plain words.

An effect is called shown where its 95 % interval excludes zero (or the level of guessing); no more is claimed.
"""

from collections.abc import Sequence

import pandas as pd

from bgbias.audit import by_masks
from bgbias.audit.wording import interval, negative, percent, points, side, span
from bgbias.metrics import sample_size
from bgbias.report.tables import masks_in_doubt

CURE = (
    "train with random backgrounds behind the objects (this project's regimes bgaugment and bgconsistency), or show "
    "queries and gallery as objects alone on grey (`python -m stages.remedies` measures what that recovers)"
)
COVERED = {  # view -> how the object is covered; of the last, neither silhouette nor box can be seen
    "background_silhouette": "with its silhouette filled",
    "background_box_blacked": "with its box blacked",
    "background_box_tiled": "with its box tiled over",
}
EFFECTS = {1: "a loss is shown", 0: "no effect is shown", -1: "a gain is shown"}
OUTWEIGHS = {
    1: "the background outweighs the object",
    0: "neither is shown to outweigh the other",
    -1: "the object outweighs the background",
}
STRICTEST = "background_box_tiled"
BETTER_MASKS = "What to do: give masks of your own (--masks DIR) or another --mask-method, and audit again."
MAY_LOSE = 0.05  # Recall@1: if as much may be lost, more photos are asked for


def sentences(
    found: dict, class_names: pd.Series, probed: int, probed_chance: float | None, remarks: Sequence[str] = ()
) -> list[str]:
    """Write the verdict.

    Args:
        found: what audit.json holds, without the verdict.
        class_names: of each photo.
        probed: how many photos the background-only and mixed views are made of.
        probed_chance: Recall@1 of guessing among these; None where they are too few.
        remarks: what is to be said of the choice of photos.

    Returns:
        Sentences; the first is the most important, the second how far it hangs on the kind of masks, where there are
        two, the last says what to do. Where most masks are in doubt, only what needs no masks.
    """
    counts = {kind: len(paths) for kind, paths in found["mask_doubt"]["flagged"].items()}
    if doubt := masks_in_doubt(counts, found["photos"]):
        without = _near_duplicates(found, False)
        return [doubt, *remarks, _clean(found), *without, *sample_size.few(class_names), BETTER_MASKS]
    return [
        _drop(found),
        *by_masks.sentence(found),
        *remarks,
        _clean(found),
        *_near_duplicates(found, True),
        *_gap(found),
        _conflict(found),
        *_background_only(found, probed_chance),
        _worst(found),
        _attention(found),
        *_masks(found),
        *_left_out(len(class_names), probed, probed_chance),
        *sample_size.few(class_names),
        _advice(found),
    ]


def _above_chance(found: dict) -> bool:
    return side(found["matrix"]["clean"]["clean"]["recall_at_1"], found["chance"]["recall_at_1"]) == 1


def _clean(found: dict) -> str:
    clean, chance = found["matrix"]["clean"]["clean"]["recall_at_1"], found["chance"]["recall_at_1"]
    beside = "better than" if _above_chance(found) else "not shown to be better than"
    return (
        f"On the photos as they are, the nearest photo is of the right class for {percent(clean)} of the "
        f"{clean['queries']} queries ({interval(clean)}): {beside} guessing ({100 * chance:.1f} %)."
    )


def _near_duplicates(found: dict, masks_hold: bool) -> list[str]:
    doubles = found["near_duplicates"]
    if not doubles["pairs"]:
        return []
    if not doubles["clean_without"]:
        return [f"{doubles['said']} Without the later one of each two, too few photos are left to search."]
    clean, drop = (doubles[f"{what}_without"]["recall_at_1"] for what in ("clean", "drop"))
    swap = f", and swapping backgrounds costs {points(drop)}" if masks_hold else ""
    without = f"Without the later one of each two, Recall@1 of the photos as they are is {percent(clean)}{swap}."
    return [f"{doubles['said']} {without}"]


def _drop(found: dict) -> str:
    drops, chance, pool = by_masks.drops(found), found["chance"]["recall_at_1"], found["backgrounds"]
    sides = set(by_masks.sides(drops, 0))
    if sides == {-1}:
        more, brackets = by_masks.ranged([(kind, negative(drop)) for kind, drop in drops], 1, "points", pool)
        text = f"With swapped backgrounds Recall@1 is {more} higher {brackets}"
        return f"{text}: the photos' own backgrounds serve this model worse than those of the pool."
    cost, brackets = by_masks.ranged(drops, 1, "points", pool)
    text = f"Swapping backgrounds costs {cost} of Recall@1 {brackets}"
    if sides == {1}:
        left = by_masks.remaining(found)
        guessed = [kind for kind, share in left if side(share, chance) != 1]
        by = "" if len(guessed) == len(left) else f" by {' and '.join(guessed)}"
        like = f", which is not shown to be better than guessing{by}" if guessed else ""
        return f"{text}. {span(*(share for _, share in left), digits=1)} % remain{like}."
    text += f": {by_masks.told(drops, EFFECTS, 0)}."
    if _above_chance(found) or sides != {0}:
        return text
    return f"{text} A model at chance has nothing to lose, so this says nothing about backgrounds."


def _gap(found: dict) -> list[str]:
    gap = found["gap"]["recall_at_1"]
    if gap["low"] is None:
        return []
    less = gap["value"] < 0
    shown = negative(gap) if less else gap
    text = (
        f"Pasted on backgrounds of their own class, photos have a Recall@1 that is {points(shown)} "
        f"{'lower' if less else 'higher'} than on those of random photos ({interval(shown)})"
    )
    if side(gap, 0):
        return [f"{text}: the model uses what a background tells of the class{', to its harm' if less else ''}."]
    text += ": no effect is shown."
    if side(found["drop"]["recall_at_1"], 0) == 1:
        text += " It stays open whether the loss comes from what own backgrounds tell, or from new ones and pasting."
    return [text]


def _conflict(found: dict) -> str:
    conflicts = by_masks.conflicts(found)
    share, brackets = by_masks.ranged(conflicts, 0, "%", found["backgrounds"])
    return (
        f"In {share} of trials {brackets} a photo of another class on the same background comes before a photo of the "
        f"same class on another one: {by_masks.told(conflicts, OUTWEIGHS, 0.5)} (0 %: the object always does; 50 %: as "
        "by chance)."
    )


def _background_only(found: dict, chance: float | None) -> list[str]:
    recalls = {view: scores["recall_at_1"] for view, scores in found["background_only_against_clean"].items()}
    if chance is None or any(recall["low"] is None for recall in recalls.values()):
        return []
    shares = ", ".join(f"{percent(recalls[view])} {how} ({interval(recalls[view])})" for view, how in COVERED.items())
    above = [view for view in COVERED if side(recalls[view], chance) == 1]
    if STRICTEST in above:
        outcome = "the surroundings tell it the class"
    elif above:
        outcome = (
            "more than guessing only where a silhouette or a box is left to see, which may be what tells the class"
        )
    else:
        outcome = "not shown to be more than guessing"
    return [
        f"With the object taken away, a photo still finds its class among the clean ones in {shares}, of "
        f"{recalls[STRICTEST]['queries']} queries; guessing would in {100 * chance:.1f} %: {outcome}."
    ]


def _worst(found: dict) -> str:
    over = found["worst_of_backgrounds"]
    return (
        f"Put on {over['backgrounds']} backgrounds in turn, {percent(over['worst'])} of the photos find their class "
        f"on every one, {percent(over['mean'])} on one of them on average."
    )


def _attention(found: dict) -> str:
    if found["attention"] is None:
        return (
            "Where it looks is not known: attention maps need gradients, and this model passes none back to its input."
        )
    scores = {view: measures["score"]["value"] for view, measures in found["attention"].items()}
    written = {view: "undefined" if score is None else f"{score:.2f}" for view, score in scores.items()}
    photos = found["attention"]["clean"]["score"]
    return (
        f"Its attention score is {written['clean']} on clean and {written['swapped']} on swapped photos, of "
        f"{photos['queries'] + photos['undefined']} photos (0: as much on the object as its area alone would get; "
        "1: all of it)."
    )


def _masks(found: dict) -> list[str]:
    doubt = found["mask_doubt"]
    flagged = {kind: len(paths) for kind, paths in doubt["flagged"].items() if paths}
    if flagged:
        counts = ", ".join(f"{count} {kind}" for kind, count in flagged.items())
        first = f"{sum(flagged.values())} of {found['photos']} masks are in doubt ({counts})"
        without = doubt["drop_without"]
        first += f"; without their photos the swap costs {points(without['recall_at_1'])}." if without else "."
    else:
        second = by_masks.opinion(found)
        unlike = ", those first on which the two kinds differ most" if second and second["unlike"] else ""
        first = f"No mask is in doubt by its size or place; check by eye whether they fit the objects{unlike}."
    smaller, larger = (doubt[f"moved_{change}"]["recall_at_1"] for change in ("eroded", "dilated"))
    moves = side(smaller, 0) or side(larger, 0)
    outcome = "the loss depends on the masks by that much" if moves else "it is not shown to depend on the masks' edges"
    second = (
        f"With masks {doubt['radius_px']} px smaller the loss moves by {_moved(smaller)}, {doubt['radius_px']} px "
        f"larger by {_moved(larger)}: {outcome}."
    )
    return [first, second]


def _moved(estimate: dict) -> str:
    return f"{100 * estimate['value']:+z.1f} points ({interval(estimate)})"


def _left_out(photos: int, probed: int, probed_chance: float | None) -> list[str]:
    why = "their masks show no object, or one whose box leaves hardly any background"
    if probed_chance is None:
        return [f"Too few photos can be shown without their object ({probed} of {photos}; the others: {why})."]
    if probed == photos:
        return []
    return [f"{photos - probed} of {photos} photos are left out where the object is taken away: {why}."]


def _advice(found: dict) -> str:
    drops = by_masks.drops(found)
    sides, most = set(by_masks.sides(drops, 0)), max(drop["high"] for _, drop in drops)
    if not _above_chance(found):
        return (
            "What to do: first see that the model finds the classes on clean photos: that it is trained, and that "
            "input_px, mean, sd and channels in its SPEC are what it was trained with. Then audit again."
        )
    if sides == {1}:
        return f"What to do: {CURE}, and audit again."
    if 1 in sides:
        return "What to do: see which masks fit the objects, give these (--masks DIR), and audit again."
    if most > MAY_LOSE:
        return f"What to do: audit more photos, for a loss of up to {100 * most:.1f} points is not excluded."
    return "What to do: nothing against backgrounds, by these photos; audit again when photos or model change."
