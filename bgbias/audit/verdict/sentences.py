"""What an audit's figures mean, in plain words.

An effect is called shown where its 95 % interval excludes zero (or the level of guessing); no more is claimed.
"""

from collections.abc import Sequence

import pandas as pd

from bgbias.audit.verdict import parts, places, sensitivity, swaps
from bgbias.audit.verdict.grade import above_chance, doubtful
from bgbias.audit.verdict.kinds import kind
from bgbias.audit.verdict.wording import aside, concluded, interval, percent, points, side, unshown
from bgbias.metrics import sample_size
from bgbias.report import comparison


def verdict(
    found: dict,
    class_names: pd.Series,
    probed: int,
    probed_chance: float | None,
    remarks: Sequence[str] = (),
    drawn: pd.Series | None = None,
) -> list[str]:
    """Write the verdict.

    Args:
        found: what audit.json holds, without the verdict.
        class_names: of each photo; of photos of one each, see `Gallery.class_names`.
        probed: how many photos the background-only and mixed views are made of.
        probed_chance: Recall@1 of guessing among these; None where they are too few.
        remarks: what is to be said of the choice of photos.
        drawn: class of each query, where not all are asked; None: all are.

    Returns:
        Sentences; the first is the most important, the second how far it depends on the kind of masks, where there are
        two. Of what was not measured, as in a quick audit, none. Where most masks are in doubt, only what needs no
        masks.
    """
    gallery = found["sample"]["gallery"] if "sample" in found else None
    few = sample_size.few(class_names, gallery=gallery, drawn=drawn)
    search = kind(found)
    few = few[:1] if search.one_each else few  # of queries; the rest is of classes, and each is one
    sampled = [found["sample"]["said"]] if "sample" in found else []
    remarks = [*comparison.too_few(found["drop"]["recall_at_1"]["classes"]), *sampled, *remarks]
    if doubt := doubtful(found):
        return [doubt, *remarks, _clean(found), *_near_duplicates(found, False), *places.said(found, False), *few]
    beside, alone, left_out = [], [], []
    if "gap" in found:
        beside = [*_gap(found), swaps.conflict(found)]
    elif "object_alone_against_clean" in found:
        beside = [parts.object_alone(found)]
    if beside:
        alone = [*swaps.pasting(found), *beside, *parts.background_only(found, probed_chance)]
        left_out = parts.left_out(found["photos"], probed, probed_chance)
    quick = "worst_of_backgrounds" not in found
    return [
        swaps.drop(found),
        *swaps.agreement(found),
        *swaps.pools(found),
        *remarks,
        _clean(found),
        *_near_duplicates(found, True),
        *places.said(found),
        *alone,
        *([] if quick else [_worst(found)]),
        *_attention(found),
        *_masks(found),
        *left_out,
        *few,
        *([search.quick] if quick else []),
    ]


def _clean(found: dict) -> str:
    clean, chance = found["matrix"]["clean"]["clean"]["recall_at_1"], found["chance"]["recall_at_1"]
    if kind(found).one_each:
        alike = ", and the model embeds the others just as an earlier photo of the list"
        others = alike if clean["value"] < 1 else ", as they must"
        return f"As they are, {percent(clean)} of the {clean['queries']} photos find themselves{others}."
    beside, guessed = "better" if above_chance(found) else "not shown to be better", f"{100 * chance:.1f} %"
    against = concluded(clean, f"{beside} than guessing ({guessed})") or f"; guessing finds {guessed}"
    return (
        f"On the photos as they are, the nearest photo is of the right class for {percent(clean)} of the "
        f"{clean['queries']} queries ({interval(clean)}){against}."
    )


def _near_duplicates(found: dict, masks_hold: bool) -> list[str]:
    doubles = found.get("near_duplicates")
    if not doubles:
        return []
    mirrored = [f"{doubles['mirrored']} All figures hold them."] if "mirrored" in doubles else []
    if not doubles["pairs"]:
        return mirrored
    sampled = "sample" in found
    some = "these queries" if sampled else "the later one of each two"
    if not doubles["clean_without"]:
        few = "too few are left" if sampled else "too few photos are left to search"
        return [f"{doubles['said']} Without {some}, {few}.", *mirrored]
    clean, drop = (doubles[f"{what}_without"]["recall_at_1"] for what in ("clean", "drop"))
    swap = f", and swapping backgrounds costs {points(drop)}{unshown(('', drop))}" if masks_hold else ""
    without = f"Without {some}, Recall@1 of the photos as they are is {percent(clean)}{swap}."
    return [f"{doubles['said']} {without}", *mirrored]


