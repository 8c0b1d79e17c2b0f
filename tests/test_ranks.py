"""Processes that share their work make what one makes: to the byte, but for sums over a batch in another order."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shared_work
import torch

from bgbias import cores, ranks

HERE = Path(__file__).parent


def several(count, given, out, which):
    """Start the shared work as torchrun does."""
    out.mkdir()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    environment = os.environ | {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, str(HERE / "shared_work.py"), str(given), str(out), which],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return torch.load(out / "found.pt", weights_only=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What 1, 2 and 3 processes make, each once for all tests of this file."""
    return {"folder": tmp_path_factory.mktemp("made")}


@pytest.fixture
def found(made, data, geometry, options):
    """Number of processes, few or all trainings -> what they have made."""

    def of(count, which="few"):
        key = f"{which}-{count}"
        if key not in made:
            given, out = made["folder"] / f"given-{key}", made["folder"] / key
            given.write_bytes(pickle.dumps((data, geometry, options)))
            if count > 1:
                made[key] = several(count, given, out, which)
            else:
                out.mkdir()
                shared_work.main(given, out, which)
                made[key] = torch.load(out / "found.pt", weights_only=False)
        return made[key]

    return of


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", shared_work.FEW)
def test_after_20_steps_several_processes_have_the_weights_of_one(found, name, count):
    one, more = (found(number)["trained"][name] for number in (1, count))
    assert (one - more).abs().max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", shared_work.TRAININGS)
def test_so_they_have_with_every_loss_in_every_regime(found, name):
    one, two = (found(count, "all")["trained"][name] for count in (1, 2))
    assert (one - two).abs().max() < 1e-5


@pytest.mark.parametrize("count", [2, 3])
def test_gradients_are_those_of_the_whole_batch(found, count):
    one, several = found(1)["gradients"], found(count)["gradients"]
    assert several["network"] == pytest.approx(one["network"], rel=1e-5)
    assert several["loss"] == pytest.approx(one["loss"], rel=1e-5)


def test_a_batch_consists_of_the_same_bytes_whoever_composes_them(found):
    for count in (2, 3):
        pairs = zip(found(1)["batches"], found(count)["batches"], strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("count", [2, 3])
def test_embeddings_attention_retrieval_and_masks_are_the_same_bytes(found, count):
    one, several = found(1)["measured"], found(count)["measured"]
    assert one.keys() == several.keys() and len(one) == 21
    for name in one:
        np.testing.assert_array_equal(one[name], several[name], err_msg=name)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_kept_is_made_once_and_an_error_is_met_by_all(found, count):
    kept = found(count)["kept"]
    assert kept.pop("array").tolist() == [[number] * 3 for number in range(5) for _ in range(2)]
    assert (
        kept.pop("shares")
        == {1: [[0, 1, 2, 3, 4, 5, 6]], 2: [[0, 1, 2], [3, 4, 5, 6]], 3: [[0, 1], [2, 3], [4, 5, 6]]}[count]
    )
    too_many = kept.pop("too many")
    assert kept == {
        "text": "a",
        "calls": 1,
        "written": {"rank": 0},
        "refused": "2 is bad: mend it",
        "refused by the first": "2 is bad: mend it",
        "failed": "no space for 0",
        "as before": "[1, 0, 4]",
    }
    assert too_many.startswith("3 processes share 2 photos: start 2 at most" if count == 3 else "None")


def test_processes_share_the_cores_of_their_machine_with_those_on_it_alone(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(12), raising=False)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda *_, **how: None)
    monkeypatch.setattr(ranks, "_world", ranks._World())  # is put back after the test
    for name, value in {"RANK": "5", "WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    ranks.join()
    assert (ranks.rank(), ranks.count(), ranks.is_first()) == (5, 6, False)
    assert (ranks.on_this_machine(), cores.count()) == (2, 6)
    monkeypatch.setattr(ranks, "_world", ranks._World(count=30, local=30))
    assert cores.count() == 1


def test_a_process_that_has_lost_the_others_says_so_in_one_line(monkeypatch):
    monkeypatch.setattr(ranks, "PATIENCE_S", 0)
    with (
        pytest.raises(ChildProcessError, match=r"^another process of this stage has ended: .* .Connection closed by"),
        ranks._connected(),
    ):
        raise RuntimeError("Connection closed\nby peer")
