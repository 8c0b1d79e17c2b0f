"""Stages by several processes: the results of one, errors in one line, and what becomes of killed ones."""

import os
import subprocess
import sys
import time

import psutil
import pytest
from small_checkout import Checkout
from test_killed import EMBEDDER, SEEING, Killed

pytestmark = pytest.mark.slow
BEFORE = "raw demo", "prepare demo", "masks demo", "backgrounds demo", "train demo base 42"
ATTENTION = "attention demo base 42"
SHARED = (
    "masks demo",
    "embed demo base 42",
    ATTENTION,
    f"audit --photos data/raw/demo --mask-method grabcut --embedder {EMBEDDER} --out audits/shop",
    f"remedies --dataset demo --embedder {EMBEDDER} --out metrics/remedies/demo.json",
)


class Shared(Checkout):
    """A small checkout whose stages are shared by processes."""

    def __init__(self, folder):
        super().__init__(folder)
        (folder / "seeing.py").write_text(SEEING)
        self.set("masks.demo", {"method": "grabcut"})
        self.set("train.demo", {"batches_per_epoch": 20, "max_epochs": 8, "patience": 8, "freeze_batch_norm": True})
        self.set("data.demo", {f"{split}_classes": 9 for split in ("train", "val", "test")})  # two batches each
        self.set("data.demo", {f"{split}_photos": 9 for split in ("train", "val", "test")})

    def start(self, count, arguments, **more):
        """Start a stage; what it prints goes to a pipe."""
        environment = os.environ | {"BGBIAS_PROCESSES": str(count), **more}
        environment.pop("DVC_ROOT", None)
        stage, *rest = arguments.split()
        return subprocess.Popen(
            [sys.executable, "-m", f"stages.{stage}", *rest],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stage(self, count, arguments, code=0, **more):
        """Run a stage to its end; returns what it prints, and its standard error without progress bars."""
        running = self.start(count, arguments, **more)
        printed, errors = running.communicate()
        assert running.returncode == code, errors
        return printed, [
            line for line in errors.splitlines() if "it/s" not in line and "%|" not in line and line.strip()
        ]

    results = Killed.results

    def epochs(self, running, count):
        """Wait until a training has written a checkpoint, and give back its processes."""
        while not list(self.folder.glob(".checkpoints/train-*/*/checkpoint.pt")):
            assert running.poll() is None, running.communicate()
            time.sleep(0.02)
        found = psutil.Process(running.pid).children()
        assert len(found) == (count if count > 1 else 0)
        return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = Shared(tmp_path_factory.mktemp("shared"))
    for arguments in BEFORE:
        made.stage(1, arguments)
    return made


def test_stages_of_two_processes_make_the_bytes_of_one(checkout):
    for arguments in SHARED:
        checkout.stage(1, arguments)
    expected = checkout.results()
    for folder in (".cache", "data/masks", "data/embeddings", "data/attention", "audits", "metrics/remedies"):
        checkout.run("rm", "-r", folder)
    for arguments in SHARED:
        printed, _ = checkout.stage(2, arguments)
        said = [line for line in printed.splitlines() if line]
        assert len(set(said)) == len(said)  # one process speaks
    assert checkout.results() == expected
    assert not (checkout.folder / ".checkpoints").exists()


def test_an_error_is_the_one_line_of_one_process(checkout):
    (checkout.folder / "models/demo/base/7").mkdir()
    for arguments in ("embed demo base 7", "embed dmeo base 42"):
        one, two = (checkout.stage(count, arguments, code=1)[1] for count in (1, 2))
        assert one == two and len(one) == 1
    blank = checkout.folder / "data/raw/demo/photos"
    photo = sorted(path for path in blank.rglob("*") if path.is_file())[1]  # of the second process
    content = photo.read_bytes()
    photo.write_bytes(content[:100])
    one, two = (checkout.stage(count, "masks demo", code=1)[1] for count in (1, 2))
    photo.write_bytes(content)
    assert one[-1] == two[-1] and f"{photo.name}: does not decode" in one[-1] and len(two) == 1


def test_too_many_processes_are_refused_in_one_line(checkout):
    checkout.set("train.demo", {"batch_size": 2})
    try:
        assert checkout.stage(3, "train demo base 42", code=1)[1] == [
            "error: 3 processes share 2 photos of a batch, see train.demo.batch_size: start 2 at most "
            "(BGBIAS_PROCESSES, or --nproc-per-node of torchrun)"
        ]
    finally:
        checkout.set("train.demo", {"batch_size": 4})


def test_a_killed_process_is_one_line_and_another_number_of_processes_goes_on(checkout):
    running = checkout.start(2, "train demo base 5")
    checkout.epochs(running, 2)[1].kill()
    errors = running.communicate()[1].splitlines()
    assert running.returncode == 1
    assert errors[-1].startswith(
        "error: process 1 of stages.train was killed (SIGKILL), for want of memory? Close other"
    )
    assert not (checkout.folder / "models/demo/base/5").exists()
    assert "resuming after epoch" in checkout.stage(1, "train demo base 5")[0]
    running = checkout.start(1, "train demo base 6")
    checkout.epochs(running, 1)
    running.kill()
    running.communicate()
    assert "resuming after epoch" in checkout.stage(2, "train demo base 6")[0]


def test_torchrun_starts_a_killed_process_again_and_it_goes_on(checkout):
    running = checkout.start(2, "train demo base 8", PET_MAX_RESTARTS="1")
    checkout.epochs(running, 2)[1].kill()
    printed, errors = running.communicate()
    assert running.returncode == 0, errors
    assert "resuming after epoch" in printed and "error" not in errors


@pytest.mark.parametrize("stop", ["terminate", "kill"])
def test_processes_end_with_the_one_that_started_them(checkout, stop):
    running = checkout.start(2, "train demo base 9")
    found = checkout.epochs(running, 2)
    getattr(running, stop)()
    errors = running.communicate()[1].splitlines()
    assert not psutil.wait_procs(found, timeout=20)[1]
    if stop == "terminate":
        assert errors[-1] == "interrupted: start it again, and it goes on with what is kept"
    assert running.returncode == {"terminate": 143, "kill": -9}[stop]
    checkout.run("rm", "-r", ".checkpoints")