def _gap(found: dict) -> list[str]:
    gap = found["gap"]["recall_at_1"]
    if gap["low"] is None:
        return []
    shown, within = aside(gap, "higher", "lower")
    text = (
        f"Pasted on backgrounds of their own class, photos have a Recall@1 that is {shown} than on those of random "
        f"photos ({within})"
    )
    if side(gap, 0):
        harm = ", to its harm" if gap["value"] < 0 else ""
        return [f"{text}{concluded(gap, f'the model uses what a background tells of the class{harm}')}."]
    text += ": no effect is shown."
    if side(found["drop"]["recall_at_1"], 0) == 1:
        text += " It stays open whether the loss comes from what own backgrounds tell, or from new ones and pasting."
    return [text]


def _worst(found: dict) -> str:
    over = found["worst_of_backgrounds"]
    return (
        f"Put on {over['backgrounds']} backgrounds in turn, {percent(over['worst'])} of the photos {kind(found).find} "
        f"on every one; on one of them, {percent(over['mean'])} on average."
    )


def _attention(found: dict) -> list[str]:
    if "attention" not in found:
        return []
    if found["attention"] is None:
        return [
            "Where it looks is not known: attention maps need gradients, and this model passes none back to its input."
        ]
    scores = {view: measures["score"]["value"] for view, measures in found["attention"].items()}
    written = {view: "undefined" if score is None else f"{score:.2f}" for view, score in scores.items()}
    photos = found["attention"]["clean"]["score"]
    return [
        f"Its attention score is {written['clean']} on clean and {written['swapped']} on swapped photos, of "
        f"{photos['queries'] + photos['undefined']} photos (0: as much on the object as its area alone would get; "
        "1: all of it)."
    ]


def _masks(found: dict) -> list[str]:
    doubt = found["mask_doubt"]
    flagged = {kind: len(paths) for kind, paths in doubt["flagged"].items() if paths}
    if flagged:
        counts = ", ".join(f"{count} {kind}" for kind, count in flagged.items())
        first = f"{sum(flagged.values())} of {found['photos']} masks are in doubt ({counts})"
        without = (doubt["drop_without"] or {}).get("recall_at_1")
        swap = f"; without their photos the swap costs {points(without)}{unshown(('', without))}" if without else ""
        first += f"{swap}."
    else:
        second = sensitivity.opinion(found)
        unlike = ", those first on which the two kinds differ most" if second and second["unlike"] else ""
        first = f"No mask is in doubt by its size or place; check by eye whether they fit the objects{unlike}."
    if "moved_eroded" not in doubt:
        return [first]
    smaller, larger = (doubt[f"moved_{change}"]["recall_at_1"] for change in ("eroded", "dilated"))
    moves = bool(side(smaller, 0) or side(larger, 0))
    outcome = "the loss depends on the masks by that much" if moves else "it is not shown to depend on the masks' edges"
    px, by_smaller, by_larger = doubt["radius_px"], _moved(smaller, moves), _moved(larger, moves)
    told = concluded(smaller, outcome)
    return [
        first,
        f"With masks {px} px smaller the loss moves by {by_smaller}, {px} px larger by {by_larger}{told}.",
    ]


def _moved(estimate: dict, one_shown: bool) -> str:
    open_ = unshown(("", estimate)) if one_shown else ""
    return f"{100 * estimate['value']:+z.1f} points ({interval(estimate)}{open_})"


def printed(found: dict) -> list[str]:
    """Return the lines that the command prints: the sentence for everyone, the grade, the verdict, what to do."""
    summary = found["summary"]
    lines = [
        summary["said"],
        f"Grade {summary['grade']}. {summary['graded']}" if summary["grade"] else summary["graded"],
    ]
    lines += [*found["verdict"], "What to do, the cheapest first:" if len(found["advice"]) > 1 else "What to do:"]
    for number, step in enumerate(found["advice"], start=1):
        lines += [f"{number}. {step['said']}", *(f"   {command}" for command in step["commands"])]
    return lines
