"""Locks, scratch folders and worker processes, in processes that are killed or run twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from bgbias import files
from bgbias.files import processes

HOLDS = """
import sys, time
from pathlib import Path
from bgbias import files
from bgbias.files import processes
with processes.locked("it"), processes.scratch(Path(sys.argv[1])) as folder:
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
    with pytest.raises(BlockingIOError, match=complaint), processes.locked("it"):
        pass
    with processes.locked("something else"):
        pass
    holder.kill()
    holder.wait()
    with processes.locked("it"):
        pass


@pytest.mark.parametrize("where", [None, "/dev/shm"])
def test_what_a_killed_process_leaves_is_removed_and_what_a_living_one_needs_is_kept(start, checkout, where):
    if where and not Path(where).is_dir():
        pytest.skip("no other file system at hand")
    with TemporaryDirectory(dir=where) as there:
        folder = Path(there)
        holder = start(HOLDS, folder / "out")
        holder.stdout.readline()
        with processes.scratch(folder / "other") as other:
            processes.sweep()
            assert other.is_dir()
        half = [path for place in (folder, checkout) for path in place.rglob("half")]
        assert len(half) == 1
        holder.kill()
        holder.wait()
        processes.sweep()
        assert not half[0].exists() and not list(folder.iterdir())
    assert not (checkout / ".checkpoints").exists()


def test_many_processes_that_start_at_once_remove_what_killed_ones_have_left(checkout, monkeypatch):
    (checkout / ".checkpoints").mkdir(parents=True)
    (checkout / ".checkpoints/killed.lock").touch()
    mkdir, glob, gone = Path.mkdir, Path.glob, [FileExistsError(), FileNotFoundError()]  # by another one, in between

    def removed(folder, *args, **how):
        if gone:
            raise gone.pop()
        return mkdir(folder, *args, **how)

    monkeypatch.setattr(Path, "mkdir", removed)
    processes.sweep()
    assert not (checkout / ".checkpoints").exists() and not gone

    def vanished(folder, pattern):
        yield from glob(folder, pattern)
        raise FileNotFoundError

    monkeypatch.setattr(Path, "glob", vanished)
    processes.sweep()


def test_a_file_in_the_place_of_the_folder_is_no_cause_to_wait(checkout):
    checkout.mkdir()
    (checkout / ".checkpoints").touch()
    with pytest.raises(OSError, match="checkpoints"), processes.locked("it"):
        pass


def test_a_process_waits_for_another_one(start, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE_S", 0.1)
    holder = start(HOLDS.replace("60", "1"), tmp_path / "out")
    holder.stdout.readline()
    with processes.locked("it", wait=True):
        assert holder.wait(10) == 0
    assert capsys.readouterr().err == f"waiting for process {holder.pid}, which makes it\n"


KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from bgbias import files
rename = Path.rename
def last(path, target):
    if path.name == "new":
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = last
with files.whole_folder(Path(sys.argv[1])) as partial:
    (partial / "new").touch()
"""


def test_a_folder_whose_successor_was_killed_comes_back(start, tmp_path, checkout):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    assert start(KILLED_BETWEEN, tmp_path / "out").wait() == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    processes.sweep()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["old"] and not left(checkout)


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


WORKERS = """
import os, sys, time
from bgbias.files import processes
if __name__ == "__main__":
    with processes.pool(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(20)}, *(pool.submit(time.sleep, 0.1) for _ in "abc"))
        print("ready", flush=True)
        pool.submit(time.sleep, 60).result()
"""


def test_workers_end_with_a_killed_parent(start):
    parent = start(WORKERS)
    while parent.stdout.readline() != "ready\n":
        pass
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 3  # two and the tracker of resources
    parent.kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_killed_worker_is_one_line_that_names_the_mend():
    complaint = "^a worker process was killed, for want of memory"
    with pytest.raises(ChildProcessError, match=complaint), processes.pool(1) as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()


@pytest.mark.parametrize("written", ["in a file", "on standard input"])
def test_a_script_that_does_its_work_when_it_is_imported_is_told_so(tmp_path, written):
    script = "from bgbias.files import processes\nwith processes.pool(2) as pool:\n    print(*pool.map(abs, [-1]))\n"
    (tmp_path / "mine.py").write_text(script)
    command = [sys.executable, tmp_path / "mine.py" if written == "in a file" else "-"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, env=environment)
    said = done.stderr.splitlines()[-1]
    assert said.startswith("ChildProcessError: a worker process ended by itself, see its error above: if your ")
    assert 'works under `if __name__ == "__main__":` only' in said and "memory" not in said


def test_an_error_cancels_what_has_not_begun():
    start = time.monotonic()
    with pytest.raises(KeyError), processes.pool(1) as pool:
        waiting = [pool.submit(time.sleep, 0.5) for _ in range(100)]
        raise KeyError
    assert time.monotonic() - start < 20 and waiting[-1].cancelled()
