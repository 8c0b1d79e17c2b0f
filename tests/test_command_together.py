"""What torchrun's processes do before they work: they meet, if they are at the same work, and end as they are told."""

import contextlib
import signal
import socket
import subprocess
import sys
import time

import pytest

from bgbias import ranks
from bgbias.command import launch, together
from bgbias.errors import InputError

WAITS = """
from bgbias import ranks
from bgbias.command import signals, together
join = ranks.join
ranks.join = lambda: (print("waits", flush=True), join())
with signals.interruptible(), together.joined(True, 0):
    pass
"""


@pytest.mark.parametrize(("visible", "taken"), [(None, "1"), ("3,5", "5")])
def test_each_process_sees_a_gpu_of_its_own(torchrun, monkeypatch, visible, taken):
    monkeypatch.setattr(launch, "gpus_here", lambda: 2)
    torchrun(CUDA_VISIBLE_DEVICES="")  # is put back after the test
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    together._take_gpu()
    assert together.os.environ["CUDA_VISIBLE_DEVICES"] == taken
    monkeypatch.setattr(launch, "gpus_here", lambda: 1)
    with pytest.raises(
        InputError, match="each process takes a GPU, and this machine has 1: lower BGBIAS_PROCESSES, or"
    ):
        together._take_gpu()


def test_a_stage_that_cannot_be_shared_is_refused_under_torchrun(torchrun):
    torchrun()
    with (
        pytest.raises(InputError, match="cannot share this stage: start it without torchrun"),
        together.joined(False, 0),
    ):
        pass
    torchrun(WORLD_SIZE="1")
    with together.joined(False, 0):
        assert ranks.count() == 1


@pytest.mark.parametrize("what", ["code", "parameters", "arguments", "versions"])
def test_processes_at_other_work_are_refused(torchrun, monkeypatch, what):
    torchrun()
    found = together._fingerprints("settings")
    monkeypatch.setattr(ranks, "gather", lambda own: [own, own, ("far", found | {what: "other"})])
    with pytest.raises(InputError, match=rf"^process 2 \(on far\) has other {what} than the first: give all"):
        together._refuse_others("settings")
    monkeypatch.setattr(ranks, "gather", lambda own: [own, own])
    together._refuse_others("settings")


def test_the_fingerprint_tells_parameters_apart():
    one, other = (together._fingerprints(settings) for settings in ("a", "b"))
    assert {what for what in one if one[what] != other[what]} == {"parameters"}


def test_a_folder_that_a_machine_does_not_share_is_refused(torchrun, monkeypatch, checkout):
    torchrun(LOCAL_WORLD_SIZE="1")
    monkeypatch.setattr(together, "SIGHT_S", 0)
    for seen, refused in (([True, False], True), ([True, True], False)):
        monkeypatch.setattr(ranks, "gather", lambda own, seen=seen: seen if own in (True, False) else [own, own])
        expected = pytest.raises(InputError, match="far does not see what near writes: put the checkout into a folder")
        with expected if refused else contextlib.nullcontext():
            together._refuse_other_folder(["near", "far"])
    assert not list(checkout.rglob("seen-*"))


@pytest.mark.parametrize(
    ("place", "waits", "told"),
    [
        ({"RANK": "0", "LOCAL_RANK": "0"}, 0, True),
        ({"RANK": "1"}, 1, True),
        ({"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}, 1, True),
        ({"RANK": "3", "WORLD_SIZE": "4"}, 2, True),
        ({"RANK": "0", "LOCAL_RANK": "0", "TORCHELASTIC_MAX_RESTARTS": "1"}, None, False),
    ],
)
def test_an_error_is_told_by_the_first_process_that_meets_it(torchrun, monkeypatch, capsys, place, waits, told):
    waited = []
    monkeypatch.setattr(together.time, "sleep", waited.append)
    monkeypatch.setattr(together.os, "_exit", sys.exit)
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    torchrun(**place)
    with pytest.raises(SystemExit) as ended:
        together.end("error: bad")
    assert ended.value.code == 1 and waited == ([] if waits is None else [waits * together.HEAD_START_S])
    assert capsys.readouterr().err == ("error: bad\n" if told else "")


def test_restarts_of_torchrun_that_would_wait_for_the_dead_are_refused(torchrun):
    asked = {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_MAX_RESTARTS": "2"}
    torchrun(**asked)
    refused = "^what torchrun starts again would wait .*: set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"
    with pytest.raises(InputError, match=refused), together.joined(True, 0):
        pass
    for allowed in ({"TORCHELASTIC_MAX_RESTARTS": "0"}, {"TORCHELASTIC_USE_AGENT_STORE": "False"}):
        torchrun(**asked | allowed)
        together._refuse_restarts()


def test_a_process_that_waits_for_the_others_to_begin_ends_at_sigterm(torchrun):
    with socket.create_server(("localhost", 0)) as taken:
        torchrun(MASTER_ADDR="localhost", MASTER_PORT=str(taken.getsockname()[1]))
        running = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
        assert running.stdout.readline() == "waits\n"
        time.sleep(1)
        running.terminate()
        try:
            assert running.wait(timeout=5) == -signal.SIGTERM
        finally:
            running.kill()
            running.communicate()
