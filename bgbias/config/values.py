"""What values in params.yaml may be, and how its blocks are declared: frozen, strict, without unknown keys."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

Share = Annotated[float, Ge(0), Le(1)]
Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Count = Annotated[int, Ge(1)]
Range = Annotated[list[Positive], Len(2, 2)]
Precision = Literal["fp32", "bf16"]  # of a network's arithmetic
_refuse_all_else = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
strict = dataclass(frozen=True, kw_only=True, config=_refuse_all_else)
