"""dvc.yaml against the code, and the whole pipeline on a few small photos."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from stages.dependencies import dependencies, imported

ROOT = Path(__file__).parent.parent
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
LAYERS = """errors ranks cores files seeding cache config command photos ablations own_loop metrics render datasets
    backgrounds masks finder models training attention external export remedies report study audit moves leaderboard
    documents""".split()
ROOMS_OF_AN_AUDIT = "progress about inputs measures verdict page measured_on remedied shared".split()
NAMES = ("dataset", "regime", "row", "seed")  # that consist of letters, digits, _ and - only
AS_MEASURED = {"leaderboard_rows"}  # no change of code measures these again: only a change of data or settings


@pytest.mark.parametrize("name", STAGES)
def test_code_dependencies_are_what_the_stage_imports(name):
    stage = STAGES[name].get("do", STAGES[name])
    listed = [path for path in stage["deps"] if path.startswith(("bgbias", "stages"))]
    kept = stage.get("always_changed") or name in AS_MEASURED
    assert listed == ([] if kept else dependencies(name))  # `python -m stages.dependencies`
    assert stage["cmd"].startswith(f"python -m stages.{name}")


def test_a_change_of_a_loss_trains_again_and_one_of_checks_or_of_the_audit_measures_nothing():
    def depend_on(file: str) -> set[str]:
        above = {file, *(path.as_posix() for path in Path(file).parents)}
        return {name for name, stage in STAGES.items() if above & set(stage.get("do", stage)["deps"])}

    assert depend_on("bgbias/training/losses.py") == {"train"}
    for file in (*ROOT.glob("bgbias/config/*.py"), *ROOT.glob("bgbias/command/*.py")):
        assert depend_on(file.relative_to(ROOT).as_posix()) == set()
    for file in ROOT.glob("bgbias/audit/**/*.py"):
        assert depend_on(file.relative_to(ROOT).as_posix()) <= {"leaderboard"}  # which gathers in seconds


def test_a_folder_stands_for_its_modules_only_where_all_are_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, content in {
        "bgbias/whole/__init__.py": '"""All of it."""',
        "bgbias/whole/a.py": "",
        "bgbias/whole/b.py": "from bgbias.whole import a",
        "bgbias/part/used.py": "import bgbias.whole.b",
        "bgbias/part/unused.py": "",
        "bgbias/config/read.py": "from bgbias.part import unused",
        "stages/some.py": "def main():\n    from bgbias.config import read\n    from bgbias.part.used import name",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    assert dependencies("some") == ["bgbias/part/used.py", "bgbias/whole", "stages/some.py"]


@pytest.mark.parametrize(("folder", "layers"), [("bgbias", LAYERS), ("bgbias/audit", ROOMS_OF_AN_AUDIT)])
def test_imports_point_one_way(folder, layers):
    def layer(path: Path) -> str | None:
        above = [parent.as_posix() for parent in path.parents]
        return path.parts[len(above) - above.index(folder) - 1].removesuffix(".py") if folder in above else None

    files = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py") if path != ROOT / folder / "__init__.py"]
    assert {layer(file) for file in files} == set(layers)
    for file in files:
        later = layers[layers.index(layer(file)) + 1 :]
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


def test_one_dataset_or_pool_does_not_bring_all():
    needed = {path.stem for path in imported(Path("bgbias/datasets/demo.py")) | imported(Path("bgbias/backgrounds.py"))}
    assert not needed & {"by_name", "grocery", "folder", "cars196", "cub200", "sop", "archives", "downloads"}


def test_the_library_takes_types_and_no_values_from_what_is_no_dependency():
    apart = {file for room in ("config", "command") for file in (ROOT / "bgbias" / room).glob("*.py")}
    for file in set((ROOT / "bgbias").rglob("*.py")) - apart:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        names = {name.name for node in imports if node.module.startswith("bgbias.config") for name in node.names}
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        names |= {node.attr for node in attributes if getattr(node.value, "id", "") == "params"}
        assert all(name[0].isupper() for name in names - {"params", "training", "check"}), (file, names)


def test_free_text_reaches_a_command_only_where_dvc_quotes_it():
    for name, stage in STAGES.items():
        command = stage.get("do", stage)["cmd"]
        unquoted = set(re.findall(r"\$\{(.*?)\}", command)) - {f"item.{what}" for what in NAMES} - {"key"}
        assert unquoted <= {"item"} and "'" not in command, name  # a block is unpacked to quoted options
