"""A stage's command line: help, arguments, errors in one line."""

import contextlib
import os
import runpy
import subprocess
import sys
from argparse import Namespace
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from bgbias.command import cli
from bgbias.errors import InputError

STAGES = {path.stem: path for path in sorted(Path("stages").glob("[a-z]*.py"))}


def run(monkeypatch, stage, *arguments):
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    cli.run(stage, "what it does", "dataset")


def test_a_stage_gets_the_parameters_and_its_cell(monkeypatch):
    got = []
    run(monkeypatch, lambda settings, dataset: got.append((settings.seed, dataset)), "demo")
    assert got == [(42, "demo")]


@pytest.mark.parametrize("error", [InputError, FileNotFoundError, ConnectionError])
def test_what_the_user_can_mend_is_one_line(monkeypatch, error):
    def stage(settings, dataset):
        raise error(f"{dataset}: broken\nmend it")

    with pytest.raises(SystemExit, match="^error: demo: broken mend it$"):
        run(monkeypatch, stage, "demo")


def test_a_missing_file_names_the_mend(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="gone.csv is missing: put it there, or correct the path"):
        run(monkeypatch, lambda settings, dataset: (tmp_path / "gone.csv").read_text(), "demo")
    with pytest.raises(SystemExit, match="data/gone.csv is missing: run the stages before this one, as `dvc repro`"):
        run(monkeypatch, lambda settings, dataset: Path("data/gone.csv").read_text(), "demo")


@pytest.mark.parametrize("fault", [lambda: None + 1, lambda: float("nameless")])
def test_what_no_one_foresaw_is_said_to_be_so_with_its_place(monkeypatch, fault):
    with pytest.raises(
        SystemExit, match=r"^error: unforeseen (Type|Value)Error at .*test_command_cli.py:\d+ \(.*\): look"
    ):
        run(monkeypatch, lambda settings, dataset: fault(), "demo")


def test_pytorch_prints_no_pages_where_a_process_has_lost_the_others():
    lost = 'from torch.distributed import TCPStore; TCPStore("localhost", 1, is_master=False, timeout=timedelta(0, 1))'
    script = f"from datetime import timedelta\nfrom bgbias.command import cli\ndef stage(settings): {lost}\n"
    command = [sys.executable, "-c", f"{script}cli.run(stage, 'what it does')"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1 and len(ended.stderr.splitlines()) == 1, ended.stderr


def test_the_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("BGBIAS_TRACEBACK", "1")
    with pytest.raises(ValueError, match="could not convert"):
        run(monkeypatch, lambda settings, dataset: float("broken"), "demo")


def test_what_steers_a_terminal_is_shown_escaped(monkeypatch):
    def stage(settings, dataset):
        raise InputError("a\x1b[31m\u202e\udcff.jpg: broken")

    with pytest.raises(SystemExit, match=r"^error: a\\x1b\[31m\\u202e\\udcff.jpg: broken$"):
        run(monkeypatch, stage, "demo")


def test_what_no_terminal_takes_is_printed_escaped(monkeypatch):
    printed = TextIOWrapper(BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", printed)
    run(monkeypatch, lambda settings, dataset: print("a\udcff.jpg", flush=True), "demo")
    assert printed.buffer.getvalue() == rb"a\udcff.jpg" + b"\n"


def test_a_path_that_is_something_else_names_the_mend(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="Is a directory: correct the path, or what lies there$"):
        run(monkeypatch, lambda settings, dataset: tmp_path.read_text(), "demo")


@pytest.mark.parametrize("seed", ["-1", "4294967296", "4.2", "x"])
def test_a_seed_that_is_none_is_refused_by_the_parser(monkeypatch, capsys, seed):
    monkeypatch.setattr(sys, "argv", ["stage", "demo", "base", "--", seed])
    with pytest.raises(SystemExit) as ended:
        cli.run(print, "what it does", "dataset", "regime", "seed")
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.startswith("error: argument seed: ")
    assert error.endswith(": correct it, see `python -m stages.stage --help`\n") and error.count("\n") == 1


def test_a_dataset_without_a_name_is_refused(monkeypatch):
    with pytest.raises(SystemExit, match="^error: unknown dataset ''"):
        run(monkeypatch, lambda settings, dataset: None, "")


def test_an_unknown_dataset_is_refused_with_those_there_are(monkeypatch):
    with pytest.raises(SystemExit, match="^error: unknown dataset 'dmeo'; close to it is demo$"):
        run(monkeypatch, lambda settings, dataset: None, "dmeo")


@pytest.mark.parametrize("name", STAGES)
def test_help_says_what_a_stage_reads_writes_and_takes(monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"stages.{name}", run_name="__main__")
    printed = capsys.readouterr().out
    assert ended.value.code == 0
    for word in (f"python -m stages.{name}", "Reads ", "Writes ", "Takes "):
        assert word in printed


HELP_OF_ALL = """
import contextlib, runpy, sys
for name in {names}:
    sys.argv = [name, "--help"]
    with contextlib.suppress(SystemExit):
        runpy.run_module(f"stages.{{name}}", run_name="__main__")
print(sorted({heavy} & set(sys.modules)))
"""


def test_help_comes_at_once_as_no_stage_imports_what_is_slow_before_it_runs():
    heavy = {"torch", "torchvision", "numpy", "pandas", "cv2", "scipy", "PIL", "matplotlib", "onnxruntime", "rembg"}
    code = HELP_OF_ALL.format(names=list(STAGES), heavy=heavy)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("usage: ") == len(STAGES) and done.stdout.splitlines()[-1] == "[]"


def test_what_lists_photos_makes_masks_and_reads_results_loads_no_pytorch_which_takes_seconds():
    used = {
        "bgbias.datasets": "by_name, folder, near_duplicates",
        "bgbias.masks": "make, segment, workers",
        "bgbias.photos": "decode, foreground, pack, table",
        "bgbias.report": "comparison, figures, recorded, tables",
    }
    code = "\n".join(f"from {room} import {modules}" for room, modules in used.items())
    code += "\nimport sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_stage_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "stages.train", "-h"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: train.py [-h] dataset regime seed")


def test_ctrl_c_is_one_line_and_130(monkeypatch, capsys):
    def stage(settings, dataset):
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, stage, "demo")
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted: start it again, and it goes on with what is kept\n"


