"""Reading params.yaml: unknown keys, missing keys and wrong types are refused with one line.

The file is read with ruamel.yaml, the parser that DVC itself uses, so that both see the same values (PyYAML would
take the `1e-06` that `dvc exp run -S` writes for text).
"""

import dataclasses
import json
import os
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from bgbias.config.params import Params
from bgbias.errors import InputError, as_input_error

MOST_PARTS = 1_000_000  # of JSON: aliases of aliases, in a few lines of YAML, stand for more than a memory holds


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml; where there is none, the file that BGBIAS_PARAMS names (see `stages/__main__.py`).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not YAML, an unknown or missing key, or a value of a wrong type or range; the message
            is one line that names every such key.
    """
    if not path.is_file() and "BGBIAS_PARAMS" in os.environ:
        path = Path(os.environ["BGBIAS_PARAMS"])
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file: change to the folder of the checkout, which has it")
    with as_input_error(f"{path}: is not valid YAML: correct it, or `git restore {path}`"):
        block = YAML(typ="safe").load(path)
    settings = check(block, Params, path.name)
    for name, loss in vars(settings.losses).items():
        for dataset, changes in loss.overrides.items():
            where = f"{path.name}: losses.{name}.overrides.{dataset}"
            check({**dataclasses.asdict(loss), "overrides": {}, **changes}, type(loss), where)
    return settings


def check(block: Any, kind: type, where: str) -> Any:
    """Turn a plain dictionary into the frozen dataclass `kind`.

    >>> from bgbias.config.params import Backgrounds
    >>> check({"source": "rendered"}, Backgrounds, "backgrounds").source
    'rendered'
    >>> check({"source": "rendered", "sauce": 1}, Backgrounds, "backgrounds")
    Traceback (most recent call last):
    bgbias.errors.InputError: backgrounds: sauce is unknown: remove or rename it
    """
    with as_input_error(f"{where}: holds itself, or more than keys and values: remove it"):
        parts = list(islice(json.JSONEncoder(default=str).iterencode(block), MOST_PARTS))
    if len(parts) == MOST_PARTS:
        raise InputError(f"{where}: its aliases stand for more than {MOST_PARTS:,} values: write fewer")
    try:
        return TypeAdapter(kind).validate_json("".join(parts))  # JSON: strict, yet dicts pass
    except ValidationError as error:
        raise InputError(f"{where}: {'; '.join(_describe(found) for found in error.errors())}") from None


def _describe(found: dict) -> str:
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] == "unexpected_keyword_argument":
        return f"{key} is unknown: remove or rename it"
    if found["type"] == "missing":
        return f"{key} is missing"
    if found["type"] == "json_invalid":  # of JSON that Python wrote: its depth
        return "is nested too deeply: remove what is in its brackets"
    message = found["msg"].removeprefix("Value error, ")
    if not isinstance(found["input"], dict):
        message += f", found {shorten(repr(found['input']), 200, placeholder=' ...')}"
    return f"{key}: {message}" if key else message
