"""How many processes a stage becomes, and how torchrun is asked for them."""

import logging
import os
import signal
import socket
import sys

import pytest
from torch.distributed import TCPStore
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from bgbias.command import launch, signals
from bgbias.errors import InputError


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of 2 cores, and no GPUs unless a test says so."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.delenv(launch.NUMBER, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def gpus(count):
        monkeypatch.setattr(launch, "gpus_here", lambda: count)

    gpus(0)
    return gpus


def test_a_stage_is_one_process_unless_there_are_several_gpus(machine, torchrun):
    assert launch.wanted() == 0
    machine(1)
    assert launch.wanted() == 0
    machine(4)
    assert launch.wanted() == 4
    torchrun()  # which has started them
    assert launch.wanted() == 0


@pytest.mark.parametrize(("machines", "processes"), [("1", 0), ("2", 1), ("1:4", 1)])
@pytest.mark.parametrize("asked", [None, "1"])
@pytest.mark.parametrize("gpus", [0, 1])
def test_one_process_of_several_machines_joins_the_others(machine, monkeypatch, machines, processes, asked, gpus):
    monkeypatch.setenv("PET_NNODES", machines)
    machine(gpus)
    if asked:
        monkeypatch.setenv(launch.NUMBER, asked)
    assert launch.wanted() == processes


def test_a_port_of_another_program_is_refused_and_torchrun_s_is_not(monkeypatch):
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    launch._refuse_foreign_port(f"localhost:{store.port}")
    with socket.create_server(("localhost", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(launch, "ANSWER_S", 6.0)
        with pytest.raises(InputError, match=f"^PET_RDZV_ENDPOINT is 'localhost:{port}', a port that another program"):
            launch._refuse_foreign_port(f"localhost:{port}")
        monkeypatch.setattr(launch, "GREET", "raise SystemExit(1)")  # as of a program that answers something else
        with pytest.raises(InputError, match="a port that another program has: choose a port that is free"):
            launch._refuse_foreign_port(f"localhost:{port}")
    launch._refuse_foreign_port(f"localhost:{port}")


def test_the_environment_says_how_many(machine, monkeypatch):
    monkeypatch.setenv(launch.NUMBER, "3")
    assert launch.wanted() == 3
    machine(4)
    assert launch.wanted() == 3


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "", "²", " 2"])
def test_what_is_no_number_of_processes_is_refused(monkeypatch, number):
    monkeypatch.setenv(launch.NUMBER, number)
    with pytest.raises(
        InputError, match=f"^BGBIAS_PROCESSES is '{number}', expected a whole number from 1 on: correct"
    ):
        launch.wanted()


@pytest.mark.parametrize(("gpus", "number", "most"), [(0, "9", 8), (2, "3", 2)])
def test_more_processes_than_the_machine_has_room_for_are_refused(machine, monkeypatch, gpus, number, most):
    machine(gpus)
    monkeypatch.setenv(launch.NUMBER, number)
    with pytest.raises(InputError, match=f"^BGBIAS_PROCESSES is {number}, and this machine has .*: lower it to {most}"):
        launch.wanted()
    monkeypatch.setenv(launch.NUMBER, str(most))
    assert launch.wanted() == most


def test_pytorch_is_asked_for_gpus_only_where_there_is_a_driver_or_it_is_there_anyway(monkeypatch, tmp_path):
    import torch

    monkeypatch.undo()
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert launch.gpus_here() == 2
    monkeypatch.setattr(launch, "DRIVERS", (tmp_path / "none", tmp_path / "nvidiactl"))
    monkeypatch.delitem(sys.modules, "torch")
    assert launch.gpus_here() == 0 and "torch" not in sys.modules
    (tmp_path / "nvidiactl").touch()
    (tmp_path / "torch.py").write_text("class cuda:\n    device_count = lambda: 3")
    monkeypatch.syspath_prepend(tmp_path)
    assert launch.gpus_here() == 3


