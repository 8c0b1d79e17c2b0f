"""One random generator per purpose, so that no result depends on the order or number of workers."""

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def generator(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """A NumPy generator for one purpose (and epoch, image, draw...), independent of all others.

    Args:
        seed: the run's seed, at least 0.
        purpose: what the numbers are for, such as "training crop".
        *keys: non-negative integers that tell uses of one purpose apart: epoch, image_id, draw.

    Returns:
        A generator that depends on nothing but the arguments.

    >>> a = generator(42, "training crop", 3, 17).random()
    >>> a == generator(42, "training crop", 3, 17).random()
    True
    >>> a == generator(42, "training crop", 3, 18).random()
    False
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *keys])


def torch_generator(where: "torch.device", seed: int, purpose: str, *keys: int) -> "torch.Generator":
    """The same for PyTorch, on a device; the numbers differ between kinds of device."""
    import torch  # here: rendering needs none, and it takes two seconds

    state = int(generator(seed, purpose, *keys).integers(2**63))
    return torch.Generator(where).manual_seed(state)


def deterministic(threads: int) -> None:
    """Make PyTorch give the same bytes whatever OMP_NUM_THREADS and the number of cores are.

    Sums are split over the threads, so another number of them rounds otherwise. On a GPU, cuDNN's reproducible
    convolutions are asked for, of whole fp32 numbers: by default it rounds factors to TF32, whose 10 bits of mantissa
    are three digits.

    Args:
        threads: of a process that computes on a CPU.
    """
    import torch

    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
