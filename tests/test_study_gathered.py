"""The figures of the study's grid, gathered from experiments: what is theirs, and what goes together."""

import re

import pandas as pd
import pytest

from bgbias.metrics.names import METRICS
from bgbias.study import gathered, results_file
from bgbias.study.locked import odd_runs
from stages import gather


def experiment(name, loss, **figures):
    """An experiment as dvc.api.exp_show lists it."""
    metrics = {f"{key.replace('__', '.')}": value for key, value in figures.items()}
    lists = {"datasets": "['demo']", "regimes": "['base', 'bgaugment']"}
    return {"Experiment": name, "loss": loss, "seed": 42.0, **lists, **metrics}


def of_experiments(experiments, prefix, lock="stages: {}", params="seeds: [42]"):
    """What is gathered of experiments whose commits have these files."""
    files = {"dvc.lock": lock, "params.yaml": params}
    rows, told = gathered.gather(experiments, prefix, lambda experiment, name: files[name])
    rows.attrs["remarks"] = told["remarks"]
    return rows


BASE = {
    "demo__base__clean__map_at_r": 0.5,
    "demo__base__swapped__map_at_r": 0.1,
    "demo__base__swapped__map_at_r_sd": 0.01,
}


def test_named_experiments_become_rows():
    rows = of_experiments(
        [
            experiment("study-triplet", "triplet", **BASE),
            experiment("study-arcface", "arcface", demo__bgaugment__attention__clean__mean=0.25),
            experiment("other", "contrastive", **BASE),
            {"Experiment": None, "rev": "workspace", "loss": "triplet"},
        ],
        "study-",
    )
    assert rows[results_file.KEY].to_numpy().tolist() == [["demo", "arcface", "bgaugment"], ["demo", "triplet", "base"]]
    assert rows.attention[0] == 0.25 and rows.swapped_map_at_r_sd[1] == 0.01 and pd.isna(rows.attention[1])


def test_a_network_with_a_finder_is_known_by_how_well_its_finder_finds():
    found = BASE | {"demo__bgaugment__clean__map_at_r": 0.5, "demo__bgaugment__mask_iou__clean__images": 9.0}
    found |= {"demo__base__mask_iou__clean__images": float("nan")}  # another experiment's, or commit's
    rows = of_experiments([experiment("study-triplet", "triplet", **found)], "study-")
    assert dict(zip(rows.regime, rows.finder, strict=True)) == {"base": False, "bgaugment": True}


def test_each_figure_is_of_the_metric_that_it_names():
    names = [f"{view}_{metric}{sd}" for view in ("clean", "swapped") for metric in METRICS for sd in ("", "_sd")]
    shown = {f"demo__base__{name.replace('_', '__', 1)}": place / 10 for place, name in enumerate(names)}
    shown |= {f"demo__base__attention__{view}__mean": of for view, of in (("clean", 0.8), ("swapped", 0.9))}
    shown |= {f"demo__base__attention__{view}__sd": of for view, of in (("clean", 0.08), ("swapped", 0.09))}
    row = of_experiments([experiment("study-triplet", "triplet", **shown)], "study-").iloc[0]
    found = {name: row[name] for name in results_file.FIGURES}
    expected = {name: names.index(name) / 10 for name in found if "attention" not in name}
    assert found == expected | {"attention": 0.8, "attention_sd": 0.08}


def test_what_an_experiment_did_not_run_is_not_its():
    committed = {"demo__bgconsistency__clean__map_at_r": 0.7, "grocery__base__clean__map_at_r": 0.6}
    rows = of_experiments([experiment("study-triplet", "triplet", **BASE, **committed)], "study-")
    assert rows[results_file.KEY].to_numpy().tolist() == [["demo", "triplet", "base"]]


@pytest.mark.parametrize("state", ["Failed", "Running", "Queued"])
def test_an_experiment_that_has_not_ended_well_shows_figures_of_its_commit_and_is_left_out(capsys, state):
    unfinished = experiment("study-triplet", "triplet", **BASE) | {"State": state, "data/raw/demo": "other"}
    ended = experiment("study-arcface", "arcface", **BASE) | {"State": "Success", "data/raw/demo": "a"}
    assert of_experiments([unfinished, ended], "study-").loss.tolist() == ["arcface"]
    assert capsys.readouterr().out == f"left out, {state.lower()}: study-triplet; its metrics are not its own\n"
    with pytest.raises(ValueError, match="no experiment whose name starts with 'study-' has ended well: see"):
        of_experiments([unfinished], "study-")


def test_no_experiment_of_the_name_is_refused():
    with pytest.raises(
        ValueError, match="no experiment of this commit has a name that starts with 'study-': `dvc exp list`"
    ):
        of_experiments([experiment("other", "triplet", **BASE)], "study-")


LOCK = """stages:
  train@demo-base-42:
    params: {params.yaml: {loss: triplet}}
    outs: [{path: models/demo/base/42, md5: new.dir}]
  embed@demo-base-42:
    params: {params.yaml: {}}
    deps: [{path: models/demo/base/42, md5: new.dir}]
  train@demo-bgaugment-42:
    params: {params.yaml: {loss: normalized_softmax}}
"""


