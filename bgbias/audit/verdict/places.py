"""What the verdict says of searches among photos of the own place, and among those of others."""

from bgbias.audit.measures.places import said_of_pairs
from bgbias.audit.verdict.grade import too_few
from bgbias.audit.verdict.sensitivity import Estimates, either, kinds, opinion
from bgbias.audit.verdict.wording import aside, intervals, negative, percent, points, side, span, unshown
from bgbias.report import comparison

BEYOND = {
    1: "what surrounds objects has a part in the loss",
    0: "that what surrounds objects has a part in the loss is not shown",
    -1: "what surrounds objects makes up for some of the loss",
}
LESS = "objects alone may have less to lose than whole photos"


def searched(places: dict) -> tuple[str, str]:
    """Say what photos find in their own place and in others, and by how much less, with its interval.

    Args:
        places: of audit.json.
    """
    photos, drop = places["photos"], places["photos"]["drop"]
    searches = (
        f"Among photos of its own place a photo finds its class in {percent(photos['same'])} of {drop['queries']} "
        f"searches, among as many of other places in {percent(photos['elsewhere'])}"
    )
    moved, within = aside(drop, "less", "more")
    return searches, f"{moved} ({within}{'' if comparison.too_few(drop['classes']) else unshown(('', drop))})"


def said(found: dict, masks_hold: bool = True) -> list[str]:
    """Say what photos lose that have to find their class in another place, and how far objects alone do.

    Args:
        found: what audit.json holds.
        masks_hold: whether anything is to be said that depends on masks.
    """
    places = found.get("places")
    if not places:
        return []
    few = comparison.too_few(places["photos"]["drop"]["classes"])
    text = f"The photos were taken in {places['places']} places. {': '.join(searched(places))}."
    if masks_hold and _by_masks(found):
        text += _objects(found, bool(few)) + _backgrounds(places, bool(few))
    left_out, sentences = places["left_out"], [text]
    if few and not too_few(found):  # which would say it of all figures
        sentences.append(f"By places, {few[0]}")
    if left_out:
        which = "have no other photo of their class in their place, or none elsewhere"
        sentences.append(f"{left_out} of {found['photos']} photos {which}, and are not compared.")
    return [*sentences, *said_of_pairs(places["doubles"], places.get("alike", 0))]


def _objects(found: dict, few: bool) -> str:
    """Say what objects alone lose, how much more whole photos do, and what of it is of their surroundings."""
    measured = _by_masks(found)
    alone = [(how, objects["drop"]) for how, objects, _ in measured]
    beyond = [(how, one) for how, _, one in measured]
    lose, lost, within = _moved(alone, "lose", "gain")
    word, more, of_more = _moved(beyond, "more", "less")
    if not few:
        within, of_more = within + unshown(*alone), of_more + unshown(*beyond, what="not shown to differ")
    parts = [(how, _part(found["places"]["photos"], *of)) for how, *of in measured]
    told, less = either(parts), [f"{how}, {LESS}" for how, part in parts if part.startswith(LESS)]
    if len(less) == 1 < len(parts) and all(part.endswith(BEYOND[0]) for _, part in parts):
        told = f"{BEYOND[0]}; {less[0]}"
    same = span(*(objects["same"] for _, objects, _ in measured), digits=1)
    return (
        f" Objects alone on grey, found in {same} % of searches in their own place, {lose} {lost} elsewhere "
        f"({within}); whole photos lose {more} {word} than they ({of_more})"
        f"{'' if few else f': {told}'}."
    )


def _by_masks(found: dict, than: str = "beyond") -> list[tuple[str, dict, dict]]:
    """By which masks, what objects alone find, and how they compare with whole photos; a second kind's, too.

    Nothing where it was not measured.

    Args:
        found: what audit.json holds.
        than: beyond: by how much more whole photos drop; gain: how much more objects alone find elsewhere.
    """
    places = found.get("places", {})
    if f"{than}_objects" not in places:
        return []
    if not opinion(found) or f"{than}_objects_second" not in places:
        return [("", places["objects"], places[f"{than}_objects"])]
    of = zip(kinds(found), ("", "_second"), strict=True)
    return [(f"by {kind}", places[f"objects{one}"], places[f"{than}_objects{one}"]) for kind, one in of]


def surroundings(found: dict) -> bool | None:
    """Whether what surrounds objects is shown to have a part in the loss elsewhere, by masks of a kind; None: unknown.

    Args:
        found: what audit.json holds.
    """
    measured = _by_masks(found)
    if not measured or comparison.too_few(found["places"]["photos"]["drop"]["classes"]):
        return None
    return BEYOND[1] in [_part(found["places"]["photos"], *of) for _, *of in measured]


def on_grey(found: dict) -> str:
    """Say whether objects alone find more than whole photos elsewhere, too, after a blank; "" if it is not known.

    By masks of two kinds it helps, or finds less, where both show it.
    """
    measured = _by_masks(found, "gain")
    gains = [(how, gain) for how, _, gain in measured]
    if not gains or comparison.too_few(gains[0][1]["classes"]):
        return ""
    shown = {(1,): "In other places that helps, too", (-1,): "In other places it finds less"}
    text = shown.get(tuple({side(gain, 0) for _, gain in gains}), "That it helps in other places is not shown")
    word, more, within = _moved(gains, "more", "less")
    objects = span(*(of["elsewhere"] for _, of, _ in measured), digits=1)
    found_there = f"there objects alone find their class in {objects} % of searches, whole photos in"
    return f" {text}: {found_there} {percent(found['places']['photos']['elsewhere'])}, {more} {word} ({within})."


def _backgrounds(places: dict, few: bool) -> str:
    if "backgrounds" not in places:
        return ""
    same, elsewhere = (percent(places["backgrounds"][where]) for where in ("same", "elsewhere"))
    open_ = "" if few else unshown(("", places["backgrounds"]["drop"]))
    said = f"Backgrounds alone find their class in {same} of searches in their own place, in {elsewhere} elsewhere"
    return f" {said}{open_}."


def _moved(estimates: Estimates, above: str, below: str) -> tuple[str, str, str]:
    """Say on which side of 0 estimates are, how far, and within what: all below, without their signs."""
    word = below if all(one["value"] < 0 for _, one in estimates) else above
    shown = [(how, negative(one) if word == below else one) for how, one in estimates]
    far = points(*(one for _, one in shown))
    return word, far, f"{'depending on which masks are believed: ' * (' to ' in far)}{intervals(shown)}"


def _part(photos: dict, objects: dict, beyond: dict) -> str:
    """Say whether what surrounds objects has a part in a loss that is shown, if objects alone had as much to lose.

    They had if the least that is found of them is as much as the most that photos lose, and if the largest share of it
    that they lose is less than the smallest that photos do, by the ends of the intervals.
    """
    drop, alone, same = photos["drop"], objects["drop"], objects["same"]
    shown = side(beyond, 0)
    if side(drop if shown == 1 else alone, 0) < 1:
        return BEYOND[0]
    as_large_a_share = alone["high"] * photos["same"]["high"] >= drop["low"] * same["low"]  # of what is found
    if shown == 1 and (same["low"] < drop["high"] or as_large_a_share):
        return f"{LESS}, and {BEYOND[0]}"
    return BEYOND[shown]
