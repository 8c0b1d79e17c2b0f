"""What values in params.yaml may be, and how its blocks are declared: frozen, strict, without unknown keys."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

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
Precision = Literal["fp32", "bf16"]  # of a network's arithmetic
_refuse_all_else = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
strict = dataclass(frozen=True, kw_only=True, config=_refuse_all_else)
