"""What the verdict says of the parts of photos: what object and background find by themselves."""

from bgbias.audit.verdict.kinds import kind
from bgbias.audit.verdict.wording import concluded, interval, percent, side

COVERED = {  # view -> how the object is covered; of the last, neither silhouette nor box can be seen
    "background_silhouette": "with its silhouette filled",
    "background_box_blacked": "with its box blacked",
    "background_box_tiled": "with its box tiled over",
}
STRICTEST = "background_box_tiled"
ALONE = {  # view -> on what
    "foreground_black": "on black",
    "foreground_grey": "on grey",
}


def background_only(found: dict, chance: float | None) -> list[str]:
    """Say what is found where the object is taken away: of what class, or which photo; `chance`: of guessing."""
    recalls = {view: scores["recall_at_1"] for view, scores in found["background_only_against_clean"].items()}
    if chance is None or any(recall["low"] is None for recall in recalls.values()):
        return []
    shares = ", ".join(f"{percent(recalls[view])} {how} ({interval(recalls[view])})" for view, how in COVERED.items())
    above = [view for view in COVERED if side(recalls[view], chance) == 1]
    search = kind(found)
    if STRICTEST in above:
        outcome = f"the surroundings tell it {search.told}"
    elif above:
        seen = "more than guessing only where a silhouette or a box is left to see"
        outcome = f"{seen}, which may be what tells {search.told}"
    else:
        outcome = "not shown to be more than guessing"
    told = concluded(recalls[STRICTEST], outcome)
    return [
        f"With the object taken away, a photo still finds {search.itself} among the clean ones in {shares}, of "
        f"{recalls[STRICTEST]['queries']} queries; guessing would in {100 * chance:.1f} %{told}."
    ]


def object_alone(found: dict) -> str:
    """Say what objects alone find of photos that search for themselves."""
    recalls = {view: scores["recall_at_1"] for view, scores in found["object_alone_against_clean"].items()}
    shares = ", ".join(f"{percent(recalls[view])} {how} ({interval(recalls[view])})" for view, how in ALONE.items())
    return f"Objects alone find their photos among the clean ones in {shares}."


def left_out(photos: int, probed: int, probed_chance: float | None) -> list[str]:
    """Say how many photos cannot be shown without their object; nothing where all can."""
    why = "their masks show no object, or one whose box leaves hardly any background"
    if probed_chance is None:
        return [f"Too few photos can be shown without their object ({probed} of {photos}; the others: {why})."]
    if probed == photos:
        return []
    return [f"{photos - probed} of {photos} photos are left out where the object is taken away: {why}."]
