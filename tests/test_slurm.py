"""docs/slurm/grid.sbatch, submitted to Slurm on this machine: a controller and two nodes (tests/slurm_here.sh)."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from small_checkout import ROOT, Checkout

GRID, HERE = ROOT / "docs/slurm/grid.sbatch", ROOT / "tests/slurm_here.sh"
needs_slurm = pytest.mark.skipif(not shutil.which("slurmctld"), reason="needs Debian's slurm-wlm")


def complaint(script, *arguments, **environment) -> str:
    """The one line that a script which fails has to say."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")} | environment
    done = subprocess.run(["bash", script, *arguments], env=given, capture_output=True, text=True, check=False)
    assert done.returncode and not done.stdout and done.stderr.count("\n") == 1, done
    return done.stderr


def test_what_is_wrong_is_one_line(tmp_path):
    assert "submit this script by sbatch" in complaint(GRID)
    task = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_SUBMIT_DIR": str(tmp_path)}
    assert "task 1 has no loss: submit with --array=0-0" in complaint(GRID, "triplet", **task)
    mend = "submit from a clone in a folder that all nodes share"
    assert f"{tmp_path} is no clone on " in (said := complaint(GRID, **task)) and mend in said
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("bash", "realpath"):
        (bare / name).symlink_to(shutil.which(name))
    assert "no slurmctld here: apt-get install slurm-wlm" in complaint(HERE, str(tmp_path), PATH=str(bare))


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Let sbatch, squeue and scancel find a cluster of two nodes."""
    subprocess.run([HERE, tmp_path / "slurm"], check=True)
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm/slurm.conf"))
    yield
    subprocess.run([HERE, tmp_path / "slurm", "stop"], check=True)


def wait(until, seconds: int = 600) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.pipeline
@needs_slurm
def test_a_killed_task_goes_on_when_the_grid_is_submitted_again(tmp_path, slurm):
    checkout = Checkout(tmp_path / "clone")
    checkout.set("", {"regimes": ["base"]})
    checkout.set("train.demo", {"max_epochs": 40, "patience": 40})
    checkout.commit("the grid")
    (checkout.folder / "data/sources/own").mkdir(parents=True)
    (checkout.folder / "data/sources/own/here").touch()
    submit = ("sbatch", "--array=0-1", "docs/slurm/grid.sbatch", "contrastive", "triplet")
    job = checkout.run(*submit).split()[-1]
    work = checkout.folder / ".checkpoints/grid/study-triplet"
    wait(lambda: list(work.glob(".checkpoints/train-demo-base-42/*/checkpoint.pt")))
    assert (work / "data/sources/own/here").exists()  # photos that Git does not have
    checkout.run("scancel", "--full", "--signal=KILL", f"{job}_1")
    wait(lambda: not checkout.run("squeue", "--noheader"))
    assert checkout.run("dvc", "exp", "list", "--name-only").split() == ["study-contrastive"]

    checkout.run(*submit)
    wait(lambda: not checkout.run("squeue", "--noheader"))
    first, second = ((checkout.folder / f"grid-{task}.log").read_text() for task in (0, 1))
    assert first == "study-contrastive: done already\n"
    assert "resuming after epoch" in second and "Running stage 'masks@demo'" not in second
    assert not work.exists()

    gather = (sys.executable, "-m", "stages.gather", "study-")
    assert "holds results of other experiments" in checkout.run(*gather, fails=True)
    assert "2 cells of 2 losses on demo" in checkout.run(*gather, "--replace")
    checkout.run("git", "restore", ".")
    checkout.run("dvc", "exp", "apply", "study-triplet")
    assert "Running stage 'train" not in checkout.run("dvc", "repro")  # its network lies in the cache of all
