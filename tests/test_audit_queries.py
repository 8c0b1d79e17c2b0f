"""The table of an audit's queries: written, read back, and refused where a comparison would mislead."""

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.audit.measures import queries

MADE = {"photos": "0e", "masks": "1f", "backgrounds": "rendered", "draws": 5, "seed": 42}


def test_what_is_written_is_read_whatever_the_names(tmp_path):
    names = ["a,b/1.jpg", 'say "x"/2.jpg', "nan", "caf\udce9.jpg"]
    photos = pd.DataFrame({"path": names, "class_name": ["1", "NA", "", "1"]})
    queries.write(tmp_path, photos, {"conflict": np.array([0.25, np.nan, 1, 0])})
    found = queries.read(tmp_path)
    assert list(found.index) == names and list(found["class"]) == ["1", "NA", "", "1"]
    assert found.conflict.to_list()[:1] == [0.25] and found.conflict.isna().to_list() == [False, True, False, False]
    assert (tmp_path / "queries.csv").read_bytes().startswith(b"path,class,conflict\n")


def test_a_missing_or_other_table_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file: run `python -m stages.audit` again, with --out"):
        queries.read(tmp_path)
    for text in ("", "photo,score\na,1\n", "path,class,conflict\na,b,high\n"):
        (tmp_path / "queries.csv").write_text(text)
        with pytest.raises(
            ValueError,
            match="(does not read|has no column path|else than numbers).*: run `python -m stages.audit` again",
        ):
            queries.read(tmp_path)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"masks": "2e"},
            "differ in masks: audit both with the same --masks or --mask-method, then compare, or allow it: --allow",
        ),
        (
            {"photos": "4c"},
            "differ in photos: audit both with the same photos, for some files of these names hold others",
        ),
        ({"backgrounds": "3d"}, "differ in backgrounds: audit both with the same --backgrounds, then compare"),
        ({"draws": 3}, "differ in draws: audit both with the same evaluate.DATASET.draws in params.yaml, then compare"),
        ({"seed": 1}, "differ in seed: audit both with the same seed in params.yaml, then compare"),
    ],
)
def test_audits_with_other_swaps_are_refused(tmp_path, other, message):
    for name, made in (("a", MADE), ("b", MADE | other)):
        files.write_json(tmp_path / name / "audit.json", {"made_with": made, "masks": f"masks of {name}"})
    assert queries.refuse_unlike(tmp_path / "a", tmp_path / "a", "masks") == []
    with pytest.raises(ValueError, match=message):
        queries.refuse_unlike(tmp_path / "a", tmp_path / "b")
    if "masks" in other:
        (said,) = queries.refuse_unlike(tmp_path / "a", tmp_path / "b", "masks")
        assert said.startswith(f"The masks differ, masks of a ({tmp_path}/a) and masks of b ({tmp_path}/b): so do the")
    else:
        with pytest.raises(ValueError, match=message):
            queries.refuse_unlike(tmp_path / "a", tmp_path / "b", "masks")
    with pytest.raises(FileNotFoundError, match="c/audit.json: no such file"):
        queries.refuse_unlike(tmp_path / "a", tmp_path / "c")