def test_a_stage_runs_once_at_a_time_for_the_same_arguments(monkeypatch):
    def stage(settings, dataset):
        if dataset == "demo":
            run(monkeypatch, lambda settings, dataset: None, "grocery")
            run(monkeypatch, lambda settings, dataset: None, "demo")

    with pytest.raises(SystemExit, match=rf"^error: stage demo in .*: process {os.getpid()} is at it: wait until"):
        run(monkeypatch, stage, "demo")
    run(monkeypatch, lambda settings, dataset: None, "demo")


def test_two_rows_of_a_leaderboard_may_be_measured_at_once():
    assert cli._cell(Namespace(dataset="demo", row="hog")) != cli._cell(Namespace(dataset="demo", row="base"))


def test_a_stage_removes_what_killed_ones_have_left(monkeypatch, checkout):
    partial = checkout / ".checkpoints/partial-1"
    partial.mkdir(parents=True)
    partial.with_name("partial-1.lock").write_text(str(checkout / "data/demo"))
    run(monkeypatch, lambda settings, dataset: None, "demo")
    assert not (checkout / ".checkpoints").exists()


def test_help_names_no_default_that_is_none(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["stage", "--help"])
    with pytest.raises(SystemExit):
        cli.run(print, "what it does", out={"help": "a file"}, least={"help": "a number", "default": 4, "type": int})
    printed = capsys.readouterr().out
    assert "a file\n" in printed and "a number (default: 4)" in printed


def test_help_shows_an_option_once_and_both_spellings_are_taken(monkeypatch, capsys):
    options = {"one_each": {"action": "store_true", "help": "one photo each"}}
    for given in ("--help", "--one-each", "--one_each"):
        monkeypatch.setattr(sys, "argv", ["stage", given])
        with contextlib.suppress(SystemExit):
            cli.run(lambda settings, one_each: print(one_each), "what it does", **options)
    printed = capsys.readouterr().out
    assert "  --one-each  one photo each\n" in printed and printed.endswith("True\nTrue\n")
