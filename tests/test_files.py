"""Files written whole or not at all."""

import errno
import json

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.errors import InputError


def test_json_has_sorted_keys_rounded_floats_and_a_line_end(tmp_path):
    files.write_json(tmp_path / "new/metrics.json", {"b": 1 / 3, "a": [2, 0.1 + 0.2]})
    text = (tmp_path / "new/metrics.json").read_text()
    assert text.endswith("}\n") and list(json.loads(text)) == ["a", "b"]
    assert json.loads(text) == {"a": [2, 0.3], "b": 0.333333}


def test_not_a_number_is_refused_and_leaves_the_old_file(tmp_path, checkout):
    path = tmp_path / "metrics.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"a": float("nan")})
    assert files.read_json(path) == {"a": 1} and not list(checkout.rglob("*"))


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with files.whole_folder(tmp_path / "out") as partial:
        (partial / "new").touch()
        assert (tmp_path / "out/old").exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_an_error_leaves_the_old_folder(tmp_path, checkout):
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="disk"), files.whole_folder(tmp_path / "out"):
        raise OSError("disk full")
    assert sorted(tmp_path.iterdir()) == [checkout, tmp_path / "out"] and not list(checkout.rglob("*"))


def test_csv_has_unix_line_ends_and_no_index(tmp_path):
    files.write_csv(tmp_path / "a.csv", pd.DataFrame({"x": [0.123456789, None]}))
    assert (tmp_path / "a.csv").read_bytes() == b'x\n0.123457\n""\n'


def test_file_names_that_are_no_utf_8_can_be_written(tmp_path):
    name = "caf\udce9.jpg"  # as Python reads it
    files.write_json(tmp_path / "a.json", [name])
    assert files.read_json(tmp_path / "a.json") == ["caf?.jpg"]
    files.write_csv(tmp_path / "a.csv", pd.DataFrame({"path": [name]}))
    assert (tmp_path / "a.csv").read_bytes() == b"path\ncaf\xe9.jpg\n"
    before = files.checksum(tmp_path)
    (tmp_path / name).touch()
    assert files.checksum(tmp_path) != before


def test_checksum_sees_contents_and_names_not_order_of_creation(tmp_path):
    sums = []
    for number, names in enumerate((("a", "b"), ("b", "a"), ("a", "c"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in names:
            (folder / name).write_text("a" if name == "a" else "b")
        sums.append(files.checksum(folder))
    assert sums[0] == sums[1] != sums[2]


def test_a_file_that_params_yaml_names_tells_its_content(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"weights")
    with pytest.raises(
        InputError, match=r"net.onnx: its name does not tell its content.*: `mv .*/(net-[0-9a-f]{8}.onnx)`"
    ) as no:
        files.pinned(path)
    named = path.rename(str(no.value).split("`")[1].split()[-1])
    assert files.pinned(named) == named
    named.write_bytes(b"others")
    with pytest.raises(
        InputError, match=r"SHA-256 begins with [0-9a-f]{8}, expected [0-9a-f]{8}: put the original there"
    ):
        files.pinned(named)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": ' + 5000 * b"1" + b"}"])
def test_a_broken_json_file_is_one_line_that_names_file_and_fix(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a.json: does not read \(.+\): run the stage again that writes it") as error:
        files.read_json(tmp_path / "a.json")
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_json_without_a_key_says_which(tmp_path):
    files.write_json(tmp_path / "a.json", {"demo": [{}]})
    for keys, lacking in ((("shop",), "shop"), (("demo", "base"), "demo.base")):
        with pytest.raises(InputError, match=f"a.json: holds no {lacking}: measure it again"):
            files.read_json(tmp_path / "a.json", *keys, mend="measure it again")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "does not read"),
        (b"a,b\n", "has no rows"),
        (b"a\n1\n", "has no column b"),
        (b'a,b\n"1,2', "does not read"),
        (b"a,b\n1,x\n", "does not read"),
        (b"a,b\ninf,1\n", "holds infinite numbers"),
        (b"a,b\n1,2\n3,4", "is cut off within its last line"),
    ],
)
def test_a_broken_table_is_one_line_that_names_file_and_fix(tmp_path, content, fault):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"a.csv: {fault}.*: make it again"):
        files.read_csv(tmp_path / "a.csv", ["a", "b"], "make it again", dtype={"b": int})


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "objects"])
def test_a_broken_array_is_one_line_and_runs_nothing(tmp_path, damage):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}]) if damage == "objects" else np.zeros(100), allow_pickle=True)
    path.write_bytes({"cut": path.read_bytes()[:500], "empty": b"", "text": b"1,2"}.get(damage, path.read_bytes()))
    with pytest.raises(InputError, match=r"a.npy: does not read \(.+\): run the stage again"):
        files.read_numbers(path, "f", 100)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 2), np.int32), r"holds int32 \(3, 2\), expected floats \(3, any\): run the stage again"),
        (np.zeros((2, 2)), r"holds float64 \(2, 2\), expected floats \(3, any\)"),
        (np.zeros(3), r"holds float64 \(3,\), expected"),
        (np.zeros((3, 0)), r"holds float64 \(3, 0\), expected"),
        (np.full((3, 2), np.nan), "holds numbers that are not finite: run the stage again"),
    ],
)
def test_another_array_than_expected_is_refused(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=f"a.npy: {message}"):
        files.read_numbers(tmp_path / "a.npy", "f", 3, None)


@pytest.mark.parametrize(
    "read", [files.read_json, lambda path: files.read_numbers(path, "f"), lambda path: files.read_csv(path, [])]
)
def test_a_missing_file_names_the_mend(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="gone: no such file: run the stage again that writes it"):
        read(tmp_path / "gone")


@pytest.mark.parametrize("whole", [files.whole_file, files.whole_folder])
def test_a_full_disk_names_the_file(tmp_path, whole):
    message = "No space left on device: make room there, or write elsewhere: '.*/out'"
    with pytest.raises(OSError, match=message), whole(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not (tmp_path / "out").exists()
