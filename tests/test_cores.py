"""Worker processes, which are killed, end by themselves or are no longer needed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bgbias import cores

WORKERS = """
import os, sys, time
from bgbias import cores
if __name__ == "__main__":
    with cores.pool(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(20)}, *(pool.submit(time.sleep, 0.1) for _ in "abc"))
        print("ready", flush=True)
        pool.submit(time.sleep, 60).result()
"""


def test_workers_end_with_a_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", WORKERS], stdout=subprocess.PIPE, text=True)
    while parent.stdout.readline() != "ready\n":
        pass
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 3  # two and the tracker of resources
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_killed_worker_is_one_line_that_names_the_mend():
    complaint = "^a worker process was killed, for want of memory"
    with pytest.raises(ChildProcessError, match=complaint), cores.pool(1) as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()


@pytest.mark.parametrize("written", ["in a file", "on standard input"])
def test_a_script_that_does_its_work_when_it_is_imported_is_told_so(tmp_path, written):
    script = "from bgbias import cores\nwith cores.pool(2) as pool:\n    print(*pool.map(abs, [-1]))\n"
    (tmp_path / "mine.py").write_text(script)
    command = [sys.executable, tmp_path / "mine.py" if written == "in a file" else "-"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, env=environment)
    said = done.stderr.splitlines()[-1]
    assert said.startswith("ChildProcessError: a worker process ended by itself, see its error above: if your ")
    assert 'works under `if __name__ == "__main__":` only' in said and "memory" not in said


def test_an_error_cancels_what_has_not_begun():
    start = time.monotonic()
    with pytest.raises(KeyError), cores.pool(1) as pool:
        waiting = [pool.submit(time.sleep, 0.5) for _ in range(100)]
        raise KeyError
    assert time.monotonic() - start < 20 and waiting[-1].cancelled()
