"""Unfinished work is found again by what it was made from, and by nothing else."""

import pytest

from bgbias import checkpoints, params


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "data").write_text("photos")
    return tmp_path


def folder(checkout, settings=1, name="train-demo-base"):
    return checkpoints.folder(name, [settings], [checkout / "data"])


def test_the_same_settings_and_data_find_the_same_folder(checkout, capsys):
    assert folder(checkout) == folder(checkout)
    assert folder(checkout).is_dir() and folder(checkout).parent == checkout / ".checkpoints/train-demo-base"
    assert capsys.readouterr().err == ""


def test_work_of_other_settings_is_ignored_with_a_word_and_kept(checkout, capsys):
    first = folder(checkout, params.Backgrounds(source="rendered"))
    (first / "checkpoint.pt").write_text("half")
    second = folder(checkout, params.Backgrounds(source="unsplash"))
    assert second != first and (first / "checkpoint.pt").is_file()
    assert f"ignoring {first}: made with other parameters, data or code" in capsys.readouterr().err


def test_work_of_other_data_is_ignored(checkout):
    first = folder(checkout)
    (checkout / "data").write_text("other photos")
    assert folder(checkout) != first


def test_work_of_other_code_is_ignored(checkout, monkeypatch):
    first = folder(checkout)
    (checkout / "changed.py").write_text("other code")
    monkeypatch.setattr(params, "__file__", str(checkout / "changed.py"))
    assert folder(checkout) != first
