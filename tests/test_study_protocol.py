"""Where our figures were not made with the study's settings, its tables say so."""

import dataclasses
import itertools
from pathlib import Path

import pandas as pd
import pytest
from test_study import PUBLISHED
from test_study_gathered import BASE, experiment

from bgbias.config import read
from bgbias.study import counted, gathered, protocol, results_file, tables
from stages import study_tables

VALUES = dataclasses.asdict(read.load())
CELLS = list(itertools.product(protocol.LOSSES, protocol.REGIMES))


def recorded(dataset):
    """The settings of params.yaml, as they are recorded of the grid."""
    found = {"seeds": [42]}
    for loss in protocol.LOSSES:
        found |= counted.settings(VALUES | {"loss": loss}, dataset, list(protocol.REGIMES))
    return found


def written(folder, settings, results=PUBLISHED, remarks=()):
    """The text of each table of some results."""
    told = {"settings": settings, "remarks": remarks}
    results_file.write_results(folder / "results.json", results, told)
    study_tables.main(None, folder / "results.json", Path("paper/published"), folder)
    return {path.name: path.read_text() for path in folder.glob("table*")}


@pytest.mark.parametrize("dataset", ["cars196", "cub200", "sop"])
def test_the_settings_of_params_yaml_are_the_study_s(dataset):
    assert protocol.departures(recorded(dataset), dataset, CELLS) == []


def test_every_other_setting_that_changes_a_figure_is_named():
    found = recorded("sop")
    silent = {name for name in found if not protocol.departures(found | {name: "other"}, "sop", CELLS)}
    for loss in protocol.LOSSES:  # the general ones do not stand for sop
        overridden = ["consistency_scale", "vary_backgrounds", *protocol.LOSSES[loss]["sop"]]
        silent -= {f"losses.{loss}.{key}" for key in overridden}
    for regime in protocol.REGIMES:  # of pairs
        silent -= {f"regime_settings.{regime}.{key}" for key in ("replace_first", "consistency_rise")}
    others = {"masks.sop.grabcut_px", "masks.sop.grabcut_radius", "attention.steps"}  # of other methods
    assert silent == others | {"seed", "threads", "evaluate.sop.recall_at"}


def test_what_differs_is_said_with_what_the_study_has():
    found = recorded("sop") | {
        "seeds": [42, 43],
        "train.sop.network": "torchvision:resnet50",
        "train.sop.freeze_batch_norm": False,
        "losses.triplet.overrides.sop.margin": 0.2,
        "regime_settings.base.finder.zoom": True,
        "losses.arcface.per_class": 2,
    }
    assert protocol.departures(found, "sop", [("triplet", "base")]) == [
        "seeds [42, 43] ([42])",
        "train.sop.network torchvision:resnet50 (bn_inception)",
        "train.sop.freeze_batch_norm false (true)",
        "losses.triplet.margin 0.2 (0.0451925)",
        "regime_settings.base.finder.zoom true (none)",
    ]
    del found["train.sop.lr"]
    assert "train.sop.lr none (1e-06)" in protocol.departures(found, "sop", [("triplet", "base")])


def test_the_published_weights_are_the_study_s_from_whichever_file():
    found = recorded("sop")
    assert protocol.departures(found | {"train.sop.weights": "nets/bn_inception-52deb4733.pth"}, "sop", CELLS) == []
    other = protocol.departures(found | {"train.sop.weights": "nets/mine\n.pth"}, "sop", CELLS)
    assert other == [r"train.sop.weights nets/mine\n.pth (imagenet)"]  # a line


def test_a_table_marks_the_datasets_whose_settings_are_others_or_unknown(tmp_path, capsys):
    other = recorded("cub200") | {"train.cub200.lr": 1e-4}
    texts = written(tmp_path, {"cars196": recorded("cars196"), "cub200": other, "sop": None})
    said = "† ours of cub200 were not made with the study's settings (in brackets): train.cub200.lr 0.0001 (1e-06)\n"
    unknown = "† with which settings ours of sop were made is not recorded\n"
    for name in ("table1", "table2"):
        text, tex = texts[f"{name}.md"], texts[f"{name}.tex"]
        assert text.endswith(f" |\n\n{said}\n{unknown}")
        assert " cars196 " in text and " cub200† " in text and " sop† " in text
        assert f"\n% {said}% {unknown}\\begin" in tex and r" cub200$\dagger$ " in tex
    assert capsys.readouterr().out.count(said) == 2
    assert "finds" not in "".join(texts.values())
    finders = PUBLISHED.assign(finder=PUBLISHED.regime == "bgaugment")
    found = written(tmp_path, dict.fromkeys(PUBLISHED.dataset), finders)
    said = "Attention scores of bgaugment, which first finds the object, cannot be compared with the others'."
    assert found["table2.md"].endswith(f"\n\n{said}\n") and f"\n% {said}\n" in found["table2.tex"]
    assert "finds" not in found["table1.md"]
    assert "†" not in texts["table1_recall.md"]  # of which nothing is published


