"""What to do after an audit, the cheapest first, with commands that run."""

from collections.abc import Mapping

from bgbias.audit.verdict import commands, places, retraining, sensitivity
from bgbias.audit.verdict.commands import Step
from bgbias.audit.verdict.grade import FEWEST, MAY_LOSE, above_chance, doubtful, too_few
from bgbias.audit.verdict.kinds import kind
from bgbias.audit.verdict.own_split import OwnSplit
from bgbias.audit.verdict.wording import most, side, span
from bgbias.report.tables import MOST

NOT_OF_REMEDIES = ("second_masks", "second_backgrounds", "queries", "quick", "out")  # options of an audit
BELIEVE = {  # where the drop depends on it
    "masks": "See which masks fit the objects, give these (--masks DIR), and audit again: the loss depends on them.",
    "backgrounds": "See which pool is like the places where photos are searched, and believe its figures: the loss "
    "depends on it.",
}
OF_ONE_EACH = (
    "Train with random backgrounds behind the objects, on products of which you have several photos: docs/own_loop.md "
    "adds that to a training loop of yours. Audits of such photos, without --one-each, measure more, and remedies that "
    "need no retraining."
)


def steps(
    found: dict,
    asked: Mapping[str, str],
    seed: int,
    regime: str = "bgconsistency",
    network: str = "small_resnet, 64 px",
    rendered: bool = False,
    split: OwnSplit | None = None,
) -> list[Step]:
    """Choose what to do, by what was measured.

    Args:
        found: what audit.json holds.
        asked: the options of `stages.audit` as they were given, without dashes, those of photos or dataset, embedder
            and out among them.
        seed: of the networks that the pipeline trains.
        regime: in which it should, see `retraining.cure`.
        network: that it trains, and the side of its pictures.
        rendered: whether the backgrounds are this project's.
        split: how the pipeline is to split a folder's classes; None: of its datasets.

    Returns:
        Steps, at least one.
    """
    if doubtful(found):
        said = "Give masks of your own, or make them by another method, and audit again."
        if len(found["mask_doubt"]["flagged"]["border"]) > MOST * found["photos"]:
            said += " Most of these masks cover the photos' border, as inverted masks do: white has to be the object."
        return [{"said": said, "commands": _better_masks(found, asked)}]
    search = kind(found)
    if too_few(found):
        said = f"{search.more.format(fewest=FEWEST)}: the figures of fewer say nothing of others."
        return [{"said": said, "commands": []}]
    if not above_chance(found):
        said = (
            f"First see that the model {search.works}: that it is trained, and that input_px, mean, sd and channels in "
            "its SPEC are what it was trained with. Then audit again."
        )
        return [{"said": said, "commands": []}]
    drops = sensitivity.drops(found)
    doubts = [*_if_grabcut(found, asked), *_if_unlike(found), *(_second_pool(found, asked) if rendered else [])]
    sides, largest = set(sensitivity.sides(drops, 0)), max(most(drop) for _, drop in drops)
    if sides == {1} and search.one_each:
        return [*doubts, {"said": OF_ONE_EACH, "commands": []}]
    if sides == {1}:
        apart = found.get("sample", {}).get("apart", False)
        last = retraining.step(asked, seed, regime, network, apart, split)
        before = [] if retraining.already(asked, regime) else _elsewhere(found)
        return [*doubts, *_on_grey(found), *_remedies(asked), *before, last]
    if 1 in sides:
        said = " ".join(BELIEVE[what] for what in sensitivity.decisive(drops, 0))
    elif largest > MAY_LOSE:
        said = f"Audit more photos, for a loss of up to {100 * largest:.1f} points is not excluded."
    else:
        said = "Do nothing against backgrounds, by these photos; audit again when photos or model change."
    return [*doubts, {"said": said, "commands": []}]


def _better_masks(found: dict, asked: Mapping[str, str]) -> list[str]:
    if found["masks"] == "rembg":
        return []
    if "dataset" in asked:
        made = [f"{commands.run(asked)} -S masks.{asked['dataset']}.method=rembg masks"]
        return [*made, commands.again(asked, out=f"{asked['out']}_rembg")]
    changed = {"masks": None, "mask_method": "rembg", "out": f"{asked['out']}_rembg"}
    if asked.get("second_masks") == "rembg":
        changed["second_masks"] = None  # the same masks twice are refused
    return [commands.again(asked, **changed)]


def _if_grabcut(found: dict, asked: Mapping[str, str]) -> list[Step]:
    if found["masks"] != "grabcut":
        return []
    said = (
        "The masks are GrabCut's, which are often wrong: look at them, and see whether better ones change the figures."
    )
    return [{"said": said, "commands": _better_masks(found, asked)}]


def _if_unlike(found: dict) -> list[Step]:
    second = sensitivity.opinion(found)
    if second is None or found["masks"] == "grabcut" or second["unlike_share"] <= MOST:
        return []
    kinds, share = " and ".join(sensitivity.kinds(found)), f"{100 * second['unlike_share']:.0f} %"
    said = (
        f"Look at the masks before anything else: on {share} of the photos {kinds} differ by more than they have in "
        "common, so one of the two at least does not show the object there. Masks of other photos do that, too."
    )
    return [{"said": said, "commands": []}]


def _second_pool(found: dict, asked: Mapping[str, str]) -> list[Step]:
    """Hold another pool beside rendered backgrounds, where the audit may have one and has none."""
    if "gap" not in found or found["second_backgrounds"]:
        return []
    said = (
        "Hold the photos' own backgrounds beside these, which are landscapes and patterns: how much is lost depends on "
        "what is swapped in. Best are pictures of places where people take the photos that they search with "
        "(--backgrounds)."
    )
    beside = {"second_backgrounds": "photos", "out": f"{asked['out']}_own_backgrounds"}
    return [{"said": said, "commands": [commands.again(asked, **beside)]}]


def _on_grey(found: dict) -> list[Step]:
    gain = found.get("grey_gain", {}).get("recall_at_1")
    if gain is None or side(gain, 0) != 1:
        return []
    grey, clean = (found["views"][view]["recall_at_1"] for view in ("foreground_grey", "clean"))
    swapped, *second = [share for _, share in sensitivity.remaining(found)]
    if any(side(grey, share["value"]) != 1 for share in second):
        return []
    now, then, own = span(swapped, *second, digits=0), span(grey, digits=0), span(clean, digits=0)
    said = (
        f"Show queries and gallery as objects alone on grey, cut out by masks like these: then at best {then} of 100 "
        f"searches find the right product on any background, instead of {now} on other backgrounds and {own} on their "
        "own. At best, for these masks have also made the swapped photos. No training is needed, but a mask of every "
        f"photo (bgbias.ablations.on_colour).{places.on_grey(found)}"
    )
    return [{"said": said, "commands": []}]


def _remedies(asked: Mapping[str, str]) -> list[Step]:
    said = "Measure what other remedies recover on these photos, such as crops of the object; nothing is trained."
    options = {name: value for name, value in asked.items() if name not in NOT_OF_REMEDIES}
    command = commands.command("remedies", options | {"out": f"{asked['out']}/remedies.json"})
    return [{"said": said, "commands": [command]}]


def _elsewhere(found: dict) -> list[Step]:
    if places.surroundings(found) is not False:
        return []
    said = (
        "Before you train see what is lost in other places: that surroundings take a part of it is not shown, so how "
        "much of what training wins on other backgrounds it wins there is open (docs/places.md)."
    )
    return [{"said": said, "commands": []}]
