"""What a run has measured, kept in one file that documents can quote."""

from collections.abc import Sequence
from hashlib import md5
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pandas as pd

from bgbias import files
from bgbias.errors import as_input_error, refuse
from bgbias.metrics.names import METRICS
from bgbias.metrics.paired import compare, ends
from bgbias.report import recorded
from bgbias.study.locked import measured, odd_runs

VIEWS = ("clean", "swapped")
KIND = ("dataset", "loss", "seeds", "audits")  # of a study, beside its regimes and settings


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
        differences[f"{later} - {earlier}"] = ends(pd.concat([retrieval, scores]))
    return {
        "seeds": list(seeds),
        "classes": classes.nunique(),
        "regimes": found.metrics,
        "differences": differences,
    }


def refuse_other_runs(dataset: str, regimes: Sequence[str]) -> None:
    """Raise InputError if dvc.lock says that the stages of a record ran with other settings than params.yaml names.

    Or some of them with other code, photos, masks, backgrounds or networks than the rest, or that metrics are no more
    what was measured: then what it records is no one run.
    """
    lock = Path("dvc.lock")
    if not lock.is_file():
        return
    with as_input_error(f"{lock}: does not read: `git restore {lock}`, or delete it and run `dvc repro`"):
        ran, params = (path.read_text(encoding="utf-8") for path in (lock, Path("params.yaml")))
        settings, others = odd_runs(ran, params, dataset, regimes)
        written = measured(ran, dataset, regimes)
    refuse(
        settings,
        "params.yaml names other settings than these ran with; `dvc repro` runs them with those, or name theirs",
    )
    refuse(others, "these did not run with what the others ran with; `dvc repro` runs what is stale")
    changed = [path for path, digest in written.items() if Path(path).is_file() and _md5(Path(path)) != digest]
    refuse(changed, "changed since they were measured; `dvc repro` measures again")


def _md5(path: Path) -> str:
    """As DVC writes it into dvc.lock."""
    return md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def refuse_to_lose(path: Path, found: dict) -> None:
    """Raise InputError if the file holds a study of another dataset, loss, regimes, seeds, settings or audits.

    Where it does not tell its settings, other figures are taken for a sign of others.
    """
    if not path.exists():
        return
    before = files.read_json(path)
    then, now = (
        {key: of.get(key) for key in KIND} | {"regimes": sorted(of.get("regimes", ()))} | of.get("settings", {})
        for of in (before, found)
    )
    if "settings" not in before:
        then |= {name: now[name] for name in found["settings"]}
    odd = [f"{key} {then.get(key)} instead of {now.get(key)}" for key in then | now if then.get(key) != now.get(key)]
    if not odd and "settings" not in before and before["regimes"] != found["regimes"]:
        odd = ["other figures, and settings that it does not tell"]
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
