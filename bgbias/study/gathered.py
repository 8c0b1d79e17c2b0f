"""The figures of the study's grid, from experiments that have ended."""

from ast import literal_eval
from collections.abc import Callable, Iterable
from functools import reduce
from itertools import product
from operator import or_
from typing import Any

import pandas as pd

from bgbias.errors import InputError, as_input_error
from bgbias.study.counted import counts
from bgbias.study.locked import odd_runs, settings_of
from bgbias.study.results_file import FIGURES, FINDER, KEY

UNFINISHED = ("Queued", "Running", "Failed")  # experiments in these states have the metrics of their commit
READ = ("bgbias/", "stages/", "data/raw/", "data/prepared/", "data/masks/", "data/backgrounds/")
UNREAD = "{}: its dvc.lock or params.yaml does not read: run it again"
SHOWN = ("bgbias/report", "bgbias/study", "stages/report", "stages/study_tables", "stages/summary")  # after the figures


def gather(
    experiments: Iterable[dict[str, Any]], prefix: str, read: Callable[[dict[str, Any], str], str]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Gather the figures of the experiments whose names start with a prefix.

    Of each experiment only what it ran counts: datasets x regimes. The metrics of others are there, too, as they were
    committed, and may be of another loss; of an experiment that has not ended well, all of them, so it is left out,
    with a word on standard output; and so is what one that ran a part of the pipeline did not come to, by its dvc.lock.
    Another word says which did not run with the code and photos of others; a third, how many photos have no
    attention score.

    Args:
        experiments: as `dvc.api.exp_show()` lists them: flat names of metrics and parameters -> values.
        prefix: of the names.
        read: experiment, name -> the text of a file of its commit: of dvc.lock and params.yaml.

    Returns:
        Columns dataset, loss, regime, finder and those of FIGURES; a row where at least one figure is there. And what
        is told beside them: "settings", by dataset those that they were made with, see `locked.settings_of`, None where
        those of a row are unknown; "remarks", sentences for below a table.

    Raises:
        ValueError: no such experiment, none that has ended well, none with figures of its own, two with the same loss,
            or two of one dataset with other settings.
    """
    ended = _ended(experiments, prefix)
    rows, known, held, unscored, settings = {}, {}, [], {}, {}
    for experiment in ended:
        with as_input_error(UNREAD.format(experiment["Experiment"])):
            texts = [read(experiment, name) for name in ("dvc.lock", "params.yaml")]
        for dataset, regime in product(*(literal_eval(experiment[name]) for name in ("datasets", "regimes"))):
            figures = {name: experiment.get(f"{dataset}.{regime}.{metric}") for name, metric in FIGURES.items()}
            if all(pd.isna(value) for value in figures.values()) or _left_out(experiment, dataset, regime, texts):
                continue
            _refuse_others(known, experiment, dataset, regime)
            key = (dataset, experiment["loss"], regime)
            if key in rows:
                raise InputError(f"two experiments named {prefix}... hold {', '.join(key)}: choose a longer prefix")
            of_finder = [experiment[name] for name in experiment if name.startswith(f"{dataset}.{regime}.mask_iou.")]
            rows[key] = {FINDER: any(not pd.isna(value) for value in of_finder)} | figures
            settings.setdefault(dataset, []).append(settings_of(*texts, dataset, regime))
            lost = experiment.get(f"{dataset}.{regime}.attention.clean.undefined")
            unscored[dataset] = max(unscored.get(dataset, 0), 0 if pd.isna(lost) else lost)
            if experiment not in held:
                held.append(experiment)
    if not rows:
        raise InputError(f"no experiment whose name starts with '{prefix}' has figures of its own: run one whole")
    remarks = _remarks(held)
    for remark in remarks:
        print(remark)
    for dataset, photos in sorted((dataset, lost) for dataset, lost in unscored.items() if lost):
        left_out = f"up to {photos:,.0f} photos have no attention score (an empty or a full mask, or no attention)"
        print(f"{dataset}: {left_out} and are left out of its mean, where the study counts an empty mask as 0")
    cells = [(*key, *figures.values()) for key, figures in sorted(rows.items())]
    whole = {dataset: None if None in parts else reduce(or_, parts) for dataset, parts in settings.items()}
    return pd.DataFrame(cells, columns=[*KEY, FINDER, *FIGURES]), {"settings": whole, "remarks": remarks}


def _ended(experiments: Iterable[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """Return those of a name's prefix that have ended well; the others are named on standard output."""
    chosen = [experiment for experiment in experiments if (experiment.get("Experiment") or "").startswith(prefix)]
    if not chosen:
        known = "`dvc exp list` shows the names, `dvc exp list -A` those of other commits: check that one out"
        raise InputError(f"no experiment of this commit has a name that starts with '{prefix}': {known}")
    ended = [experiment for experiment in chosen if experiment.get("State") not in UNFINISHED]
    for experiment in chosen:
        if experiment not in ended:
            print(f"left out, {experiment['State'].lower()}: {experiment['Experiment']}; its metrics are not its own")
    if not ended:
        raise InputError(f"no experiment whose name starts with '{prefix}' has ended well: see `dvc queue status`")
    return ended


def _remarks(held: Iterable[dict[str, Any]]) -> list[str]:
    """Say of experiments in one table which did not run with the same, and that figures are means; sentences."""
    known, remarks = {}, []
    for experiment in held:
        for first, odd in _others(known, experiment).items():
            names = f"{experiment['Experiment']} and {first}"
            remarks.append(f"{names} did not run with the same {', '.join(odd)}: the table holds both")
    for seeds in sorted({seeds for experiment in held if "," in (seeds := str(experiment.get("seeds")))}):
        remarks.append(
            f"figures are means over the seeds {seeds}; ± is over draws of backgrounds, or photos, not over seeds"
        )
    return remarks


def _refuse_others(known: dict, experiment: dict[str, Any], dataset: str, regime: str) -> None:
    """Raise InputError if an experiment before had other settings for a dataset: one table would not say so."""
    for name in (name for name in experiment if counts(name, dataset, regime, experiment["loss"])):
        other, value = known.setdefault((dataset, name), (experiment["Experiment"], experiment[name]))
        if value != experiment[name]:
            found = f"{name} is {value} in {other} and {experiment[name]} in {experiment['Experiment']}"
            raise InputError(f"{found}, and one table would hold both: run them alike, or choose a longer prefix")


def _left_out(experiment: dict[str, Any], dataset: str, regime: str, texts: list[str]) -> bool:
    """Say and return whether the figures of a cell are those of an earlier run, or of a part of one."""
    with as_input_error(UNREAD.format(experiment["Experiment"])):
        odd = [one for kind in odd_runs(*texts, dataset, [regime]) for one in kind]
    if odd:
        cell = f"{dataset} {regime} of {experiment['Experiment']}"
        print(f"left out: {cell}, whose figures are of another run: {odd[0]}; run the experiment whole")
    return bool(odd)


def _others(known: dict, experiment: dict[str, Any]) -> dict[str, list[str]]:
    """What is read to come to figures, and was not the same in the first experiment that read it, by its name."""
    odd = {}
    for name in sorted(name for name in experiment if name.startswith(READ) and not name.startswith(SHOWN)):
        if pd.isna(experiment[name]):
            continue
        first, content = known.setdefault(name, (experiment["Experiment"], experiment[name]))
        if content != experiment[name]:
            odd.setdefault(first, []).append(name)
    return odd
