"""Embeddings and attention scores of two networks are refused, where dvc.lock tells."""

import json
import shutil
from pathlib import Path

import pytest

from bgbias.command.lockfile import md5_of_folder, refuse_two_networks

ROOT, CELL = Path(__file__).parent.parent, "demo/base/42"
MODEL, EMBEDDED, SCORED = (Path(part, CELL) for part in ("models", "data/embeddings", "data/attention"))
REFUSED = "data/embeddings/demo/base/42 and data/attention/demo/base/42: are of two networks, by dvc.lock: run both"


def write(folder: Path, content: str) -> None:
    (folder / "swapped").mkdir(parents=True, exist_ok=True)
    for name in ("clean.npy", "swapped/0.npy"):
        (folder / name).write_text(content)


def run(stage: str, out: Path) -> dict:
    """What DVC notes of a stage that has run."""
    paths = {"deps": MODEL, "outs": out}
    noted = {kind: [{"path": path.as_posix(), "md5": md5_of_folder(path)}] for kind, path in paths.items()}
    return {f"{stage}@demo-base-42": noted}


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """A network and what the two stages have made of it."""
    monkeypatch.chdir(tmp_path)
    for folder in (MODEL, EMBEDDED, SCORED):
        write(folder, "first")
    stages = run("embed", EMBEDDED) | run("attention", SCORED)
    Path("dvc.lock").write_text(json.dumps({"stages": stages}))
    return stages


def check() -> None:
    refuse_two_networks("demo", "base", 42)


def test_what_dvc_has_made_of_one_network_is_taken_whatever_network_is_there_now_and_that_is_said(lock, capsys):
    check()
    assert not capsys.readouterr().out
    write(MODEL, "another")
    check()
    assert (
        "data/attention/demo/base/42: are of another network than models/demo/base/42 is now" in capsys.readouterr().out
    )
    shutil.rmtree(MODEL)
    check()
    assert not capsys.readouterr().out


@pytest.mark.parametrize("made", [EMBEDDED, SCORED])
def test_what_was_made_by_hand_of_a_new_network_is_refused_beside_what_is_left_of_the_old_one(lock, made):
    write(made, "by hand")
    check()  # of the same network
    write(MODEL, "another")
    with pytest.raises(ValueError, match=REFUSED):
        check()
    write(EMBEDDED, "by hand")
    write(SCORED, "by hand")
    check()


def test_stages_that_dvc_has_run_on_two_networks_are_refused(lock):
    write(MODEL, "another")
    Path("dvc.lock").write_text(json.dumps({"stages": lock | run("embed", EMBEDDED)}))
    with pytest.raises(ValueError, match=REFUSED):
        check()


def test_nothing_is_refused_where_nothing_is_known(lock, tmp_path):
    write(SCORED, "by hand")
    shutil.rmtree(MODEL)
    check()
    Path("dvc.lock").write_text("stages: {}")
    check()
    Path("dvc.lock").unlink()
    check()


def test_a_lock_that_does_not_read_is_refused(lock):
    Path("dvc.lock").write_text("stages: [")
    with pytest.raises(ValueError, match=r"dvc.lock: does not read: restore it with `git restore` \("):
        check()


def test_the_md5_of_a_folder_is_the_one_that_dvc_computes(lock, tmp_path):
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.fs.local import LocalFileSystem

    write(tmp_path / "a", "some")
    write(tmp_path / "a/swapped.b", "others")  # beside swapped/: sorted by text, not by parts
    files = LocalFileSystem()
    _, _, built = build(HashFileDB(files, str(tmp_path / "odb")), str(tmp_path / "a"), files, "md5", dry_run=True)
    assert md5_of_folder(tmp_path / "a") == built.hash_info.value
