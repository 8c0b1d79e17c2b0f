"""With which settings and files the stages ran whose results are there, by dvc.lock."""

from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from itertools import product
from typing import Any

from ruamel.yaml import YAML

from bgbias.study import counted


def odd_runs(lock: str, params: str, dataset: str, regimes: Sequence[str]) -> tuple[list[str], list[str]]:
    """List the stages behind the figures of some regimes that did not run as params.yaml says, or as one another.

    Args:
        lock: the text of dvc.lock; stages that it does not name are passed over.
        params: that of params.yaml, whose seeds are those of the trainings.
        dataset: its name.
        regimes: which.

    Returns:
        What ran with other settings, and what with other code, photos, masks, backgrounds or networks than the rest.

    >>> lock = "stages: {train@demo-base-1: {params: {params.yaml: {loss: arcface}}}}"
    >>> odd_runs(lock, "{loss: triplet, seeds: [1]}", "demo", ["base"])
    (['train@demo-base-1 with loss arcface'], [])
    """
    stages, now = dict(_read(lock)["stages"]), _read(params)
    ran = {name: stages[name] for name in _behind(dataset, regimes, now["seeds"]) if name in stages}
    used = [(name, key, its) for name in ran for key, its in ran[name].get("params", {}).get("params.yaml", {}).items()]
    held = [
        (name, part["path"], part["md5"])
        for name in ran
        for kind in ("outs", "deps")
        for part in ran[name].get(kind, ())
    ]  # of a network its training, and what embedded it
    settings = [
        f"{name} with {what}"
        for name, key, its in used
        for what in _others(key, its, reduce(lambda block, part: (block or {}).get(part), key.split("."), now))
    ]
    first = {path: digest for _, path, digest in reversed(held)}
    others = [f"{name} with another {path}" for name, path, digest in held if digest != first[path]]
    return settings, others + [f"{name} with another {path}" for name, path in _other_folders(ran)]


def settings_of(lock: str, params: str, dataset: str, regime: str) -> dict[str, Any] | None:
    """Return the settings that the figures of one cell were made with; None where dvc.lock lacks a stage behind them.

    >>> settings_of("stages: {}", "{loss: triplet, seeds: [1]}", "demo", "base")
    """
    now = _read(params)
    if not set(_behind(dataset, [regime], now["seeds"])) <= set(_read(lock)["stages"]):
        return None
    found = {"seeds": now["seeds"], **counted.settings(now, dataset, [regime])}
    return {name: value for name, value in found.items() if name != "threads"}


def _behind(dataset: str, regimes: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """The stages that the figures of some regimes come from."""
    cells = [f"{dataset}-{regime}" for regime in regimes]
    trained = product(("train", "embed", "attention"), cells, seeds)
    return [
        *(f"{stage}@{dataset}" for stage in ("raw", "prepare", "masks", "backgrounds")),
        *(f"evaluate@{cell}" for cell in cells),
        *(f"{stage}@{cell}-{seed}" for stage, cell, seed in trained),
    ]


def _other_folders(ran: dict[str, dict]) -> Iterator[tuple[str, str]]:
    """What a stage read of several: folders of as many files as these have written, of another size.

    A folder has one MD5, of all that is in it, whichever stages have written that; of more files it holds other seeds.
    """
    outs = [out for stage in ran.values() for out in stage.get("outs", ())]
    for name, stage in ran.items():
        for dep in stage.get("deps", ()):
            within = [out for out in outs if out["path"].startswith(f"{dep['path']}/")]
            files, sizes = (sum(out.get(count, 0) for out in within) for count in ("nfiles", "size"))
            if files and files == dep.get("nfiles") and sizes != dep.get("size"):
                yield name, dep["path"]


def measured(lock: str, dataset: str, regimes: Sequence[str]) -> dict[str, str]:
    """Return the metrics files of some regimes, and the MD5 of each as its stage wrote it.

    >>> lock = "stages: {evaluate@demo-base: {outs: [{path: metrics/evaluate/demo/base.json, md5: 0eb0}]}}"
    >>> measured(lock, "demo", ["base", "cure"])
    {'metrics/evaluate/demo/base.json': '0eb0'}
    """
    stages = _read(lock)["stages"]
    outs = [out for regime in regimes for out in stages.get(f"evaluate@{dataset}-{regime}", {}).get("outs", ())]
    return {out["path"]: out["md5"] for out in outs if out["path"].startswith("metrics/")}


@lru_cache(maxsize=2)
def _read(text: str) -> dict:
    """Of one experiment the cells are asked for one by one, and reading dvc.lock takes half a second."""
    return YAML(typ="safe").load(text)


def _others(key: str, its: object, now: object) -> Iterator[str]:
    """The values below a key that differ now."""
    if isinstance(its, dict) and isinstance(now, dict):
        for part in its | now:
            yield from _others(f"{key}.{part}", its.get(part), now.get(part))
    elif its != now:
        yield f"{key} {its}"
