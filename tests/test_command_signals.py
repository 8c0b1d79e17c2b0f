"""Stages that are interrupted: one line, the code that shells give, no process left."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from bgbias.command import signals

BEGINS = """
import sys, time
from bgbias.command import signals
from bgbias import cores
signals.GRACE_S = 0.5

class Swallows:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(60)

def waits():
    print("ready", flush=True)
    time.sleep(60)

def breaks():
    try:
        waits()
    except KeyboardInterrupt:
        raise RuntimeError("as PyTorch does when its workers have gone")

def works():
    with cores.pool(2) as pool:
        found = [pool.submit(time.sleep, 0.01) for _ in range(9)]
        found[0].result()
        print("ready", flush=True)
        [pool.submit(time.sleep, 0.2) for _ in range(1000)][-1].result()

def lingers():
    signals.GRACE_S = 0.0
    works()

def ignores():
    Swallows()
    time.sleep(60)

if __name__ == "__main__":
    with signals.interruptible():
        {how}()
"""


@pytest.mark.parametrize("how", ["waits", "breaks", "works", "lingers", "ignores"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_all_processes_ends_them_in_one_line(how, number, code, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(BEGINS.replace("{how}", how))
    environment = os.environ | {"PYTHONPATH": "."}
    pipe = subprocess.PIPE
    running = subprocess.Popen(
        [sys.executable, script], env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
    assert running.stdout.readline() == "ready\n"
    workers = psutil.Process(running.pid).children(recursive=True)
    start = time.monotonic()
    os.killpg(running.pid, number)
    assert running.communicate(timeout=30)[1] == f"{signals.INTERRUPTED}\n"
    assert running.returncode == code and time.monotonic() - start < 20
    assert not psutil.wait_procs(workers, timeout=10)[1]
