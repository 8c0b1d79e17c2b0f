"""docs/experiments.md, followed to the letter on a small demo: compare, push to a remote, pull elsewhere."""

import json
import re

import pytest
from small_checkout import ROOT

pytestmark = pytest.mark.pipeline
PAGE = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
RUN, SHOW, PLOTS, PUSH, PULL = BLOCKS
REGIMES = ("base", "bgaugment", "bgconsistency")


@pytest.fixture(scope="module")
def checkout(finished, tmp_path_factory):
    """A clone in which the pipeline of three regimes has run, and the page's experiment."""
    made = finished.copy(tmp_path_factory.mktemp("work") / "clone")
    made.set("", {"regimes": list(REGIMES)})
    made.set("losses.triplet", {"per_class": 3})  # with 2 of 4 one regime's figures happen to be the other loss's
    made.run("dvc", "repro")
    made.commit("run")
    made.printed = made.run("bash", "-ec", RUN)
    return made


def changed(checkout):
    """The figures of the summary that the experiment has changed: no others are shown."""
    before = json.loads(checkout.run("git", "show", "HEAD:metrics/summary/demo.json"))
    now = json.loads((checkout.folder / "metrics/summary/demo.json").read_text())
    cells = [(regime, view) for regime in REGIMES for view in now[regime]]
    return [f"{regime}.{view}" for regime, view in cells if now[regime][view] != before[regime][view]]


def test_the_summary_of_an_experiment_is_held_against_what_is_committed(checkout):
    rows = [line.split()[1] for line in checkout.printed.splitlines() if line.startswith("metrics/summary/demo.json ")]
    assert rows == changed(checkout) and len(rows) > 2
    assert "demo.base.swapped.map_at_r " in checkout.run("dvc", "metrics", "diff", "--all")


def test_three_regimes_fit_160_columns(checkout):
    table = checkout.run("bash", "-ec", SHOW)
    heading = next(line for line in table.splitlines() if "Experiment" in line)
    assert heading.split() == ["Experiment", *changed(checkout), "loss"]
    assert "[triplet]" in table and max(map(len, table.splitlines())) <= 160


def test_plots_of_two_versions_lie_over_each_other(checkout):
    checkout.run("bash", "-ec", PLOTS)
    page = (checkout.folder / "dvc_plots/index.html").read_text()
    for name in ("validation_MAP_R", "plots_report_demo_bars_csv", "plots_report_demo_front_csv"):
        plot = page[page.index(f'id = "{name}"') :].partition("</div>")[0]
        assert all(f'"rev": "{rev}"' in plot for rev in ("HEAD", "triplet")), name


def test_another_clone_trains_nothing(checkout):
    checkout.run("bash", "-ec", PUSH)
    printed = checkout.run("bash", "-ec", PULL)
    assert printed.count("Data and pipelines are up to date.") == 2 and "Running stage" not in printed
    assert "loss: triplet" in (checkout.folder.parent / "second/dvc.lock").read_text()


def test_a_warning_of_outputs_that_never_ran_is_explained_as_dvc_words_it(checkout):
    said = re.search(r"`WARNING: (No file hash info .*?)'\S+'(. It\s+won't be created\.)`", PAGE, re.DOTALL)
    command = "dvc exp run -n own -S datasets=[own] -S seeds=[1] raw@own 2>&1 || true"  # there are no photos of it
    printed = " ".join(checkout.run("bash", "-c", command).split())
    assert " ".join(said[1].split()) in printed and " ".join(said[2].split()) in printed
