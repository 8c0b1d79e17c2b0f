"""What audits of networks of several training seeds have measured, kept as `record` keeps what a run has."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.audit.measures import comparable, made_alike, queries
from bgbias.errors import InputError, refuse
from bgbias.metrics import aggregate
from bgbias.metrics.names import METRICS
from bgbias.metrics.paired import compare, ends, over_seeds

DOUBT = "drop_without_doubtful_masks"
TOLD = ("masks", "backgrounds", "made_with")
VIEWS = {"clean": "clean", "swapped": "swapped", "swapped_pool": "second_pool"}  # of an audit -> of a study
VIEWS |= {"same_place_photos": "same_place", "elsewhere_photos": "elsewhere"}  # Recall@1 alone
VIEWS |= {"place_drop_photos": "place_drop", "place_drop_objects": "place_drop_objects"}


def record_audits(dataset: str, regimes: Sequence[str], seeds: Sequence[int], seed: int, folder: Path) -> dict:
    """Gather what audits found of the networks of all regimes and seeds, on the same photos, masks and backgrounds.

    Args:
        dataset: its name.
        regimes: one or more.
        seeds: of the trainings.
        seed: of the resamples.
        folder: of the audits, REGIME_SEED each, of model:models/DATASET/REGIME/SEED.

    Returns:
        As of `record`, without attention: of the views clean and swapped, of second_pool where all audits have the same
        second pool of backgrounds, and Recall@1 by places where all know the same; the drop without photos of doubtful
        masks, if there are some; and as "audits" by which masks, how many of them are in doubt, on which backgrounds,
        and what the audits were made with.

    Raises:
        FileNotFoundError: an audit or a network is missing.
        ValueError: an audit is of another network, of one that was trained again since, of a sample of queries or by
            another seed, most of its masks are in doubt, or two audits are not alike.
    """
    networks = {
        folder / f"{regime}_{number}": f"model:models/{dataset}/{regime}/{number}"
        for regime in regimes
        for number in seeds
    }
    audits = [files.read_json(folder / "audit.json") for folder in networks]
    tables, means, scores = _alike(networks, audits), {}, {}
    first = audits[0]
    if (drawn := first["made_with"]["seed"]) != seed:
        raise InputError(f"{folder}: audits by the seed {drawn}, params.yaml has {seed}: audit again, or correct it")
    for place, regime in enumerate(regimes):
        part = slice(place * len(seeds), (place + 1) * len(seeds))
        comparable.refuse_no_seeds(list(networks)[part])
        means[regime], _ = over_seeds(tables[part], list(networks)[part])
        counts = {"seeds": len(seeds), "queries": len(means[regime]), "attention": {}}
        scores[regime] = counts | aggregate.over_views(list(map(_scores, tables[part], audits[part])))
    differences = {
        f"{later} - {earlier}": ends(compare(means[earlier], means[later], seed, (earlier, later)))
        for earlier, later in combinations(regimes, 2)
    }
    classes, swapped = means[regimes[0]]["class"].nunique(), {name: first[name] for name in TOLD}
    swapped["doubtful"] = {kind: len(paths) for kind, paths in first["mask_doubt"]["flagged"].items()}
    if "recall_at_1_second_pool" in tables[0]:
        swapped["second_pool"] = first["second_backgrounds"]["backgrounds"]
    return {"seeds": list(seeds), "classes": classes, "audits": swapped, "regimes": scores, "differences": differences}


def _alike(networks: Mapping[Path, str], audits: Sequence[dict]) -> list[pd.DataFrame]:
    """Read the tables of audits of these networks, with the measures of VIEWS; refuse what is not alike."""
    folders, found = list(networks), dict(zip(networks, audits, strict=True))
    specs = {folder: audit["embedder"] for folder, audit in found.items()}
    odd = [f"{folder} ({spec})" for folder, spec in specs.items() if spec != networks[folder]]
    refuse(odd, f"audits of other networks than {networks[folders[0]]} and the like; audit those")
    marks = {folder: files.checksum(Path(spec.removeprefix("model:")))[:16] for folder, spec in networks.items()}
    again = [folder for folder, audit in found.items() if audit.get("embedder_mark") != marks[folder]]
    refuse(again, "audits of networks that were trained again since, or of an earlier version; audit them again")
    doubtful = filter(comparable.in_doubt, folders)
    refuse(doubtful, "most masks are in doubt, so nothing is known of backgrounds; mend them")
    tables = comparable.tables([queries.read(folder) for folder in folders], folders)
    for folder in folders[1:]:
        made_alike.refuse_unlike(folders[0], folder)
    refuse(made_alike.drawn_otherwise(folders), "other draws are no other seeds; audit all again")
    sampled = [folder for folder, table in zip(folders, tables, strict=True) if "recall_at_1_swapped" not in table]
    refuse(sampled, "audits of samples of queries, whose galleries are not swapped; audit all photos")
    measures = {f"{metric}_{view}": f"{metric}_{name}" for view, name in VIEWS.items() for metric in METRICS}
    tables = [table[["class", *filter(table.columns.__contains__, measures)]] for table in tables]
    return [table.rename(columns=measures) for table in tables]


def _scores(table: pd.DataFrame, audit: dict) -> dict[str, aggregate.Scores]:
    """Return Recall@1 and MAP@R of each view of an audit, and of the drop without photos of doubtful masks."""
    scores = {
        view: {metric: float(table[name].mean()) for metric in METRICS if (name := f"{metric}_{view}") in table}
        for view in VIEWS.values()
        if f"recall_at_1_{view}" in table
    }
    without = audit["mask_doubt"].get("drop_without")
    return scores | ({DOUBT: {metric: without[metric]["value"] for metric in METRICS}} if without else {})
