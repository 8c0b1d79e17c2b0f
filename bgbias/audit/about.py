"""What stands at the head of an audit's page: its title, when, where and by what it was made, and no private path."""

import platform
import subprocess
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import torch

import bgbias
from bgbias import cores

NO_VERSION = "not known"


class About(NamedTuple):
    """How an audit was made.

    Attributes:
        title: of the page; None: the embedder's name is.
        date: when, such as 2026-11-25.
        version: of this project.
        machine: its processor, its GPU, Python and PyTorch: another one rounds otherwise.
        shortened: whether paths on the page are without their folders.
    """

    title: str | None
    date: str
    version: str
    machine: str
    shortened: bool


def about(title: str | None, shortened: bool) -> About:
    """Say how an audit was made, today, by this version on this machine."""
    return About(title, date.today().isoformat(), version(), machine(), shortened)


def machine() -> str:
    """Return the processor, the GPU if there is one, and the versions of Python and PyTorch."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{cores.named()}{gpu}; Python {platform.python_version()}, torch {torch.__version__}"


def version() -> str:
    """Return the version of this project: of its Git checkout, else of the installed package, else "not known"."""
    checkout = Path(bgbias.__file__).parent.parent
    if (checkout / ".git").exists():
        described = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--tags"]
        try:
            return subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return NO_VERSION
    try:
        return metadata.version("bgbias")
    except metadata.PackageNotFoundError:
        return NO_VERSION


def private(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what of the given paths tells where the user's files lie: text -> the last name, to be shown instead.

    Paths within the checkout, which are relative, tell nothing.

    Args:
        asked: the options of `stages.audit` as they were given.

    >>> private({"photos": "/home/ann/shop", "embedder": "onnx:/home/ann/net.onnx?input_px=64", "out": "audits/shop"})
    {'/home/ann/net.onnx': 'net.onnx', '/home/ann/shop': 'shop'}
    """
    values = set(asked.values())
    paths = values | {part for value in values for part in value.partition("?")[0].split(":")}
    found = {}
    for path in paths:
        name = Path(path).name
        if path.startswith(("/", "~", "../")) and name not in ("", path):
            quoted = path.replace("'", "'\"'\"'"), name.replace("'", "'\"'\"'")  # as shlex.quote does
            found |= {path: name, str(Path(path)): name, quoted[0]: quoted[1]}
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[0]), pair)))


def without(content: Any, names: Mapping[str, str]) -> Any:
    """Return lists, dicts and texts with the texts that are keys of `names` replaced.

    >>> without({"said": ["in /home/ann/shop"], "photos": 3}, {"/home/ann/shop": "shop"})
    {'said': ['in shop'], 'photos': 3}
    """
    if isinstance(content, dict):
        return {key: without(value, names) for key, value in content.items()}
    if isinstance(content, list):
        return [without(value, names) for value in content]
    if isinstance(content, str):
        for text, name in names.items():
            content = content.replace(text, name)
    return content
