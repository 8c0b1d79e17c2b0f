"""What torchrun's processes do before they work: they wait for one another, and end if they are told to."""

import signal
import socket
import subprocess
import sys
import time

import pytest
from test_command_launch import TORCHRUN

from bgbias.command import together
from bgbias.errors import InputError

WAITS = """
from bgbias import ranks
from bgbias.command import signals, together
join = ranks.join
ranks.join = lambda: (print("waits", flush=True), join())
with signals.interruptible(), together.joined(True, 0):
    pass
"""


def be(monkeypatch, **changes):
    """Be the second of two processes that torchrun has started."""
    for name, value in (TORCHRUN | changes).items():
        monkeypatch.setenv(name, value)


def test_restarts_of_torchrun_that_would_wait_for_the_dead_are_refused(monkeypatch):
    asked = {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_MAX_RESTARTS": "2"}
    be(monkeypatch, **asked)
    refused = "^what torchrun starts again would wait .*: set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"
    with pytest.raises(InputError, match=refused), together.joined(True, 0):
        pass
    for allowed in ({"TORCHELASTIC_MAX_RESTARTS": "0"}, {"TORCHELASTIC_USE_AGENT_STORE": "False"}):
        be(monkeypatch, **asked | allowed)
        together._refuse_restarts()


def test_a_process_that_waits_for_the_others_to_begin_ends_at_sigterm(monkeypatch):
    with socket.create_server(("localhost", 0)) as taken:
        be(monkeypatch, MASTER_ADDR="localhost", MASTER_PORT=str(taken.getsockname()[1]))
        running = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
        assert running.stdout.readline() == "waits\n"
        time.sleep(1)
        running.terminate()
        try:
            assert running.wait(timeout=5) == -signal.SIGTERM
        finally:
            running.kill()
            running.communicate()
