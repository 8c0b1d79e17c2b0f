"""Files of pretrained weights, read without running code from them."""

import hashlib
import re
from pathlib import Path

import torch
from torch import Tensor


def read(path: Path, origin: str) -> dict[str, Tensor]:
    """Read the tensors of a file that torch.save wrote.

    Args:
        path: of the file. A name like resnet18-f37072fd.pth holds how its SHA-256 begins, and is held to it.
        origin: where to get the file, for the mend.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another checksum than its name says, or something else than tensors by name.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file: put {origin} there, or correct train.<dataset>.weights")
    named = re.search(r"-([0-9a-f]{8,})\.pth$", path.name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if named and not digest.startswith(named[1]):
        found = digest[: len(named[1])]
        raise ValueError(f"{path}: SHA-256 begins with {found}, expected {named[1]}: replace it by {origin}")
    try:
        given = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.detach() for name, tensor in given.items()}
    except Exception as error:  # whatever reading trips over, or something that is no tensor
        raise ValueError(f"{path}: not a file of tensors ({type(error).__name__}): replace it by {origin}") from error
