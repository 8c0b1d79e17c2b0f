"""Refusals of one line that say what, where, found against expected, and the fix."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten


class InputError(ValueError):
    """What the user can mend: one line that says what, where, found against expected, and the fix."""


def printable(text: str) -> str:
    r"""Escape what may steer a terminal, or hide from it: control characters, right-to-left marks, broken bytes.

    >>> print(printable("a\x1b[31m b\u202e c\udcff \u00e9"))
    a\x1b[31m b\u202e c\udcff é
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


@contextmanager
def as_input_error(what: str) -> Iterator[None]:
    """Turn any exception of third-party code into an InputError of one line.

    >>> with as_input_error("half of nothing"):
    ...     1 / 0
    Traceback (most recent call last):
    bgbias.errors.InputError: half of nothing (ZeroDivisionError: division by zero)
    """
    try:
        yield
    except (Exception, SystemExit) as error:  # SystemExit: a script that ends itself
        reason = shorten(" ".join(str(error).split()), 300, placeholder=" ...")
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        raise InputError(f"{what} ({kind}{reason})") from error


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not known, with those that it may have meant.

    >>> unknown("network", "resnt50", ["vgg11", "resnet18", "resnet50"])
    InputError("unknown network 'resnt50'; close to it are resnet50, resnet18")
    >>> unknown("network", "?", ["vgg11", "resnet18"])
    InputError("unknown network '?'; known are vgg11, resnet18")
    >>> unknown("network", "vgg1", ["vgg11", "resnet18"])
    InputError("unknown network 'vgg1'; close to it is vgg11")
    """
    names = list(known)
    close = difflib.get_close_matches(name.lower(), names)
    listed = shorten(", ".join(close or names) or "none", 300, placeholder=" ...")
    are = f"{'close to it' if close else 'known'} {'is' if len(close or names) == 1 else 'are'}"
    return InputError(f"unknown {kind} '{name}'; {are} {listed}")


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
    """Raise InputError with the complaint and the first of what was found, if anything was.

    >>> refuse({"b.jpg", "a.jpg"}, "missing; restore them")
    Traceback (most recent call last):
    bgbias.errors.InputError: missing; restore them: a.jpg, b.jpg
    """
    found = sorted(found)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise InputError(f"{complaint}: {', '.join(map(str, found[:3]))}{more}")
