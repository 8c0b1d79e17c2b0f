"""The queue of docs/experiments.md, on a small demo: experiments side by side give what each gives alone."""

import re
import sys
from contextlib import suppress

import psutil
import pytest
from small_checkout import ROOT

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
SECTION = (ROOT / "docs/experiments.md").read_text(encoding="utf-8").partition("\n## Several at once\n")[2]
QUEUE, START, STATUS, REMOVE, SHOW, *_ = re.findall(r"^    \$ (.*)$", SECTION, re.MULTILINE)
TARGET = "evaluate@demo-base"  # without summary and report: sooner
GATHER = (sys.executable, "-m", "stages.gather", "study-", "--replace")


@pytest.fixture
def checkout(finished, tmp_path):
    """A clone in which the pipeline has run; no worker outlives the test."""
    made = finished.copy(tmp_path / "clone")
    made.set("", {"regimes": ["base"]})
    made.commit("one regime")
    yield made
    try:
        if made.alive():
            made.run("dvc", "queue", "stop", "--kill")
    finally:
        while left := made.alive():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def made_by(checkout) -> dict[str, bytes]:
    """The network and the metrics of a checkout."""
    return checkout.metrics() | {"weights": (checkout.folder / "models/demo/base/42/weights.safetensors").read_bytes()}


def test_two_at_a_time_give_what_each_gives_alone_and_a_third_that_fails_is_left_out(checkout, tmp_path):
    alone = checkout.copy(tmp_path / "alone")
    assert checkout.run("bash", "-ec", f"{QUEUE} -n study {TARGET}").count("Queued experiment 'study-") == 2
    checkout.run("bash", "-ec", f"dvc exp run --queue -S loss=cosface -n study-3 {TARGET}")
    checkout.run("bash", "-ec", f"{START} &> started")
    assert "Started '2' new" in (checkout.folder / "started").read_text()
    checkout.wait_for_all(600)

    status = checkout.run("bash", "-ec", STATUS)
    ended = {"study-1": "Success", "study-2": "Success", "study-3": "Failed"}
    assert dict(re.findall(r" (study-\d) .* (\w+) *\n", status)) == ended
    assert status.endswith("Worker status: 0 active, 0 idle\n")
    gathered = checkout.run(*GATHER)
    assert "left out, failed: study-3; its metrics are not its own\n" in gathered
    assert "2 cells of 2 losses on demo" in gathered
    checkout.run("git", "restore", ".")
    assert re.findall(r"study-\d", checkout.run("bash", "-ec", REMOVE)) == ["study-1", "study-2"]
    shown = dict(re.findall(r"\[(study-\d)\] .* (\w+) *\n", checkout.run("bash", "-ec", SHOW)))
    assert shown == {"study-1": "contrastive", "study-2": "triplet", "study-3": "cosface"}

    for number, override in enumerate(("loss=contrastive", "loss=triplet"), start=1):
        alone.run("dvc", "exp", "run", "-S", override, "-S", "train.demo.max_epochs=2", TARGET)
        checkout.run("dvc", "exp", "apply", f"study-{number}")
        assert made_by(checkout) == made_by(alone)
    assert not list(checkout.folder.glob(".dvc/tmp/exps/tmp*"))  # the folders in which they ran