def test_a_table_names_the_settings_of_its_own_figures(tmp_path):
    found = {name: recorded(name) for name in ("cars196", "cub200", "sop")}
    found["sop"] |= {"attention.copies": 5, "evaluate.sop.draws": 2}
    said = "† ours of sop were not made with the study's settings (in brackets): {}\n"
    texts = written(tmp_path, found)
    assert texts["table1.md"].endswith(said.format("evaluate.sop.draws 2 (5)"))
    assert texts["table2.md"].endswith(said.format("attention.copies 5 (25)"))


def test_a_dataset_or_a_regime_without_published_figures_is_not_held_beside_the_study(tmp_path):
    demo = PUBLISHED[PUBLISHED.dataset == "cub200"].assign(dataset="demo")
    cured = demo.assign(dataset="sop", regime="bgconsistency")[demo.regime == "base"]
    texts = written(tmp_path, {"demo": None, "sop": recorded("sop")}, pd.concat([demo, cured]))
    assert "†" not in "".join(texts.values())


def test_published_figures_of_others_than_the_study_have_no_known_settings():
    theirs = PUBLISHED.replace({"loss": {"triplet": "proxy_nca"}})
    told = {name: recorded(name) for name in ("cars196", "cub200", "sop")}
    said = tables.departures(theirs[theirs.dataset == "sop"], told, theirs, "table1")
    which = "proxy_nca base, proxy_nca bgaugment of sop"
    assert said == {"sop": f"with which settings the published {which} was made is not known"}


def test_settings_are_read_as_they_were_written(tmp_path):
    settings = {"sop": recorded("sop"), "demo": None, "cars196": {}, "cub200": {}}
    written(tmp_path, settings)
    assert results_file.read_told(tmp_path / "results.json") == (settings, [])  # and 7.4e-06 with all its digits


def test_what_gather_has_remarked_stands_below_every_table(tmp_path):
    said = "study-arcface and study-triplet did not run with the same stages/train.py: the table holds both"
    texts = written(tmp_path, {name: recorded(name) for name in ("cars196", "cub200", "sop")}, remarks=[said])
    assert len(texts) == 6
    for name, text in texts.items():
        assert text.endswith(f" |\n\n{said}\n") if name.endswith(".md") else f"\n% {said}\n\\begin" in text


STAGES = ["raw@demo", "prepare@demo", "masks@demo", "backgrounds@demo", "evaluate@demo-base"]
STAGES += ["train@demo-base-42", "embed@demo-base-42", "attention@demo-base-42"]


@pytest.mark.parametrize("lost", [None, "train@demo-base-42", "evaluate@demo-base"])
def test_the_settings_of_an_experiment_are_gathered_and_unknown_where_its_lock_lacks_a_stage(lost):
    runs = [experiment(f"study-{loss}", loss, **BASE) for loss in ("triplet", "arcface")]
    lock = f"stages: {{{', '.join(f'{name}: {{}}' for name in STAGES)}}}"
    locks = {"study-triplet": lock.replace(f"{lost}: {{}}, ", "").replace(f", {lost}: {{}}", ""), "study-arcface": lock}
    params = "{{loss: {}, seeds: [42], threads: 1, losses: {{triplet: {{margin: 0.2}}, arcface: {{scale: 64}}}}}}"

    def of(run, name):
        return locks[run["Experiment"]] if name == "dvc.lock" else params.format(run["loss"])

    rows, told = gathered.gather(runs, "study-", of)
    assert len(rows) == 2
    whole = {"seeds": [42], "losses.triplet.margin": 0.2, "losses.arcface.scale": 64}
    assert told == {"settings": {"demo": None if lost else whole}, "remarks": []}
