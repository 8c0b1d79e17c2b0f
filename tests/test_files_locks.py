"""Locks and scratch folders, in processes that are killed or run twice."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest

from bgbias import files
from bgbias.files import locks

HOLDS = """
import sys, time
from pathlib import Path
from bgbias import files
from bgbias.files import locks
with locks.locked("it"), locks.scratch(Path(sys.argv[1])) as folder:
    (folder / "half").touch()
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def start():
    """Start Python code in a process group of its own; it is killed at the end."""
    running = []

    def start(code: str, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def left(checkout: Path) -> list[str]:
    return [path.name for path in (checkout / ".checkpoints").rglob("*")]


def test_a_lock_names_its_process_and_dies_with_it(start, tmp_path, checkout):
    holder = start(HOLDS, tmp_path / "out")
    assert holder.stdout.readline() == "ready\n"
    complaint = rf"^it: process {holder.pid} is at it: wait until it has ended, or stop it with `kill {holder.pid}`$"
    with pytest.raises(BlockingIOError, match=complaint), locks.locked("it"):
        pass
    with locks.locked("something else, such as caf\udce9"):
        pass
    holder.kill()
    holder.wait()
    with locks.locked("it"):
        pass


@pytest.mark.parametrize("where", [None, "/dev/shm"])
def test_what_a_killed_process_leaves_is_removed_and_what_a_living_one_needs_is_kept(start, checkout, where):
    if where and not Path(where).is_dir():
        pytest.skip("no other file system at hand")
    with TemporaryDirectory(dir=where) as there:
        folder = Path(there)
        holder = start(HOLDS, folder / "out")
        holder.stdout.readline()
        with locks.scratch(folder / "other") as other:
            locks.sweep()
            assert other.is_dir() and (other.parent == folder if where else other.parent == checkout / ".checkpoints")
        half = [path for place in (folder, checkout) for path in place.rglob("half")]
        assert len(half) == 1
        holder.kill()
        holder.wait()
        locks.sweep()
        assert not half[0].exists() and not list(folder.iterdir())
    assert not (checkout / ".checkpoints").exists()


def test_many_processes_that_start_at_once_remove_what_killed_ones_have_left(checkout, monkeypatch):
    (checkout / ".checkpoints").mkdir(parents=True)
    for name in ("killed", "partial-killed-before-it-named-its-target"):
        (checkout / f".checkpoints/{name}.lock").touch()
    mkdir, glob, gone = Path.mkdir, Path.glob, [FileExistsError(), FileNotFoundError()]  # by another one, in between

    def removed(folder, *args, **how):
        if gone:
            raise gone.pop()
        return mkdir(folder, *args, **how)

    monkeypatch.setattr(Path, "mkdir", removed)
    locks.sweep()
    assert not (checkout / ".checkpoints").exists() and not gone

    def vanished(folder, pattern):
        yield from glob(folder, pattern)
        raise FileNotFoundError

    monkeypatch.setattr(Path, "glob", vanished)
    locks.sweep()


@pytest.mark.parametrize("put", [Path.touch, lambda path: path.symlink_to("/proc/nowhere")])
def test_what_is_no_folder_in_the_place_of_the_folder_is_no_cause_to_wait(checkout, put):
    checkout.mkdir()
    put(checkout / ".checkpoints")
    with pytest.raises(OSError, match="checkpoints|proc"), locks.locked("it"):
        pass


def test_a_process_waits_for_another_one(start, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE_S", 0.1)
    holder = start(HOLDS.replace("60", "1"), tmp_path / "out")
    holder.stdout.readline()
    with locks.locked("it", wait=True):
        assert holder.wait(10) == 0
    assert capsys.readouterr().err == f"waiting for process {holder.pid}, which makes it\n"


def test_a_lock_that_is_given_back_within_a_moment_is_waited_for(checkout):
    taken = Event()

    def hold():
        with locks.locked("it"):
            taken.set()
            time.sleep(0.2)

    holder = Thread(target=hold)
    holder.start()
    taken.wait()
    with locks.locked("it"):
        pass
    holder.join()


def test_a_folder_of_locks_that_the_user_removes_is_no_error(checkout):
    with locks.locked("it"):
        shutil.rmtree(checkout / ".checkpoints")
    assert not left(checkout)


KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from bgbias import files
os.chdir(sys.argv[1])  # as in a temporary copy of the checkout
rename = Path.rename
def last(path, target):
    if path.name == "new":
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = last
with files.whole_folder(Path("caf\\udce9")) as partial:
    (partial / "new").touch()
"""


def test_a_folder_whose_successor_was_killed_comes_back(start, tmp_path, checkout):
    out = tmp_path / "caf\udce9"
    out.mkdir()
    (out / "old").touch()
    assert start(KILLED_BETWEEN, tmp_path).wait() == -signal.SIGKILL
    assert not out.exists()
    locks.sweep()
    assert [path.name for path in out.iterdir()] == ["old"] and not left(checkout)


@pytest.mark.parametrize("taken", [False, True])
def test_of_what_was_moved_away_the_last_comes_back_unless_its_place_is_taken(tmp_path, checkout, taken):
    out = tmp_path / "out"
    with locks.scratch(out) as folder:
        for name in ("old-0", "old-1"):
            (folder / name / f"of {name}").mkdir(parents=True)
        if taken:
            out.mkdir()
    assert [path.name for path in out.iterdir()] == ([] if taken else ["of old-1"])


AGAIN_AND_AGAIN = """
import sys
from pathlib import Path
from bgbias import files
for number in range(100):
    with files.whole_folder(Path(sys.argv[1])) as partial:
        for name in "ab":
            (partial / name).write_text(f"{sys.argv[2]} {number}")
"""


def test_two_processes_put_the_same_folder_at_once(start, tmp_path, checkout):
    both = [start(AGAIN_AND_AGAIN, tmp_path / "out", name) for name in ("first", "second")]
    for process in both:
        assert process.communicate()[1] == ""
    found = [path.read_text() for path in (tmp_path / "out").iterdir()]
    assert len(found) == 2 and found[0] == found[1] and found[0].endswith("99")
    assert sorted(tmp_path.iterdir()) == [checkout, tmp_path / "out"] and not left(checkout)


def test_a_folder_is_put_although_another_process_has_just_put_its_own(tmp_path, checkout, monkeypatch):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    rename, others = Path.rename, ["other", "another"]

    def late(path: Path, target: Path) -> Path:
        if path.name == "new" and others:
            target.mkdir()
            (target / others.pop()).touch()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    with files.whole_folder(tmp_path / "out") as partial:
        (partial / "mine").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"] and not others and not left(checkout)
