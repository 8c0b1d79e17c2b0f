"""The same bytes whatever the threads and the cores: a training and attention maps, each time in a new process."""

import os
import subprocess
import sys

import pytest

RUN = """
import dataclasses, os, sys
from bgbias.config import read
from stages import attention, train

folder, threads, pinned = sys.argv[1:]
if pinned == "pinned":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
settings = read.load()
blocks = {
    "images": dataclasses.replace(settings.images["demo"], short_side_px=24, crop_px=20, input_px=64),
    "train": dataclasses.replace(settings.train["demo"], batch_size=8, batches_per_epoch=2, max_epochs=1),
    "evaluate": settings.evaluate["demo"],
}
every = ("data", "images", "masks", "backgrounds", "train", "evaluate")
few = settings.attention.max_images | {"drawn": 2}
settings = dataclasses.replace(
    settings,
    loss="triplet",
    threads=int(threads),
    attention=dataclasses.replace(settings.attention, copies=8, max_images=few),
    **{name: getattr(settings, name) | {"drawn": blocks.get(name, getattr(settings, name)["own"])} for name in every},
)
os.chdir(folder)
for stage in (train, attention):
    stage.main(settings, "drawn", "base", 1)
"""


MASKS = """
import contextlib, sys
import torch
from PIL import Image
from bgbias import seeding
from bgbias.external import spec
from bgbias.masks import segment

seeding.deterministic(1)
spec.load("torchvision:resnet18?input_px=16")
with contextlib.suppress(ValueError):  # an empty file is no network
    segment.rembg(Image.new("RGB", (8, 8)), sys.argv[1], 1)
print(torch.get_num_threads())
"""


@pytest.fixture
def run(data):
    def made(omp_threads: int, threads: int = 1, pinned: str = "free") -> dict[str, bytes]:
        environment = os.environ | {"OMP_NUM_THREADS": str(omp_threads), "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, "-c", RUN, data.parent, str(threads), pinned]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        files = [*data.parent.glob("models/**/*.*"), *data.parent.glob("data/attention/**/*.*")]
        return {path.name: path.read_bytes() for path in files}

    return made


@pytest.mark.slow
def test_weights_and_attention_maps_are_the_same_whatever_the_threads_and_cores(run):
    expected = run(omp_threads=1)
    assert set(expected) == {"weights.safetensors", "network.json", "clean.npy", "swapped.npy", "scores.csv"}
    assert run(omp_threads=2) == expected
    if hasattr(os, "sched_setaffinity"):
        assert run(omp_threads=2, pinned="pinned") == expected
    split = run(omp_threads=1, threads=2)
    for name in ("weights.safetensors", "clean.npy"):
        assert split[name] != expected[name], "too small to be split over threads, so this test could not fail"


@pytest.mark.slow
def test_threads_stay_as_they_are_where_masks_are_made_before_photos_are_embedded(tmp_path):
    (tmp_path / "net.onnx").touch()
    environment = os.environ | {"NUMBA_NUM_THREADS": "2"}  # as on two cores
    command = [sys.executable, "-c", MASKS, tmp_path / "net.onnx"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "1"
