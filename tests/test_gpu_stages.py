"""Stages on a GPU, by themselves and as torchrun starts them; and what is said where there are too few GPUs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from on_gpu import MARKS
from ruamel.yaml import YAML

pytestmark = MARKS
ROOT = Path(__file__).parent.parent
TORCHRUN = "-m", "torch.distributed.run", "--standalone"


@pytest.fixture
def run(data, drawn_settings):
    """Run a module beside the drawn photos; returns its exit code, and the lines of both outputs."""
    drawn_settings["train"]["drawn"] |= {"batch_size": 8, "batches_per_epoch": 3, "max_epochs": 2, "embedding_dim": 8}
    drawn_settings["attention"]["copies"] = 3
    YAML().dump(drawn_settings, data.parent / "params.yaml")

    def start(*command, **environment):
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"} | environment
        environment.pop("DVC_ROOT", None)
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=data.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        errors = [line for line in done.stderr.splitlines() if line.strip() and "%|" not in line and "it/s" not in line]
        return done.returncode, done.stdout.splitlines(), errors

    return start


@pytest.mark.parametrize("launcher", [("-m",), (*TORCHRUN, "--nproc-per-node=1", "-m")], ids=["alone", "torchrun"])
def test_a_network_is_trained_embeds_and_is_explained(run, data, launcher):
    for stage in ("train", "embed", "attention"):
        code, printed, errors = run(*launcher, f"stages.{stage}", "drawn", "bgconsistency", "42")
        assert code == 0, (printed, errors)
    clean = np.load(data / "embeddings/drawn/bgconsistency/42/clean.npy")
    scores = pd.read_csv(data / "attention/drawn/bgconsistency/42/scores.csv")
    assert clean.shape == (9, 8) and np.isfinite(clean).all()
    assert scores[["clean", "swapped"]].notna().all(axis=None)
    weights = data.parent / "models/drawn/bgconsistency/42/weights.safetensors"
    assert weights.is_file()


def test_more_processes_than_gpus_are_refused_in_one_line(run):
    gpus = torch.cuda.device_count()
    code, _, errors = run("-m", "stages.train", "drawn", "base", "42", BGBIAS_PROCESSES=str(gpus + 1))
    assert code == 1 and len(errors) == 1
    assert errors[0].startswith(
        f"error: BGBIAS_PROCESSES is {gpus + 1}, and this machine has {gpus} GPUs, one each: lower"
    )
    many = f"--nproc-per-node={gpus + 1}"
    code, _, errors = run(*TORCHRUN, many, "-m", "stages.train", "drawn", "base", "42")
    said = [line for line in errors if line.startswith("error: ")]
    assert code == 1 and said[:1] == [
        f"error: each process takes a GPU, and this machine has {gpus}: lower BGBIAS_PROCESSES, or --nproc-per-node of "
        "torchrun, to that"
    ]


def test_messages_between_gpus_pass():
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, *TORCHRUN, "--nproc-per-node=1", str(ROOT / "tests/nccl_alone.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["all said"], done.stderr
