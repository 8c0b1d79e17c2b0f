"""The arithmetic of training and attention maps: TF32 where it is asked for, and what is said of it and of bf16."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import torch

from bgbias.models.embedder import Embedder

PICTURES = {"cpu": 8, "cuda": 64}  # that are timed: few keep a GPU waiting, whatever the arithmetic
said: set[str] = set()  # what has been timed by this process


@contextmanager
def convolutions(precision: str) -> Iterator[None]:
    """Let an NVIDIA GPU round the factors of fp32 convolutions to TF32, 10 bits of mantissa, if that is asked for.

    >>> with convolutions("tf32"):
    ...     torch.backends.cudnn.allow_tf32
    True
    """
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, precision == "tf32"
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def remark(embedder: Embedder, precision: str, what: str, option: str) -> None:
    """Print a line if tf32 is asked for where there is none, or bf16 where it takes longer than fp32.

    Args:
        embedder: is not changed.
        precision: that is asked for. Of bf16 some pictures are timed there and back, each way once.
        what: is done, such as "training"; it is timed once in a process.
        option: where the precision is set.
    """
    if precision == "fp32" or what in said:
        return
    said.add(what)
    if precision == "tf32":
        if not embedder.mean.is_cuda:
            print(f"{option} is tf32, which NVIDIA GPUs alone have: here it is fp32", flush=True)
        return
    tried = copy.deepcopy(embedder).eval()
    number = PICTURES[embedder.mean.device.type]
    pictures = torch.zeros(number, 3, embedder.input_px, embedder.input_px, dtype=torch.uint8)
    images = tried.normalise(pictures)
    for _ in range(2):  # the first time, what both need is set up
        seconds = {of: _there_and_back(tried, images, of) for of in ("fp32", "bf16")}
    if seconds["bf16"] > seconds["fp32"]:
        speed = seconds["fp32"] / seconds["bf16"]
        print(f"bf16 has {speed:.2f} times the speed of fp32 in {what} here: set {option} to fp32", flush=True)


def _there_and_back(embedder: Embedder, images: torch.Tensor, precision: str) -> float:
    started, images = perf_counter(), images.detach().requires_grad_()
    with torch.enable_grad():
        with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"):
            embeddings = embedder(images)
        embeddings.float().sum().backward()
    if images.is_cuda:
        torch.cuda.synchronize()
    return perf_counter() - started
