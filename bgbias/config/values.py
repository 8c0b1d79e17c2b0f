"""What values in params.yaml may be, and how its blocks are declared: frozen, strict, without unknown keys."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from bgbias.errors import InputError

Share = Annotated[float, Ge(0), Le(1)]
MOST = 1_000_000  # of any number: far above what makes sense, far below what fills a memory
Positive = Annotated[float, Gt(0), Le(MOST)]
NotNegative = Annotated[float, Ge(0), Le(MOST)]
Number = Annotated[float, Ge(-MOST), Le(MOST)]
Count = Annotated[int, Ge(1), Le(MOST)]
Processes = Annotated[int, Le(1024)]
Pixels = Annotated[int, Ge(1), Le(4096)]  # of a side
Seed = Annotated[int, Ge(0), Lt(2**32)]
Range = Annotated[list[Positive], Len(2, 2)]
Precision = Literal["fp32", "tf32", "bf16"]  # of a network's arithmetic
_refuse_all_else = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
strict = dataclass(frozen=True, kw_only=True, config=_refuse_all_else)


def refuse_odd_names(block: str, names: Iterable[str]) -> None:
    """Raise ValueError for the first name that could be more than a part of a path, a key or a command.

    >>> refuse_odd_names("audit", ["shop", "../shop"])
    Traceback (most recent call last):
    bgbias.errors.InputError: audit.../shop: name it with letters, digits, _ and - only, at most 100
    """
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", name):
            raise InputError(f"{block}.{name}: name it with letters, digits, _ and - only, at most 100")


def refuse_twice(name: str, values: Sequence) -> None:
    """Raise ValueError for a list that holds something twice.

    >>> refuse_twice("seeds", [42, 7, 42])
    Traceback (most recent call last):
    bgbias.errors.InputError: seeds [42, 7, 42]: name each once
    """
    if len(set(values)) < len(values):
        raise InputError(f"{name} {values}: name each once")
