"""What was made once is found again by what it was made from, and by nothing else."""

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from bgbias import cache
from bgbias.config import params
from bgbias.photos.pack import Pack
from stages.dependencies import imported


@pytest.fixture
def data(checkout):
    checkout.mkdir()
    (checkout / "data").write_text("photos")
    return checkout / "data"


class Stopped(Exception):
    pass


def unfinished(data, settings=1):
    """The folder of work that was stopped."""
    with pytest.raises(Stopped), cache.unfinished("train-demo-base", [settings], [data]) as folder:
        (folder / "checkpoint.pt").write_text("half")
        raise Stopped
    return folder


def test_the_same_settings_and_data_find_the_same_folder(checkout, data, capsys):
    assert unfinished(data) == unfinished(data)
    assert unfinished(data).is_dir() and unfinished(data).parent == checkout / ".checkpoints/train-demo-base"
    assert capsys.readouterr().err == ""


def test_work_of_other_settings_is_ignored_with_a_word_and_kept(data, capsys):
    first = unfinished(data, params.Backgrounds(source="rendered"))
    second = unfinished(data, params.Backgrounds(source="unsplash"))
    assert second != first and (first / "checkpoint.pt").is_file()
    assert f"ignoring {first}: made with other parameters, data or code" in capsys.readouterr().err


def test_work_of_other_data_is_ignored(data):
    first = unfinished(data)
    data.write_text("other photos")
    assert unfinished(data) != first


def test_one_byte_of_one_file_changes_the_fingerprint_and_a_touch_does_not(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(bytes(100))
    first = cache.fingerprint([], [tmp_path / "a.jpg", tmp_path / "b.jpg"])
    (tmp_path / "a.jpg").touch()
    assert cache.fingerprint([], [tmp_path / "a.jpg", tmp_path / "b.jpg"]) == first
    (tmp_path / "b.jpg").write_bytes(bytes(99) + b"\1")
    assert cache.fingerprint([], [tmp_path / "a.jpg", tmp_path / "b.jpg"]) != first


@pytest.mark.parametrize("stage", ["audit", "train", "masks"])
def test_a_line_of_any_module_that_a_stage_imports_changes_the_fingerprint(stage, tmp_path, monkeypatch):
    seen = {cache.fingerprint([])}
    for file in sorted(imported(Path("stages") / f"{stage}.py")):
        name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        module, copy = ModuleType(name), tmp_path / "changed.py"
        copy.write_text(file.read_text() + "\n# changed\n")
        module.__file__ = str(copy)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, module)
            changed = cache.fingerprint([])
        assert changed not in seen, file
        seen.add(changed)


def test_a_line_of_the_stage_makes_its_unfinished_work_stale(tmp_path, monkeypatch):
    script, folders = tmp_path / "stage.py", []
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    for text in ("pass", "pass", "pass  # changed"):
        script.write_text(text)
        with cache.unfinished("stage", [], []) as folder:
            folders.append(folder)
    assert folders[0] == folders[1] != folders[2]


def test_library_modules_import_one_another_at_their_top():
    for file in Path("bgbias").rglob("*.py"):
        text = re.sub(r"(?m)^if TYPE_CHECKING:\n( .*\n)+", "", file.read_text())  # is not imported
        assert not re.search(r"(?m)^ +(from|import) bgbias", text), file


def test_an_array_is_made_once_for_each_fingerprint(tmp_path):
    made = []

    def make():
        made.append(1)
        yield from (np.arange(4.0).reshape(2, 2), np.full((1, 2), 9.0))

    kept = cache.Cache(tmp_path)
    for mark in ("one", "one", "two"):
        assert kept.array("view/0", mark, 3, make).tolist() == [[0, 1], [2, 3], [9, 9]]
    assert len(made) == 2


def test_parts_of_any_shape_and_order_in_memory_are_read_as_they_were_made(tmp_path):
    parts = [np.asfortranarray(np.arange(12).reshape(2, 2, 3)), np.arange(12, 18).reshape(1, 2, 3)]
    kept = cache.Cache(tmp_path).array("maps", "mark", 3, lambda: iter(parts))
    assert kept.tolist() == np.arange(18).reshape(3, 2, 3).tolist()


