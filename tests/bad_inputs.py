"""A small checkout on which every stage has run, and how a stage is held against one bad input in it.

A bad input is refused as it should be where the exit code is not 0, one line of standard error beside progress bars
says what is wrong and the fix, and no file of the checkout has changed. The same command passes before on the
checkout as it is; else it would prove nothing.
"""

import os
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from discs import disc, save
from PIL import Image
from small_checkout import SMALL
from spoils import How, remove

from bgbias import cores

ROOT = Path(__file__).parent.parent
KEPT = ("audits", "data", "metrics", "models", "paper", "plots")
REGIMES = ("base", "bgconsistency")
CELLS = [("demo", regime) for regime in REGIMES]
BAR = re.compile(r"\d+%\||\[\d\d:\d\d")  # of tqdm
MEND = re.compile(  # a message says what to do, or what would be right
    r"\b(add|again|anew|change|choose|close to it|compare|convert|copy|correct|draw|export|expected|fill|get|give|"
    r"install|keep|known (are|is)|list|look|mend|make|move|name|needs?|put|quote|raise|remove|rename|replace|restore|"
    r"run|save|set|should|shrink|there are|train|write|is missing|comes first|at most|larger than|valid)\b"
)


class Checkout:
    """The folder, and the commands that a user runs in it."""

    def __init__(self, folder: Path):
        """Render, train and measure a small demo, and own photos with masks."""
        self.folder, self.passed = folder, set()
        folder.mkdir()
        self.params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        for block, changes in SMALL.items():
            found = self.params
            for key in filter(None, block.split(".")):
                found = found[key]
            found.update(changes)
        self.params |= {"regimes": list(REGIMES)}
        self.params["masks"]["own"]["method"] = "given"
        (folder / "params.yaml").write_text(yaml.safe_dump(self.params, sort_keys=False))
        shutil.copytree(ROOT / "paper", folder / "paper")
        shutil.copytree(ROOT / "bgbias", folder / "bgbias", ignore=shutil.ignore_patterns("__pycache__"))
        self._own()

    def _own(self) -> None:
        """Eight classes of own photos with masks: a disc of a colour each."""
        own, rows, rng = self.folder / "data/sources/own", ["path,class,mask"], np.random.default_rng(0)
        for kind in range(8):
            for number in range(3):
                colours = rng.integers(100, 256, 3), rng.integers(0, 80, 3)
                pictures = disc((40, 32), *(tuple(map(int, colour)) for colour in colours))
                save(own, f"mug {kind}/{number}.png", pictures)
                rows.append(f"photos/mug {kind}/{number}.png,mug {kind},masks/mug {kind}/{number}.png")
        (own / "photos.csv").write_text("\n".join(rows) + "\n")
        for number in range(4):
            path = self.folder / f"backgrounds/{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (60, 50), (60 * number, 90, 200 - 50 * number)).save(path)

    def prepare(self) -> None:
        """Run every stage once."""
        for dataset in ("demo", "own"):
            for stage in ("raw", "prepare", "masks", "backgrounds"):
                self.passes(stage, dataset)
        for dataset, regime in CELLS:
            for stage in ("train", "embed", "attention"):
                self.passes(stage, dataset, regime, "42")
            self.passes("evaluate", dataset, regime)
        self.passes("report", "demo")
        self.passes("summary", "demo")

    def passes(self, *command: str) -> None:
        """Run a command that must succeed, once a session."""
        if command not in self.passed:
            code, printed = self.run(*command)
            assert code == 0, (command, printed)
            self.passed.add(command)

    def run(self, stage: str, *arguments: str) -> tuple[int, str]:
        """Run a stage in this process as Python would in its own; returns its exit code and its message."""
        message, code = "", 0
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("ignore")  # as Python does by itself, whatever pytest asks for
            for kind in (UserWarning, RuntimeWarning, FutureWarning):
                warnings.simplefilter("always", kind)
            warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
            patch.chdir(self.folder)
            patch.setenv("DVC_ROOT", str(self.folder))
            patch.setattr(sys, "argv", [f"stages/{stage}.py", *arguments])
            patch.setattr(cores, "pool", ThreadPoolExecutor)  # processes would take seconds to start
            try:
                runpy.run_module(f"stages.{stage}", run_name="__main__")
            except SystemExit as ended:
                message, code = (ended.code, 1) if isinstance(ended.code, str) else ("", ended.code)
        return code, "\n".join([*(str(warning.message) for warning in warned), message])

    def run_alone(self, stage: str, *arguments: str) -> tuple[int, str]:
        """Run a stage in a process of its own; returns its exit code and standard error."""
        environment = os.environ | {"DVC_ROOT": str(self.folder), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", f"stages.{stage}", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def state(self) -> dict[str, tuple]:
        """Every file and folder that stages read or write; of a file what any write changes, even of equal bytes."""
        found = {}
        for parent, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name in KEPT or parent != str(self.folder)]
            found |= dict.fromkeys((f"{parent}/{name}" for name in folders), ())
            for name in names:
                about = os.lstat(f"{parent}/{name}")
                found[f"{parent}/{name}"] = (about.st_ino, about.st_size, about.st_mtime_ns)
        return found

    @contextmanager
    def spoilt(self, path: str, how: How) -> Iterator[None]:
        """Do something to a file or folder, which need not exist, and put it back afterwards."""
        whole, aside = self.folder / path, self.folder.parent / path.replace("/", "_")
        there = whole.exists()
        if there:
            (shutil.copytree if whole.is_dir() else shutil.copyfile)(whole, aside)
        whole.parent.mkdir(parents=True, exist_ok=True)
        try:
            how(whole)
            yield
        finally:
            remove(whole)
            if there:
                aside.rename(whole)


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Checkout:
    """The checkout on which all stages have run."""
    made = Checkout(tmp_path_factory.mktemp("bad inputs") / "checkout")
    made.prepare()
    return made


@pytest.fixture
def refuses(small, capfd):
    """A function that asserts that a command refuses what was spoilt: see the module."""

    def assert_refused(command: str | list, words: str, *spoils: tuple[str, How], valid: bool = True, alone=False):
        command = command.split() if isinstance(command, str) else command
        if valid:
            small.passes(*command)
        shutil.rmtree(small.folder / ".checkpoints", ignore_errors=True)  # what is ignored of it is said
        with ExitStack() as spoilt:
            for path, how in spoils:
                spoilt.enter_context(small.spoilt(path, how))
            before = small.state()
            capfd.readouterr()
            code, message = (small.run_alone if alone else small.run)(*command)
            after = small.state()
        printed = f"{capfd.readouterr().err}\n{message}"
        lines = [line for line in re.split(r"[\r\n]+", printed) if line.strip() and not BAR.search(line)]
        assert code not in (0, None), "it passes"
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ") and "unforeseen" not in lines[0], lines[0]
        assert MEND.search(lines[0]), f"names no fix: {lines[0]}"
        assert re.search(words, lines[0]), lines[0]
        assert all(character.isprintable() for character in lines[0]), lines[0]
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert not changed, f"changed: {sorted(changed)}"

    return assert_refused
