"""Files written whole or not at all."""

import json

import pandas as pd
import pytest

from bgbias import files


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