def test_an_array_is_written_part_by_part_and_is_there_whole_or_not_at_all(tmp_path):
    sizes = []

    def make(parts):
        for part in range(parts):
            sizes.append(sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()))
            yield np.full((1000, 100), part, dtype=np.float32)
        if parts < 3:
            raise KeyboardInterrupt

    kept = cache.Cache(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        kept.array("view", "mark", 3000, lambda: make(2))
    assert sizes[1] >= 400_000 and not [file for file in tmp_path.rglob("*") if file.is_file()]
    assert kept.array("view", "mark", 3000, lambda: make(3))[::1000, 0].tolist() == [0, 1, 2]


def test_an_array_is_mapped_and_no_change_of_it_reaches_its_file(tmp_path):
    kept = cache.Cache(tmp_path)
    first = kept.array("view", "mark", 3, lambda: iter([np.arange(3)]))
    assert isinstance(first, np.memmap)
    torch.from_numpy(first)[0] = 7  # no warning either, which would be an error here
    assert first[0] == 7 and kept.array("view", "mark", 3, lambda: iter([])).tolist() == [0, 1, 2]


DAMAGES = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) - 9],
    "cut in its header": lambda content: content[:20],
    "another kind": lambda content: b"\x80\x04K\x01.",  # a pickle
    "noise": lambda content: bytes(range(256)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["view/0.npy", "photos/shapes.npy", "photos/pixels.bin"])
def test_a_damaged_cache_is_made_again(tmp_path, capsys, damage, name):
    kept, expected = cache.Cache(tmp_path), [[1, 2, 3, 4], [0] * 48]

    def found():
        pack = kept.folder("photos", "mark", lambda path: Pack.write(path, iter([np.zeros((4, 4, 3), np.uint8)])), Pack)
        return [kept.array("view/0", "mark", 4, lambda: iter([np.arange(1, 5)])).tolist(), pack[0].flatten().tolist()]

    assert found() == expected and found() == expected and capsys.readouterr().err == ""
    file = tmp_path / "mark" / name
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert found() == expected
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and re.match(rf"{tmp_path}/mark/(view/0.npy|photos) is damaged \(.+\): made", said)
    assert found() == expected and capsys.readouterr().err == ""


MAKES = """
import sys, time
from pathlib import Path
import numpy as np
from bgbias.cache import Cache
from bgbias.photos.pack import Pack

def pictures():
    print("made")
    time.sleep(1)
    yield np.zeros((2, 2, 3), np.uint8)

print(Cache(Path(sys.argv[1])).folder("photos", "mark", lambda path: Pack.write(path, pictures()), Pack)[0].shape)
"""


def test_two_processes_make_the_same_once_and_both_have_it(tmp_path):
    command = [sys.executable, "-c", MAKES, tmp_path / "cache"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate()[0] for process in both) == ["(2, 2, 3)\n", "made\n(2, 2, 3)\n"]


WORKS = """
from bgbias import cache

with cache.unfinished("train-demo-base", [1], []) as folder:
    print("finds", len(list(folder.iterdir())), flush=True)
    (folder / "checkpoint.pt").touch()
    input()
"""


def test_two_processes_that_make_the_same_work_one_after_the_other(checkout):
    command, pipe = [sys.executable, "-c", WORKS], subprocess.PIPE
    first = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert first.stdout.readline() == "finds 0\n"
    second = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert second.stderr.readline().startswith(f"waiting for process {first.pid}, which makes {checkout}")
    first.communicate("\n")
    assert second.communicate("\n")[0] == "finds 0\n"
    assert not list(checkout.glob(".checkpoints/*/*"))


def test_unfinished_work_is_taken_up_and_goes_when_it_is_finished(data):
    folder = unfinished(data)
    with cache.unfinished("train-demo-base", [1], [data]) as taken_up:
        assert taken_up == folder and (folder / "checkpoint.pt").is_file()
    assert not folder.parent.exists()
