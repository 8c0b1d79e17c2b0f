"""Unfinished work that outlives an interruption, kept apart by what it was made from."""

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

from bgbias import files, sources


def folder(name: str, settings: object, data: list[Path]) -> Path:
    """The folder for unfinished work of a stage: .checkpoints/NAME/FINGERPRINT in the user's checkout.

    The fingerprint covers the settings, the data and the code (every module of the library that is loaded
    now, and the stage), so unfinished work of anything else is never taken up; that there is some is said on
    standard error.

    Args:
        name: of the stage and its cell, such as "train-demo-base".
        settings: everything in params.yaml that the result depends on: dataclasses, lists, plain values.
        data: files and folders that the result depends on.

    Returns:
        The folder, which exists.
    """
    loaded = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("bgbias", "__main__")]
    code = sorted({Path(module.__file__) for module in loaded if getattr(module, "__file__", None)})
    plain = json.dumps(settings, default=dataclasses.asdict, sort_keys=True)
    state = [plain, files.checksum(*data), files.checksum(*code)]
    fingerprint = hashlib.sha256("\n".join(state).encode()).hexdigest()[:16]
    parent = sources.root() / ".checkpoints" / name
    for other in sorted(parent.glob("*")):
        if other.name != fingerprint:
            print(f"ignoring {other}: made with other parameters, data or code", file=sys.stderr)
    (parent / fingerprint).mkdir(parents=True, exist_ok=True)
    return parent / fingerprint
