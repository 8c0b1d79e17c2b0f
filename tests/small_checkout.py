"""A clone of the project with a small demo, in which tests run the pipeline as a user does."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import psutil
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
MARK = "BGBIAS_TESTED_CHECKOUT"  # in the environment of all processes that a checkout starts, and that these start
WHAT = {"classes": 4, "photos": 4, "scenes": 3}
SMALL = {
    "": {"regimes": ["base", "bgconsistency"]},
    "data.demo": {"size_px": 32, "home_scenes": 2, "backgrounds": 4}
    | {f"{split}_{what}": count for split in ("train", "val", "test") for what, count in WHAT.items()},
    "images.demo": {"short_side_px": 32, "crop_px": 32, "input_px": 32},
    "train.demo": {"batch_size": 4, "batches_per_epoch": 3, "max_epochs": 1, "embedding_dim": 8},
    "evaluate.demo": {"draws": 2},
    "images.own": {"short_side_px": 32, "crop_px": 32, "input_px": 32},
    "backgrounds.own": {"source": "rendered"},
    "train.own": {"batch_size": 8, "batches_per_epoch": 3, "max_epochs": 1, "embedding_dim": 8},
    "evaluate.own": {"draws": 2},
    **{f"losses.{loss}": {"per_class": 2} for loss in ("contrastive", "triplet", "multi_similarity")},
    "attention": {"copies": 3},
    "attention.max_images": {"demo": 9},
}


class Checkout:
    """A clone of the project with a small demo, and the commands that a user runs in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
        for name in listed.stdout.split("\0"):
            if name.startswith(
                (".dvc", "bgbias", "stages", "params", "dvc.yaml", ".gitignore", "data/raw", "docs/slurm", "paper")
            ):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        for block, changes in SMALL.items():
            self.set(block, changes)
        self.run("git", "init", "-q")
        self.commit("start")

    def copy(self, folder: Path) -> Self:
        """A copy of the clone, with everything that ran in it."""
        made = type(self).__new__(type(self))
        made.folder = shutil.copytree(self.folder, folder, symlinks=True)
        return made

    def environment(self) -> dict[str, str]:
        """What commands see: the virtual environment, no settings of whoever runs the tests."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            MARK: str(self.folder),
        }

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command of the virtual environment; returns what it prints."""
        how = {"cwd": self.folder, "env": self.environment(), "capture_output": True, "text": True}
        done = subprocess.run(command, **how, check=False)
        printed = done.stdout + done.stderr
        assert bool(done.returncode) == fails, printed
        return printed

    def alive(self) -> list[psutil.Process]:
        """All processes of the checkout's commands that still live."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def wait_for_all(self, seconds: float) -> None:
        """Fail if processes still live after a time."""
        deadline = time.monotonic() + seconds
        while left := self.alive():
            assert time.monotonic() < deadline, left
            time.sleep(0.05)

    def commit(self, message: str) -> None:
        """Commit everything that Git does not ignore."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def set(self, block: str, changes: dict) -> None:
        """Change values of params.yaml, of the block "a.b" or at its top (block "")."""
        yaml = YAML()
        everything = found = yaml.load(self.folder / "params.yaml")
        for key in filter(None, block.split(".")):
            found = found[key]
        found.update(changes)
        yaml.dump(everything, self.folder / "params.yaml")

    def metrics(self) -> dict[str, bytes]:
        """Every metrics file's bytes."""
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.glob("metrics/**/*.json")}


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    """A checkout in which the default pipeline has run, and been committed: tests change copies of it."""
    made = Checkout(tmp_path_factory.mktemp("finished") / "clone")
    made.run("dvc", "repro")
    made.commit("run")
    return made
