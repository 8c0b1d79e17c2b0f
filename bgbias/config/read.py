"""Reading params.yaml: unknown keys, missing keys and wrong types are refused with one line.

The file is read with ruamel.yaml, the parser that DVC itself uses, so that both see the same values (PyYAML would
take the `1e-06` that `dvc exp run -S` writes for text).
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML, YAMLError

from bgbias.config.params import Params


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not YAML, an unknown or missing key, or a value of a wrong type or range; the message
            is one line that names every such key.
    """
    try:
        return check(YAML(typ="safe").load(path), Params, path.name)
    except YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error


def check(block: Any, kind: type, where: str) -> Any:
    """Turn a plain dictionary into the frozen dataclass `kind`.

    >>> from bgbias.config.params import Backgrounds
    >>> check({"source": "rendered"}, Backgrounds, "backgrounds").source
    'rendered'
    >>> check({"source": "rendered", "sauce": 1}, Backgrounds, "backgrounds")
    Traceback (most recent call last):
    ValueError: backgrounds: sauce is unknown: remove or rename it
    """
    try:
        return TypeAdapter(kind).validate_json(json.dumps(block, default=str))  # JSON: strict, yet dicts pass
    except ValidationError as error:
        raise ValueError(f"{where}: {'; '.join(_describe(found) for found in error.errors())}") from None


def _describe(found: dict) -> str:
    key = ".".join(str(part) for part in found["loc"])
    if found["type"] == "unexpected_keyword_argument":
        return f"{key} is unknown: remove or rename it"
    if found["type"] == "missing":
        return f"{key} is missing"
    message = found["msg"].removeprefix("Value error, ")
    if isinstance(found["input"], dict):
        return f"{key}: {message}" if key else message
    return f"{key}: {message}, found {found['input']!r}"
