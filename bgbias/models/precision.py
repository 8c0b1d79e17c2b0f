"""Whether bf16 is the faster arithmetic on this processor; it is not on all that have it."""

import copy
from time import perf_counter

import torch

from bgbias.models.embedder import Embedder

PICTURES = {"cpu": 8, "cuda": 64}  # that are timed: few keep a GPU waiting, whatever the arithmetic
said: set[str] = set()  # what has been timed by this process


def remark_if_slower(embedder: Embedder, precision: str, what: str, option: str) -> None:
    """Print a line if bf16 is asked for and takes longer than fp32: some pictures there and back, each way once.

    Args:
        embedder: is not changed.
        precision: that is asked for; of fp32 nothing is timed.
        what: is done, such as "training"; it is timed once in a process.
        option: where the precision is set.
    """
    if precision != "bf16" or what in said:
        return
    said.add(what)
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
