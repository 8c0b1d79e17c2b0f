"""Stages on a GPU, and what is said where there are too few GPUs; what processes of several GPUs say to one another."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from on_gpu import MARKS, as_stages  # noqa: F401 (fixture)
from ruamel.yaml import YAML

pytestmark = [*MARKS, pytest.mark.usefixtures("as_stages")]
ROOT = Path(__file__).parent.parent
TORCHRUN = "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1"


@pytest.fixture
def run(data, drawn_settings, monkeypatch, run_stage):
    """Run a stage beside the drawn photos in this process, for another one loads CUDA for seconds."""
    drawn_settings["train"]["drawn"] |= {"batch_size": 8, "batches_per_epoch": 3, "max_epochs": 2, "embedding_dim": 8}
    drawn_settings["attention"]["copies"] = 3
    YAML().dump(drawn_settings, data.parent / "params.yaml")
    monkeypatch.chdir(data.parent)

    def start(stage, regime, processes):
        monkeypatch.setenv("BGBIAS_PROCESSES", str(processes))
        run_stage(stage, "drawn", regime, 42)

    return start


def test_a_network_is_trained_embeds_and_is_explained(run, data):
    for stage in ("train", "embed", "attention"):
        run(stage, "bgconsistency", 1)
    clean = np.load(data / "embeddings/drawn/bgconsistency/42/clean.npy")
    scores = pd.read_csv(data / "attention/drawn/bgconsistency/42/scores.csv")
    assert clean.shape == (9, 8) and np.isfinite(clean).all()
    assert scores[["clean", "swapped"]].notna().all(axis=None)
    assert (data.parent / "models/drawn/bgconsistency/42/weights.safetensors").is_file()


def test_more_processes_than_gpus_are_refused_in_one_line(run):
    gpus = torch.cuda.device_count()
    with pytest.raises(SystemExit) as ended:
        run("train", "base", gpus + 1)
    said = f"error: BGBIAS_PROCESSES is {gpus + 1}, and this machine has {gpus} GPUs, one each: lower"
    assert str(ended.value).startswith(said)


def test_messages_between_gpus_pass():
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, *TORCHRUN, str(ROOT / "tests/nccl_alone.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["all said"], done.stderr