def test_machines_that_do_not_find_one_another_are_told_in_one_line(monkeypatch):
    monkeypatch.setenv("PET_NNODES", "2")
    monkeypatch.setenv("PET_RDZV_BACKEND", "c10d")
    monkeypatch.setenv("PET_RDZV_ENDPOINT", "127.0.0.1:not-a-port")
    monkeypatch.setenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")  # is put back after the test
    with pytest.raises(ConnectionError, match="^torchrun does not bring the machines together, or lost one: what do"):
        launch.launch("stages.embed", 1)


def test_machines_that_are_not_told_where_to_meet_are_refused(monkeypatch):
    monkeypatch.setenv("PET_NNODES", "2")
    with pytest.raises(InputError, match="^PET_NNODES is '2', and nothing says where these meet: set PET_RDZV_BACKEND"):
        launch.launch("stages.embed", 1)


def test_what_torchrun_does_not_take_is_one_line(run, monkeypatch, capsys):
    monkeypatch.setenv("PET_MAX_RESTARTS", "two")
    with pytest.raises(
        InputError, match=r"^torchrun does not take .* argument --max-restarts\S*: invalid int .*'two'$"
    ):
        run()
    assert capsys.readouterr().err == ""


@pytest.fixture
def run(monkeypatch):
    """Start a stage with arguments by a torchrun that is told what to do, and return what it was asked for."""
    monkeypatch.setenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "0")  # is put back after the test
    monkeypatch.setattr(sys, "argv", ["stages/train.py", "demo", "base", "42"])

    def started(torchrun=lambda asked: None):
        asked = []
        monkeypatch.setattr("torch.distributed.run.run", lambda given: asked.append(given) or torchrun(given))
        launch.launch("stages.train", 3)
        return asked[0]

    return started


@pytest.mark.parametrize(("machines", "backend", "looks"), [("1", "static", []), ("2", "c10d", ["host:1"])])
def test_torchrun_gets_the_stage_with_its_arguments(run, monkeypatch, capsys, machines, backend, looks):
    ports, silent = [], []
    monkeypatch.setattr(launch, "_refuse_foreign_port", ports.append)
    for name, value in {"NNODES": machines, "RDZV_BACKEND": backend, "RDZV_ENDPOINT": "host:1"}.items():
        monkeypatch.setenv(f"PET_{name}", value)
    asked = run(lambda _: silent.append(logging.root.manager.disable))
    assert capsys.readouterr().out == ("" if machines == "1" else "meeting the others of 2 machines at host:1\n")
    assert (asked.nproc_per_node, asked.standalone, asked.nnodes) == ("3", machines == "1", machines)
    assert (asked.module, asked.training_script) == (True, "stages.train")
    assert asked.training_script_args == ["demo", "base", "42"] and ports == looks
    assert silent == [logging.CRITICAL] and logging.root.manager.disable == logging.NOTSET
    assert os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] == "1"


@pytest.mark.parametrize(
    ("code", "ended", "said"),
    [
        (1, 1, ""),
        (2, 2, ""),
        (141, 141, ""),  # no one reads it any more
        (143, 143, signals.INTERRUPTED + "\n"),
        (-signal.SIGTERM, 143, signals.INTERRUPTED + "\n"),  # while it waited for the others
        (None, 130, signals.INTERRUPTED + "\n"),
    ],
)
def test_a_stage_ends_as_its_process_that_has_failed_or_as_torchrun_was_interrupted(run, capsys, code, ended, said):
    def fails(_):
        if code is None:
            raise SignalException("", signal.SIGINT)
        raise ChildFailedError("", {1: ProcessFailure(1, 9, code, "")})

    with pytest.raises(SystemExit) as end:
        run(fails)
    assert (end.value.code, capsys.readouterr().err) == (ended, said)


def test_a_killed_process_is_named_with_its_signal(run):
    def fails(_):
        raise ChildFailedError("", {1: ProcessFailure(1, 9, -signal.SIGSEGV, "")})

    with pytest.raises(ChildProcessError, match=r"^process 1 of stages.train was killed .SIGSEGV., for want of memory"):
        run(fails)
