"""Reading params.yaml: unknown keys, missing keys and wrong types are refused with one line.

The file is read with ruamel.yaml, the parser that DVC itself uses, so that both see the same values (PyYAML would
take the `1e-06` that `dvc exp run -S` writes for text).
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from bgbias.config.params import Params
from bgbias.errors import InputError, as_input_error


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not YAML, an unknown or missing key, or a value of a wrong type or range; the message
            is one line that names every such key.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file: change to the folder of the checkout, which has it")
    with as_input_error(f"{path}: is not valid YAML: correct it, or `git restore {path}`"):
        block = YAML(typ="safe").load(path)
    return check(block, Params, path.name)


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
        text = json.dumps(block, default=str)
    try:
        return TypeAdapter(kind).validate_json(text)  # JSON: strict, yet dicts pass
    except ValidationError as error:
        raise InputError(f"{where}: {'; '.join(_describe(found) for found in error.errors())}") from None


def _describe(found: dict) -> str:
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] == "unexpected_keyword_argument":
        return f"{key} is unknown: remove or rename it"
    if found["type"] == "missing":
        return f"{key} is missing"
    message = found["msg"].removeprefix("Value error, ")
    if not isinstance(found["input"], dict):
        message += f", found {found['input']!r}"
    return f"{key}: {message}" if key else message
