"""Files of pretrained weights: downloaded, held to their checksum, read without running code from them."""

from collections import OrderedDict
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from bgbias import files
from bgbias.errors import InputError


def read(path: Path, origin: str) -> OrderedDict[str, Tensor]:
    """Read the tensors of a file that torch.save or safetensors wrote.

    Args:
        path: of the file. A name like resnet18-f37072fd.pth holds how its SHA-256 begins, and is held to it.
        origin: where to get the file, for the mend.

    Returns:
        The tensors by name, with what a state dict says of the versions of its modules.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another checksum than its name says, or something else than tensors by name.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file: put {origin} there, or correct the path")
    named = "rename it where the end of its name is no checksum, such as a date"
    files.refuse_other_content(path, f"replace it by {origin}, or {named}")
    try:
        safe = path.suffix == ".safetensors"
        given = load_file(path) if safe else torch.load(path, map_location="cpu", weights_only=True)
        tensors = OrderedDict((name, tensor.detach()) for name, tensor in given.items())
    except Exception as error:  # whatever reading trips over, or something that is no tensor
        raise InputError(f"{path}: not a file of tensors ({type(error).__name__}): replace it by {origin}") from error
    if hasattr(given, "_metadata"):
        tensors._metadata = given._metadata
    return tensors


def published(url: str) -> OrderedDict[str, Tensor]:
    """Read a published file, whose name holds how its SHA-256 begins, from PyTorch's cache, which is filled from a URL.

    Raises:
        FileNotFoundError: it cannot be downloaded.
        ValueError: as of `read`, or there are other bytes behind the URL.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        mend = "connect to the network, or put the file where you like and give its path for weights"
        try:
            torch.hub.download_url_to_file(url, str(path), files.checksum_in_name(path.name))
        except (OSError, HTTPException) as error:
            raise FileNotFoundError(f"{url} cannot be downloaded ({error}): {mend}") from error
        except RuntimeError as error:  # the checksum
            raise InputError(f"{url} no longer gives the published file ({error}): {mend}") from error
    return read(path, url)


def misfits(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Count and name the tensors that keep a state dict from being a network's; "" where it fits.

    >>> misfits({"weight": torch.zeros(3, 4), "b": torch.zeros(3)}, torch.nn.Linear(2, 3).state_dict())
    '3 mismatches: b is not expected, weight has shape (3, 4) instead of (3, 2), bias is missing'
    """
    wrong = [f"{name} is not expected" for name in given if name not in expected]
    for name, tensor in expected.items():
        if name not in given:
            wrong.append(f"{name} is missing")
        elif given[name].shape != tensor.shape:
            wrong.append(f"{name} has shape {(*given[name].shape,)} instead of {(*tensor.shape,)}")
    first = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if wrong[3:] else "")
    return f"{len(wrong)} mismatch{'es' if wrong[1:] else ''}: {first}" if wrong else ""