def test_what_an_experiment_of_one_target_did_not_run_is_left_out(capsys):
    one = experiment("study-triplet", "triplet", **BASE, demo__bgaugment__clean__map_at_r=0.7)
    params = "{loss: triplet, seeds: [42]}"
    rows = of_experiments([one], "study-", LOCK, params)
    assert rows[results_file.KEY].to_numpy().tolist() == [["demo", "triplet", "base"]]
    left = "left out: demo {} of study-triplet, whose figures are of another run: {}; run the experiment whole\n"
    other_loss = left.format("bgaugment", "train@demo-bgaugment-42 with loss normalized_softmax")
    assert capsys.readouterr().out == other_loss
    lock = LOCK.replace("deps: [{path: models/demo/base/42, md5: new", "deps: [{path: models/demo/base/42, md5: old")
    with pytest.raises(ValueError, match="no experiment whose name starts with 'study-' has figures of its own: run"):
        of_experiments([one], "study-", lock, params)
    other_network = left.format("base", "embed@demo-base-42 with another models/demo/base/42")
    assert capsys.readouterr().out == other_network + other_loss


@pytest.mark.parametrize(("files", "size", "kept"), [(4, 20, True), (4, 21, False), (6, 30, True)])
def test_figures_of_other_attention_maps_than_the_experiment_made_are_left_out(capsys, files, size, kept):
    out = "attention@demo-base-{0}: {{outs: [{{path: data/attention/demo/base/{0}, md5: a, nfiles: 2, size: 10}}]}}"
    dep = (
        f"{{path: data/attention/demo/base, md5: b, nfiles: {files}, size: {size}}}"  # of six: another seed's are left
    )
    lock = f"stages: {{{out.format(42)}, {out.format(43)}, evaluate@demo-base: {{deps: [{dep}]}}}}"
    both = [experiment("study-triplet", "triplet", **BASE), experiment("study-arcface", "arcface")]
    if kept:
        assert len(of_experiments(both, "study-", lock, "seeds: [42, 43]")) == 1
        return
    with pytest.raises(ValueError, match="has figures of its own"):
        of_experiments(both, "study-", lock, "seeds: [42, 43]")
    assert "another run: evaluate@demo-base with another data/attention/demo/base; run the" in capsys.readouterr().out


def test_attention_maps_of_a_regime_whose_name_begins_alike_are_not_counted_in():
    both = ("base", "base_long")
    made = "attention@demo-{0}-42: {{outs: [{{path: data/attention/demo/{0}/42, md5: a, nfiles: 2, size: 10}}]}}"
    read = "evaluate@demo-{0}: {{deps: [{{path: data/attention/demo/{0}, md5: '{0}', nfiles: 2, size: {1}}}]}}"
    for sizes, odd in (((10, 10), []), ((11, 10), ["evaluate@demo-base with another data/attention/demo/base"])):
        ran = [*map(made.format, both), *map(read.format, both, sizes)]
        assert odd_runs(f"stages: {{{', '.join(ran)}}}", "seeds: [42]", "demo", both) == ([], odd)


@pytest.mark.parametrize("lock", ["", "stages: [", "stages: [train]"])
def test_an_experiment_whose_lock_does_not_read_is_refused(lock):
    with pytest.raises(ValueError, match="^study-triplet: its dvc.lock or params.yaml does not read: run it again"):
        of_experiments([experiment("study-triplet", "triplet", **BASE)], "study-", lock)


def test_an_experiment_that_is_left_out_is_held_beside_no_other(capsys):
    whole = experiment("study-1", "normalized_softmax", demo__bgaugment__clean__map_at_r=0.7)
    whole |= {"stages/train.py": "a", "train.demo.max_epochs": 40.0, "seeds": "[42]"}
    part = experiment("study-2", "triplet", demo__bgaugment__clean__map_at_r=0.7) | {"stages/train.py": "b"}
    files = {"study-1": "{loss: normalized_softmax, seeds: [42]}", "study-2": "{loss: triplet, seeds: [42]}"}
    settings = {"train.demo.max_epochs": 2.0, "seeds": "[42, 43]"}

    def read(of, name):
        return LOCK if name == "dvc.lock" else files[of["Experiment"]]

    assert gathered.gather([whole, part | settings], "study-", read)[0].loss.tolist() == ["normalized_softmax"]
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith("left out: demo bgaugment of study-2")


@pytest.mark.parametrize(
    ("losses", "said"),
    [(["triplet"], "1 cell of 1 loss on demo"), (["triplet", "arcface"], "2 cells of 2 losses on demo")],
)
def test_the_stage_gather_counts_what_it_has_written(tmp_path, monkeypatch, capsys, losses, said):
    shown = [experiment(f"study-{loss}", loss, **BASE) | {"rev": "abc1234"} for loss in losses]
    monkeypatch.setattr("dvc.api.exp_show", lambda: shown)
    commit = {("abc1234", "dvc.lock"): "stages: {}", ("abc1234", "params.yaml"): "seeds: [42]"}
    monkeypatch.setattr("dvc.api.read", lambda path, rev, encoding: commit[rev, path])
    gather.main(None, "study-", tmp_path / "new/results.json", False)
    assert capsys.readouterr().out == f"{tmp_path / 'new/results.json'}: {said}\n"


