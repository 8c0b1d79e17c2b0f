"""What a run has measured, kept in one file that documents can quote."""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pandas as pd
from ruamel.yaml import YAML

from bgbias import files
from bgbias.errors import as_input_error, refuse
from bgbias.metrics.names import METRICS
from bgbias.metrics.paired import compare
from bgbias.report import recorded

VIEWS = ("clean", "swapped")
ENDS = ["difference", "low", "high"]
KIND = ("dataset", "loss", "seeds")  # of a study, beside its regimes


def record(dataset: str, regimes: Sequence[str], seeds: Sequence[int], seed: int, root: Path = Path()) -> dict:
    """Gather the scores of all regimes of one dataset and what they differ by.

    Args:
        dataset: its name.
        regimes: one or more, evaluated and with attention scores.
        seeds: of the trainings.
        seed: of the resamples.
        root: the folder of data and metrics.

    Returns:
        "seeds", "classes" (of the test photos), "regimes": regime -> its metrics, as the stage evaluate wrote them, and
        "differences": "LATER - EARLIER" -> measure -> difference, low, high (95 % interval by bootstrap over classes,
        seeds averaged): Recall@1 and MAP@R as shares, `attention_score` as it is, of clean and swapped photos.

    Raises:
        FileNotFoundError: a stage has not run.
        ValueError: a file does not read, or metrics are of another number of seeds, or of another run than the rest.
    """
    found = recorded.read(dataset, regimes, seeds, 0, ["swapped"], root)
    classes = found.queries[regimes[0]]["class"]
    measures = [f"{metric}_{view}" for metric in METRICS for view in VIEWS]
    attention = {
        regime: _attention(root, dataset, regime, seeds, metrics["attention"])
        for regime, metrics in found.metrics.items()
    }
    differences = {}
    for earlier, later in combinations(regimes, 2):
        names = (earlier, later)
        retrieval = compare(*(found.queries[name][["class", *measures]] for name in names), seed, names)
        scores = compare(*(attention[name] for name in names), seed, names)
        rows = pd.concat([retrieval, scores])[ENDS].astype(object)
        differences[f"{later} - {earlier}"] = rows.where(rows.notna(), None).to_dict("index")
    return {
        "seeds": list(seeds),
        "classes": classes.nunique(),
        "regimes": found.metrics,
        "differences": differences,
    }


def refuse_other_runs(dataset: str, regimes: Sequence[str], seeds: Sequence[int]) -> None:
    """Raise InputError if dvc.lock says that the stages of a record ran with other settings than params.yaml names.

    Or some of them with other code, photos, masks or backgrounds than the rest: then what it records is no one run.
    """
    lock = Path("dvc.lock")
    if not lock.is_file():
        return
    cells = [f"{dataset}-{regime}" for regime in regimes]
    names = [f"{stage}@{dataset}" for stage in ("raw", "prepare", "masks", "backgrounds")]
    names += [f"evaluate@{cell}" for cell in cells]
    names += [f"{stage}@{cell}-{seed}" for stage in ("train", "embed", "attention") for cell in cells for seed in seeds]
    with as_input_error(f"{lock}: does not read: `git restore {lock}`, or delete it and run `dvc repro`"):
        stages = dict(YAML(typ="safe").load(lock)["stages"])
        ran = {name: stages[name] for name in names if name in stages}
        used = [(name, key, its) for name in ran for key, its in ran[name]["params"]["params.yaml"].items()]
        read = [(name, dep["path"], dep["md5"]) for name in ran for dep in ran[name].get("deps", ())]
    params = YAML(typ="safe").load(Path("params.yaml"))
    odd = [
        f"{name} with {what}"
        for name, key, its in used
        for what in _others(key, its, reduce(lambda block, part: (block or {}).get(part), key.split("."), params))
    ]
    refuse(
        odd, "params.yaml names other settings than these ran with; `dvc repro` runs them with those, or name theirs"
    )
    first = {path: digest for _, path, digest in reversed(read)}
    odd = [f"{name} with another {path}" for name, path, digest in read if digest != first[path]]
    refuse(odd, "these did not run with what the others ran with; `dvc repro` runs what is stale")


def _others(key: str, its: object, now: object) -> Iterator[str]:
    """The values below a key that differ now."""
    if isinstance(its, dict) and isinstance(now, dict):
        for part in its | now:
            yield from _others(f"{key}.{part}", its.get(part), now.get(part))
    elif its != now:
        yield f"{key} {its}"


def refuse_to_lose(path: Path, found: dict) -> None:
    """Raise InputError if the file holds a study of another dataset or loss, or of other regimes or seeds."""
    if not path.exists():
        return
    before = files.read_json(path)
    kinds = [{key: of.get(key) for key in KIND} | {"regimes": sorted(of.get("regimes", ()))} for of in (before, found)]
    odd = [f"{key} {kinds[0][key]} instead of {kinds[1][key]}" for key in kinds[0] if kinds[0][key] != kinds[1][key]]
    refuse(odd, f"{path} holds another study; choose another name, or add --replace to lose it")


def _attention(root: Path, dataset: str, regime: str, seeds: Sequence[int], metrics: dict) -> pd.DataFrame:
    """A table of the photos whose attention was scored, lone ones too: their classes, and mean scores over seeds."""
    scored, folder = [], root / "data/attention" / dataset / regime
    file = root / "data/embeddings" / dataset / regime / str(seeds[0]) / "images.csv"
    classes = files.read_csv(file, ["image_id", "class_id"], dtype=int).set_index("image_id").class_id
    for seed in seeds:
        kinds = dict.fromkeys(VIEWS, float) | {"image_id": int}
        path = folder / str(seed) / "scores.csv"
        scored.append(files.read_csv(path, list(VIEWS), index_col="image_id", dtype=kinds)[list(VIEWS)])
    for view in VIEWS:
        figure, mean = metrics[view]["mean"], fmean(of_seed[view].mean() for of_seed in scored)
        if figure is not None:
            recorded.refuse_mixed(regime, f"attention score of {view}", figure, mean, folder)
    means = sum(scored) / len(scored)
    return means.add_prefix("attention_score_").assign(**{"class": classes[means.index]})
