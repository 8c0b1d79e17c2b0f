"""The command `bgbias`: every stage, from any folder."""

import os
import subprocess
import sys
from pathlib import Path


def bgbias(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run it as its entry point does, in a folder that is no checkout."""
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "stages", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_it_lists_every_stage(tmp_path):
    listed = bgbias(tmp_path).stdout
    for path in Path("stages").glob("[!_]*.py"):
        assert f"  {path.stem} " in listed
    assert "Audit any embedding model on anyone's photos" in listed


def test_a_stage_runs_where_no_params_yaml_is(tmp_path):
    ended = bgbias(tmp_path, "compare", "one", "other")
    assert ended.returncode == 1 and ended.stderr.startswith("error: one/") and "params.yaml" not in ended.stderr


def test_the_folders_own_params_yaml_counts(tmp_path):
    (tmp_path / "params.yaml").write_text("sede: 1\n")
    assert "sede is unknown" in bgbias(tmp_path, "compare", "one", "other").stderr


def test_help_of_a_stage_names_its_own_options(tmp_path):
    assert "--embedder" in bgbias(tmp_path, "audit", "--help").stdout


def test_another_name_is_refused(tmp_path):
    ended = bgbias(tmp_path, "audits")
    assert ended.returncode == 1 and ended.stderr.startswith("error: no stage 'audits': one of attention, audit,")
