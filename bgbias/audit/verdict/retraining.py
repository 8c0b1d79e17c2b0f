"""The last of the advice after an audit: to train on other backgrounds, with the commands for these photos."""

import shlex
from collections.abc import Mapping

from bgbias.audit.verdict import commands
from bgbias.audit.verdict.grade import FEWEST
from bgbias.audit.verdict.own_split import LEAST, OwnSplit
from bgbias.config import params

OF_DATASETS = ("second_masks", "second_backgrounds", "places", "queries", "quick")  # that audits of these take, too
TOO_FEW = (
    f"The pipeline needs {LEAST} classes of two photos or more for each of training, validation and test: add classes. "
    "To train a network of yours with random backgrounds see docs/own_loop.md."
)


def cure(training: params.Training) -> str:
    """Name the regime to train in: pretrained networks are tuned so briefly that the consistency has to rise."""
    return "bgconsistency" if training.weights == "scratch" else "rising"


def already(asked: Mapping[str, str], regime: str) -> bool:
    """Whether the model is one that was trained here in the regime."""
    return asked["embedder"].startswith(f"model:models/{asked.get('dataset', 'own')}/{regime}/")


def step(
    asked: Mapping[str, str], seed: int, regime: str, network: str, apart: bool, split: OwnSplit | None
) -> commands.Step:
    """Say how to train on the audited photos, and audit before and after.

    Args:
        asked: as of `advice.steps`, and so are the next three.
        seed: of the networks.
        regime: in which to train.
        network: its name, for the reader.
        apart: whether queries and gallery are kept apart.
        split: of a folder's classes; None: of the pipeline's datasets.
    """
    dataset, own = asked.get("dataset", "own"), "photos" in asked
    if already(asked, regime):
        said = f"It was trained in the regime {regime} already: docs/cure.md says what else there is."
        return {"said": said, "commands": []}
    said = (
        f"Train with random backgrounds behind the objects (the regime {regime}). These commands train this project's "
        f"network ({network}); for one of yours see docs/own_loop.md."
    )
    if split:
        if not split.classes:
            return {"said": TOO_FEW, "commands": []}
        said += f" {split.classes} classes are for training, {split.tested} for test, the others for validation."
        if split.changes:
            said += " So few need other settings than the default ones."
        if split.tested < FEWEST:
            said += f" Audits of fewer than {FEWEST} test classes conclude nothing: add classes before."
    if own:
        said += " Without a network add -S backgrounds.own.source=rendered."
    if "masks" in asked:
        said += " The pipeline makes masks of its own, by GrabCut, unless a photos.csv beside the photos names yours."
    audits = {f"{asked['out']}_{regime}": f"model:models/{dataset}/{regime}/{seed}"}
    if own:  # the same test photos for both
        audits = {f"{asked['out']}_before": asked["embedder"]} | audits
    if apart:
        kept = f"audits of {commands.RAW} keep queries and gallery apart"
        said += f" The pipeline lets every test photo search all others; {kept}."
        again = [commands.again(asked, photos=commands.RAW, embedder=spec, out=out) for out, spec in audits.items()]
    else:
        beside = {name: asked[name] for name in OF_DATASETS if name in asked}
        if beside.get("second_masks") == "given":  # that a dataset has none of
            del beside["second_masks"]
        again = [
            commands.command("audit", {"dataset": dataset, "embedder": spec, "out": out} | beside)
            for out, spec in audits.items()
        ]
    train = f"{commands.run(asked, split and split.changes)} -S 'regimes=[base,{regime}]'"
    again.append(shlex.join(["python", "-m", "stages.compare", *([] if own else [asked["out"]]), *audits]))
    return {"said": said, "commands": [*(commands.copied(asked["photos"]) if own else []), train, *again]}
