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
import atexit, os, sys, time
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

def cleans():
    signals.GRACE_S = 8.0
    try:
        waits()
    finally:
        time.sleep(0.5)
        print("cleaned", flush=True)

def ends():
    print(os.environ["PYTHONWARNINGS"].partition(",")[0])

def late():
    print("ready", flush=True)
    time.sleep(0.5)
    print("put away")

if "{how}" == "ends":
    atexit.register(late)

if __name__ == "__main__":
    with signals.interruptible():
        {how}()
"""


@pytest.fixture
def begin(tmp_path):
    """Start a script that does so; it has begun."""

    def begin(how: str, **more: str) -> subprocess.Popen:
        script = tmp_path / "script.py"
        script.write_text(BEGINS.replace("{how}", how))
        environment = os.environ | {"PYTHONPATH": "."} | more
        pipe = subprocess.PIPE
        running = subprocess.Popen(
            [sys.executable, script], env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        assert running.stdout.readline() == more.get("PYTHONWARNINGS", "ready") + "\n"
        return running

    return begin


@pytest.mark.parametrize("how", ["waits", "breaks", "works", "lingers", "ignores"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_all_processes_ends_them_in_one_line(how, number, code, begin):
    running = begin(how)
    workers = psutil.Process(running.pid).children(recursive=True)
    start = time.monotonic()
    os.killpg(running.pid, number)
    assert running.communicate(timeout=30)[1] == f"{signals.INTERRUPTED}\n"
    assert running.returncode == code and time.monotonic() - start < 20
    assert not psutil.wait_procs(workers, timeout=10)[1]


def test_more_signals_do_not_disturb_a_process_that_ends_and_it_ends_as_soon_as_it_can(begin):
    running, start = begin("cleans"), time.monotonic()
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        running.send_signal(number)
        time.sleep(0.1)
    assert running.communicate(timeout=30) == ("cleaned\n", f"{signals.INTERRUPTED}\n")
    assert running.returncode == 143 and time.monotonic() - start < 5


def test_a_signal_after_the_work_is_done_changes_nothing(begin):
    running = begin("ends", PYTHONWARNINGS="ignore::ImportWarning")  # the user's own stays
    assert running.stdout.readline() == "ready\n"
    running.terminate()
    assert running.communicate(timeout=30) == ("put away\n", "") and running.returncode == 0


def test_a_job_in_the_background_outlives_ctrl_c(begin):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as shells start it; it is inherited
    try:
        running = begin("waits")
    finally:
        signal.signal(signal.SIGINT, before)
    for number in (signal.SIGINT, signal.SIGTERM):
        running.send_signal(number)
        time.sleep(0.2)
    assert running.wait(timeout=30) == 143


def test_a_process_of_torchrun_says_nothing_for_one_line_is_said_for_all(begin):
    running = begin("waits", TORCHELASTIC_RUN_ID="a")
    running.terminate()
    assert running.communicate(timeout=30)[1] == "" and running.returncode == 143


@pytest.mark.parametrize(
    ("does", "arguments", "code", "said"),
    [
        ("print('late')", [], 141, ""),
        ("print('soon', flush=True)", [], 141, ""),
        ("print('now')", [], 141, ""),
        ("", ["--help"], 141, ""),
        ("print('late'); raise InputError('mend it')", [], 1, "error: mend it\n"),
    ],
)
def test_a_stage_that_no_one_reads_ends_without_a_word_and_its_errors_are_told(does, arguments, code, said):
    imports = "from bgbias.command import cli\nfrom bgbias.errors import InputError"
    script = f"{imports}\ndef stage(settings): {does or 'pass'}\ncli.run(stage, 'what it does')"
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does when it has its lines
    unbuffered = {"PYTHONUNBUFFERED": "1" if "now" in does else ""}
    command, pipe = [sys.executable, "-c", script, *arguments], subprocess.PIPE
    ended = subprocess.run(command, stdout=writer, stderr=pipe, text=True, env=os.environ | unbuffered)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (code, said)


def test_a_pipe_that_a_worker_breaks_is_told():
    script = "from bgbias.command import cli\ndef stage(settings): raise BrokenPipeError('of a worker')\n"
    command = [sys.executable, "-c", f"{script}cli.run(stage, 'what it does')"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (1, "error: of a worker\n")


def test_a_stage_whose_output_was_closed_from_the_start_ends_well():
    script = "from bgbias.command import cli\ncli.run(lambda settings: print('to no one'), 'what it does')"
    command = [sys.executable, "-c", f"import sys\nsys.stdout = None\n{script}"]  # as Python has it behind `>&-`
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
