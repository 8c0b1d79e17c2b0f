"""dvc.yaml against the code, and the whole pipeline on a few small photos."""

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
WHOLE = "bgbias/datasets/demo"  # the renderer is listed as a folder; .dvcignore keeps __pycache__ out of it
LAYERS = """params paramsfile files seeding sources archives checkpoints commandline compose retrieval saliency
    probe_views removal nuisance donors chance intervals invariance probes localisation
    images evidence datasets cutouts masks mask_quality backgrounds views batches weights bn_inception networks
    embedders foreign zoo audited losses training attention repeats tables compared study figures report page
    audit remedies recovery""".split()


def imported(file: Path) -> set[Path]:
    """The project's files that a file imports, and those that these import."""
    found, todo = set(), [file]
    while todo:
        for node in ast.walk(ast.parse(todo.pop().read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            elif isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            else:
                continue
            paths = [ROOT / name.replace(".", "/") for name in names if name.startswith("bgbias.")]
            files = {path.with_suffix(".py") for path in paths} | {path / "__init__.py" for path in paths}
            new = {path for path in files if path.is_file()} - found
            found |= new
            todo += new
    return found


@pytest.mark.parametrize("name", STAGES)
def test_code_dependencies_are_what_the_stage_imports(name):
    stage = STAGES[name].get("do", STAGES[name])
    script = ROOT / "stages" / f"{name}.py"
    needed = {path.relative_to(ROOT).as_posix() for path in {script, *imported(script)}}
    needed = {WHOLE if path.startswith(f"{WHOLE}/") else path for path in needed}
    listed = [path for path in stage["deps"] if path.startswith(("bgbias", "stages"))]
    assert listed == sorted(needed)
    assert stage["cmd"].startswith(f"python -m stages.{name}")


def layer(file: Path) -> str:
    """The room of a file of the library."""
    return file.relative_to(ROOT / "bgbias").parts[0].removesuffix(".py")


def test_imports_point_one_way():
    rooms = [
        path for path in (ROOT / "bgbias").rglob("*.py") if path.parent.name != "bgbias" or path.stem != "__init__"
    ]
    assert {layer(file) for file in rooms} == set(LAYERS)
    for file in rooms:
        later = LAYERS[LAYERS.index(layer(file)) + 1 :]
        assert not {layer(path) for path in imported(file)} & set(later), file


def test_stages_import_no_other_stage():
    for file in (ROOT / "stages").glob("*.py"):
        assert "stages" not in {
            (node.module or "").partition(".")[0]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }


def test_the_library_has_no_code_that_all_of_it_would_depend_on():
    body = ast.parse((ROOT / "bgbias/__init__.py").read_text(encoding="utf-8")).body
    assert len(body) == 1 and isinstance(body[0], ast.Expr)  # the docstring
