"""Stages and DVC killed at random moments: what comes out is what comes out of an undisturbed run, and nothing else."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from small_checkout import Checkout

pytestmark = pytest.mark.slow
EMBEDDER = "python:seeing:mean_colours"
SEEING = """
from torch import nn

class MeanColours(nn.Module):
    def forward(self, images):
        colours = images.unflatten(2, (4, 8)).unflatten(4, (4, 8)).mean((3, 5)).flatten(1) - 0.4
        return nn.functional.normalize(colours)

def mean_colours():
    return MeanColours(), 32, (0, 0, 0), (1, 1, 1)
"""
STAGES = f"""raw demo
prepare demo
masks demo
backgrounds demo
train demo base 42
embed demo base 42
attention demo base 42
evaluate demo base
summary demo
report demo
audit --photos data/raw/demo --mask-method grabcut --embedder {EMBEDDER} --out audits/shop
remedies --dataset demo --embedder {EMBEDDER} --out metrics/remedies/demo.json""".splitlines()
KILLS, KILLS_OF_DVC = 1, 3  # of each stage; alone, and with its group
OUTPUTS = ("data", "models", "metrics", "plots", "audits")


class Killed(Checkout):
    """A small checkout whose commands are killed."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        (folder / "seeing.py").write_text(SEEING)
        self.set("", {"regimes": ["base"]})
        self.set("masks.demo", {"method": "grabcut"})  # by workers
        self.set("train.demo", {"max_epochs": 3, "patience": 3})
        self.set("audit", {"shop": {"photos": "data/raw/demo", "mask_method": "grabcut", "embedder": EMBEDDER}})
        self.set("remedies", {"demo": {"dataset": "demo", "embedder": EMBEDDER}})
        self.killed, self.random = 0, random.Random(0)

    def start(self, *command: str) -> subprocess.Popen:
        """Start a command in a process group of its own; what it prints goes to a file."""
        environment = self.environment()
        environment.pop("DVC_ROOT", None)
        with (self.folder / "printed").open("w") as printed:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=printed, stderr=printed, start_new_session=True
            )

    def stage(self, arguments: str) -> tuple[str, ...]:
        """The command of a stage."""
        return sys.executable, "-m", f"stages.{arguments.split()[0]}", *arguments.split()[1:]

    def finish(self, *command: str) -> float:
        """Run a command to its end; returns the seconds it took."""
        start = time.monotonic()
        code = self.start(*command).wait()
        assert code == 0, (command, code, (self.folder / "printed").read_text(errors="replace"))
        return time.monotonic() - start

    def kill(self, command: tuple[str, ...], between: tuple[float, float], group: bool = False) -> None:
        """Kill a command, alone or with its group, after a random time of so many seconds, if it still runs then."""
        running = self.start(*command)
        time.sleep(self.random.uniform(*between))
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL) if group else running.kill()
            self.killed += 1
        running.wait()

    def half_lock(self) -> bool:
        """Delete a dvc.lock that DVC found to be half there: it writes in place, and may be killed meanwhile."""
        found = "'./dvc.lock' " in (self.folder / "printed").read_text(
            errors="replace"
        )  # is invalid, or its validation failed
        if found:
            (self.folder / "dvc.lock").unlink()
        return found

    def results(self) -> dict[str, str]:
        """The checksum of every file of the outputs."""
        paths = [path for part in OUTPUTS for path in (self.folder / part).rglob("*") if path.is_file()]
        kept = [path for path in paths if path.name != ".gitignore"]
        return {str(path.relative_to(self.folder)): _checksum(path) for path in kept}

    def check(self, expected: dict[str, str]) -> None:
        """Everything is as expected, and nothing else is left."""
        self.wait_for_all(10)
        assert self.results() == expected
        assert not [path for part in OUTPUTS for path in (self.folder / part).rglob("*partial*")]
        assert not (self.folder / ".checkpoints").exists(), list((self.folder / ".checkpoints").rglob("*"))


def _checksum(path: Path) -> str:
    """Of a page without the version that it names, for the state of the checkout changes meanwhile."""
    content = path.read_bytes()
    if path.name == "report.html":
        content = re.sub(rb"[0-9a-f]{7,40}(-dirty)?(?=<)", b"", content)
    return sha256(content).hexdigest()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """An undisturbed run: its results, and the seconds that each stage took."""
    made = Killed(tmp_path_factory.mktemp("undisturbed"))
    made.seconds = [made.finish(*made.stage(arguments)) for arguments in STAGES]
    made.expected = made.results()
    assert len(made.expected) > 100 and "audits/shop/report.html" in made.expected
    return made


def test_stages_killed_at_any_moment(checkout, tmp_path):
    killed = Killed(tmp_path)
    for number, (arguments, seconds) in enumerate(zip(STAGES, checkout.seconds, strict=True), start=1):
        for _ in range(5 * KILLS):
            if killed.killed < KILLS * number:
                killed.kill(killed.stage(arguments), (0.1, seconds))
                killed.wait_for_all(10)
        killed.finish(*killed.stage(arguments))
    killed.check(checkout.expected)
    assert killed.killed == KILLS * len(STAGES)
    print(f"{killed.killed} of {KILLS * len(STAGES)} kills of stages left nothing")


@pytest.mark.parametrize("group", [True, False])
def test_dvc_killed_at_any_moment(checkout, tmp_path, group):
    killed = Killed(tmp_path)
    for _ in range(30):
        if killed.killed < KILLS_OF_DVC:  # it may have been refused before, as the stage of a killed one goes on
            killed.kill(("dvc", "repro"), (1, 1 + sum(checkout.seconds) / 10), group)  # all before its end
            killed.half_lock()
    refused = 0
    while killed.start("dvc", "repro").wait() != 0:
        if killed.half_lock():
            continue
        printed = (killed.folder / "printed").read_text(errors="replace")
        assert not group and "is at it: wait until it has ended, or stop it with `kill " in printed, printed
        refused += 1
        time.sleep(0.5)
        assert refused < 30
    killed.check(checkout.expected)
    assert killed.killed == KILLS_OF_DVC
    print(f"{killed.killed} of {KILLS_OF_DVC} kills of DVC left nothing; refused {refused} times")