def test_figures_of_several_seeds_are_said_to_be_means_whose_spread_is_another(capsys):
    several, one = (experiment("study-triplet", "triplet", **BASE) | {"seeds": seeds} for seeds in ("[42, 43]", "[42]"))
    rows = of_experiments([several], "study-")
    assert rows.swapped_map_at_r_sd[0] == 0.01
    said = "figures are means over the seeds [42, 43]; ± is over draws of backgrounds, or photos, not over seeds\n"
    assert capsys.readouterr().out == said and rows.attrs["remarks"] == [said.strip()]
    of_experiments([one], "study-")
    assert capsys.readouterr().out == ""


def test_experiments_of_other_code_or_data_are_named(capsys):
    of_figures = ["bgbias/training", "data/backgrounds/demo", "data/masks/demo", "data/prepared/demo", "data/raw/demo"]
    of_figures += ["stages/train.py"]
    shows = ["bgbias/report", "bgbias/study", "stages/report.py", "stages/study_tables.py", "stages/summary.py"]
    same = dict.fromkeys([*of_figures, *shows, "stages/masks.py"], "a")
    one, two = (experiment(f"study-{loss}", loss, **BASE) | same for loss in ("triplet", "arcface"))
    two |= dict.fromkeys(shows, "other") | {"stages/masks.py": float("nan"), "data/masks/sop": "alone"}
    of_experiments([one, two], "study-")
    assert capsys.readouterr().out == ""
    two |= dict.fromkeys(of_figures, "other")
    rows = of_experiments([one, two], "study-")
    assert len(rows) == 2
    said = f"study-arcface and study-triplet did not run with the same {', '.join(of_figures)}"
    assert capsys.readouterr().out == f"{said}: the table holds both\n"
    assert rows.attrs["remarks"] == [f"{said}: the table holds both"]


def test_experiments_are_held_beside_the_first_that_read_the_same(capsys):
    one, two, three = (experiment(f"study-{loss}", loss, **BASE) for loss in ("triplet", "arcface", "contrastive"))
    two |= {"data/masks/sop/packed": "a"}
    three |= {"data/masks/sop/packed": "other", "data/raw/sop": "alone"}
    of_experiments([one, two, three], "study-")
    said = "study-contrastive and study-arcface did not run with the same data/masks/sop/packed: the table holds both"
    assert capsys.readouterr().out == f"{said}\n"


def test_two_experiments_with_the_same_cell_are_refused():
    two = [experiment(f"study-{i}", "triplet", **BASE) for i in (1, 2)]
    with pytest.raises(ValueError, match="two experiments named study-... hold demo, triplet, base: choose a longer"):
        of_experiments(two, "study-")


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        *((f"{block}.demo.any", 2.0, True) for block in ("data", "images", "masks", "backgrounds", "train")),
        ("evaluate.demo.swaps.swapped", "val", True),
        ("attention.method", "grad_cam", True),
        ("regime_settings.base.select_on", "['swapped']", True),
        ("seeds", "[42, 43]", True),
        ("seed", 43.0, True),
        ("train.sop.max_epochs", 2.0, False),
        ("train.demo.workers", 4.0, False),
        ("attention.max_images.demo", 10.0, True),
        ("attention.max_images.sop", 10.0, False),
        ("regime_settings.photos.replace", 0.5, False),
        ("losses.arcface.scale", 1.0, False),
        ("threads", 2.0, False),
    ],
)
def test_experiments_of_one_dataset_have_the_same_settings(name, value, refused):
    one, two = ({**experiment(f"study-{loss}", loss, **BASE), name: "before"} for loss in ("triplet", "contrastive"))
    assert len(of_experiments([one, two], "study-")) == 2
    two[name] = value
    if not refused:
        assert len(of_experiments([one, two], "study-")) == 2
        return
    said = rf"{re.escape(name)} is before in study-triplet and {re.escape(str(value))} in study-contrastive, and one"
    with pytest.raises(ValueError, match=said):
        of_experiments([one, two], "study-")
    two["datasets"] = "['sop']"  # no figures of which are there
    assert of_experiments([one, two], "study-").loss.tolist() == ["triplet"]


def test_experiments_of_one_loss_have_its_settings():
    one = experiment("study-1", "triplet", **BASE) | {"losses.triplet.margin": 0.1, "regimes": "['base']"}
    two = experiment("study-2", "triplet", demo__bgaugment__clean__map_at_r=0.5) | {"regimes": "['bgaugment']"}
    assert len(of_experiments([one, two | {"losses.triplet.margin": 0.1}], "study-")) == 2
    with pytest.raises(ValueError, match="losses.triplet.margin is 0.1 in study-1 and 0.2 in study-2, and one table"):
        of_experiments([one, two | {"losses.triplet.margin": 0.2}], "study-")
