"""Refusals of one line that say what, where, found against expected, and the fix."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten


@contextmanager
def as_value_error(what: str) -> Iterator[None]:
    """Turn any exception of third-party code into a ValueError of one line.

    >>> with as_value_error("half of nothing"):
    ...     1 / 0
    Traceback (most recent call last):
    ValueError: half of nothing (ZeroDivisionError: division by zero)
    """
    try:
        yield
    except (Exception, SystemExit) as error:  # SystemExit: a script that ends itself
        reason = shorten(" ".join(str(error).split()), 300, placeholder=" ...")
        raise ValueError(f"{what} ({type(error).__name__}: {reason})") from error


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that is not known, with those that it may have meant.

    >>> unknown("network", "resnt50", ["vgg11", "resnet18", "resnet50"])
    ValueError("unknown network 'resnt50'; close to it are resnet50, resnet18")
    >>> unknown("network", "?", ["vgg11", "resnet18"])
    ValueError("unknown network '?'; known are vgg11, resnet18")
    """
    names = list(known)
    close = difflib.get_close_matches(name.lower(), names)
    listed = shorten(", ".join(close or names) or "none", 300, placeholder=" ...")
    return ValueError(f"unknown {kind} '{name}'; {'close to it' if close else 'known'} are {listed}")


def refuse_unknown(kind: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise `unknown` for the first name that is not known."""
    for name in given:
        if name not in known:
            raise unknown(kind, name, known)


def check_file(path: Path) -> None:
    """Raise a FileNotFoundError if there is no such file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file: correct the path")


def refuse(found: Iterable, complaint: str) -> None:
    """Raise ValueError with the complaint and the first of what was found, if anything was.

    >>> refuse({"b.jpg", "a.jpg"}, "missing; restore them")
    Traceback (most recent call last):
    ValueError: missing; restore them: a.jpg, b.jpg
    """
    found = sorted(found)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ValueError(f"{complaint}: {', '.join(map(str, found[:3]))}{more}")
