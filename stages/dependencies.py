"""Write the code dependencies of every stage into dvc.yaml: the fewest paths that hold exactly what it imports.

    python -m stages.dependencies

A folder stands for all its modules where a stage imports them all, so no stage runs again for code that it does not
use. bgbias/config, bgbias/command and bgbias/errors.py are left out: they can refuse a run, but change no result, and
the values that the user sets are tracked by `params:`. A stage that always runs needs no code dependencies.

Reads   dvc.yaml, stages, bgbias
Writes  dvc.yaml
Takes   a second
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from bgbias.command import cli
from bgbias.config import params

CHECKS = (Path("bgbias/config"), Path("bgbias/command"), Path("bgbias/errors.py"))  # they refuse, and change no result


def imported(script: Path) -> set[Path]:
    """The library's files that a file imports, also within functions, and those that these import.

    >>> Path("bgbias/metrics/bootstrap.py") in imported(Path("bgbias/metrics/paired.py"))
    True
    """
    found, todo = set(), [script]
    while todo:
        new = {file for file in _named(todo.pop()) if file.is_file() and not _checks(file)} - found
        found |= new
        todo += new
    return found


def _checks(file: Path) -> bool:
    return any(file.is_relative_to(path) for path in CHECKS)


def _named(file: Path) -> Iterator[Path]:
    """Where the modules may lie that the import statements of a file name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        for name in names:
            if name.startswith("bgbias."):
                path = Path(name.replace(".", "/"))
                yield from (path.with_suffix(".py"), path / "__init__.py")


def dependencies(stage: str) -> list[str]:
    """What dvc.yaml lists of the code for a stage: the library's paths, then the script.

    >>> dependencies("compare")[-1]
    'stages/compare.py'
    """
    script = Path("stages") / f"{stage}.py"
    return [path.as_posix() for path in (*_fewest(imported(script), Path("bgbias")), script)]


def _fewest(needed: set[Path], folder: Path) -> list[Path]:
    inside = {path for path in folder.rglob("*.py") if not _only_says(path)}
    if inside and inside <= needed:
        return [folder]
    parts = (_fewest(needed, path) if path.is_dir() else [path] * (path in needed) for path in sorted(folder.iterdir()))
    return [path for part in parts for path in part if not (path.suffix and _only_says(path))]


def _only_says(file: Path) -> bool:
    """Whether a file holds nothing but a docstring, as the __init__.py of a folder does."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return file.name == "__init__.py" and all(isinstance(node, ast.Expr) for node in body)


def rewritten(text: str) -> str:
    """dvc.yaml with the code dependencies written anew: each run of them ends with a stage's own script."""
    lines = []
    for line in text.splitlines(keepends=True):
        indent, dash, path = line.partition("- ")
        if dash and not indent.strip() and path.startswith("stages/"):
            lines += [f"{indent}- {dependency}\n" for dependency in dependencies(Path(path.strip()).stem)]
        elif not (dash and not indent.strip() and path.startswith("bgbias/")):
            lines.append(line)
    return "".join(lines)


def main(settings: params.Params) -> None:
    """Write dvc.yaml anew."""
    file = Path("dvc.yaml")
    file.write_text(rewritten(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    cli.run(main, __doc__)
