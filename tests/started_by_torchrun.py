"""A process that torchrun has started."""

import pytest

SECOND_OF_TWO = {
    "TORCHELASTIC_RUN_ID": "a",
    "TORCHELASTIC_RESTART_COUNT": "0",
    "TORCHELASTIC_MAX_RESTARTS": "0",
    "WORLD_SIZE": "2",
    "LOCAL_WORLD_SIZE": "2",
    "LOCAL_RANK": "1",
    "RANK": "1",
}


@pytest.fixture
def torchrun(monkeypatch):
    """Be the second of two processes that torchrun has started; more of its variables can be given."""

    def start(**changes):
        for name, value in (SECOND_OF_TWO | changes).items():
            monkeypatch.setenv(name, value)

    return start
