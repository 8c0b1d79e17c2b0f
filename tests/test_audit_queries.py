"""The table of an audit's queries: written, read back, and refused where a comparison would mislead."""

import numpy as np
import pandas as pd
import pytest

from bgbias import files
from bgbias.audit.measures import comparable, made_alike, queries

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
    for text in ("", "photo,score\na,1\n", "path,class,conflict\na,b,high\n", "path,class,conflict\na,b,inf\n"):
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
    assert made_alike.refuse_unlike(tmp_path / "a", tmp_path / "a", "masks") == []
    with pytest.raises(ValueError, match=message):
        made_alike.refuse_unlike(tmp_path / "a", tmp_path / "b")
    if "masks" in other:
        (said,) = made_alike.refuse_unlike(tmp_path / "a", tmp_path / "b", "masks")
        assert said.startswith(f"The masks differ, masks of a ({tmp_path}/a) and masks of b ({tmp_path}/b): so do the")
    else:
        with pytest.raises(ValueError, match=message):
            made_alike.refuse_unlike(tmp_path / "a", tmp_path / "b", "masks")
    with pytest.raises(FileNotFoundError, match="c/audit.json: no such file"):
        made_alike.refuse_unlike(tmp_path / "a", tmp_path / "c")


def test_of_datasets_the_audited_photos_count_and_earlier_audits_that_mark_all_are_named(tmp_path):
    of_dataset = MADE | {"drawn": "d", "audited": {"photos": "5a", "masks": "6b"}}
    made = {"a": of_dataset, "b": of_dataset | {"photos": "4c", "masks": "2e"}, "old": MADE | {"photos": "4c"}}
    made |= {"other": of_dataset | {"audited": {"photos": "5a", "masks": "7c"}}, "drawn": of_dataset | {"drawn": "e"}}
    for name, of in made.items():
        files.write_json(tmp_path / name / "audit.json", {"made_with": of, "masks": f"masks of {name}"})
    first, second, old, other, drawn = (tmp_path / name for name in made)
    assert made_alike.refuse_unlike(first, second) == made_alike.drawn_otherwise([first, second, old]) == []
    assert made_alike.drawn_otherwise([old, first, drawn]) == [
        f"{old} and {first} and {drawn} number their photos otherwise, and so have other draws of the backgrounds: a "
        "part of what differs on swapped photos is owed to that."
    ]
    with pytest.raises(ValueError, match="a and .*other differ in masks: audit both with the same .*: --allow masks$"):
        made_alike.refuse_unlike(first, other)
    earlier = f"the mark of photos and masks by an earlier version, as in {old}, is of all that a dataset has"
    with pytest.raises(ValueError, match=f"differ in photos: audit both with the same .*, then compare; {earlier}$"):
        made_alike.refuse_unlike(first, old)
    files.write_json(old / "audit.json", {"made_with": MADE})
    assert made_alike.refuse_unlike(first, old) == []  # all that the dataset has is the same


def test_what_a_spreadsheet_would_compute_is_written_as_text_and_read_as_it_was(tmp_path):
    names = ["=1+1/3.jpg", "+2.jpg", "-2.jpg", "@a.jpg", "'-3.jpg", "''4.jpg", "5=.jpg"]
    queries.write(tmp_path, pd.DataFrame({"path": names, "class_name": names[::-1]}), {"conflict": np.zeros(7)})
    cells = [line.split(",")[0] for line in (tmp_path / "queries.csv").read_text().splitlines()[1:]]
    assert cells == [f"'{name}" for name in names[:-1]] + names[-1:]
    found = queries.read(tmp_path)
    assert list(found.index) == names and list(found["class"]) == names[::-1]


def compared(folder, first, second):
    """The columns that two audits have in common, by what audit.json holds of them."""
    tables = [pd.DataFrame(columns=["class", "recall_at_1_drop", *of.pop("columns", [])]) for of in (first, second)]
    for name, of in (("a", first), ("b", second)):
        files.write_json(folder / name / "audit.json", {"made_with": {}, "second_masks": None, "photos": 9} | of)
    return [list(table.columns)[2:] for table in comparable.tables(tables, [folder / "a", folder / "b"])]


def test_by_other_second_masks_or_on_another_second_pool_measures_mean_another_thing(tmp_path):
    by_masks, on_pool = ["conflict_second", "mask_agreement"], ["recall_at_1_drop_pool", "conflict_moved_pool"]

    def one(kind, pool, columns=(*by_masks, *on_pool), **mark):
        return {
            "second_masks": {"kind": kind, "flagged": {}} | mark,
            "made_with": {"second_backgrounds": pool},
            "columns": columns,
        }

    assert compared(tmp_path, one("isnet", "9f"), one("isnet", "9f")) == [[*by_masks, *on_pool]] * 2
    assert compared(tmp_path, one("isnet", "9f"), one("grabcut", "9f")) == [on_pool] * 2
    assert compared(tmp_path, one("given", "9f", mark="a"), one("given", "9f", mark="b")) == [on_pool] * 2
    older, newer = one("given", "9f"), one("given", "9f", mark="b")
    assert compared(tmp_path, older, newer) == [[*by_masks, *on_pool]] * 2
    assert compared(tmp_path, one("isnet", "9f"), one("isnet", "8e")) == [by_masks] * 2
    assert compared(tmp_path, one("isnet", None, by_masks), one("isnet", "8e")) == [by_masks] * 2
    with pytest.raises(ValueError, match="are of different samples of queries: audit all with the same --queries"):
        compared(tmp_path, {"made_with": {"queries": [20, 1]}}, {})


@pytest.mark.parametrize("drop", ["drop", "drop_in_clean"])
def test_a_table_that_was_changed_since_its_audit_is_refused(tmp_path, drop):
    found = {"made_with": {}, "second_masks": None, "photos": 3, "drop": {"map_at_r": {"value": 0.3}}}
    if drop == "drop":  # of an audit without a sample
        found["views"] = {"clean": {"recall_at_1": {"value": 0.5}, "map_at_r": {"value": None}}, "mixed": {}}
    files.write_json(tmp_path / "audit.json", found)
    table = pd.DataFrame({"recall_at_1_clean": [0.0, 1.0, np.nan], f"map_at_r_{drop}": [0.2, 0.4, np.nan]})
    table = table.assign(map_at_r_clean=np.nan)
    pd.testing.assert_frame_equal(comparable.tables([table], [tmp_path])[0], table)
    for column in ("recall_at_1_clean", f"map_at_r_{drop}")[drop != "drop" :]:
        said = (
            rf"queries.csv: its mean {column} is 0.9\d*, that of audit.json 0.[35]00000: one of them was changed: run"
        )
        with pytest.raises(ValueError, match=said):
            comparable.tables([table.assign(**{column: 0.9})], [tmp_path])


def test_most_masks_in_doubt_are_told_of_an_audit(tmp_path):
    for empty, said in ((6, "No conclusion: 6 of 10 masks are in doubt (6 empty), so "), (5, "")):
        flagged = {"empty": ["a.jpg"] * empty, "tiny": []}
        files.write_json(tmp_path / "audit.json", {"photos": 10, "mask_doubt": {"flagged": flagged}})
        found = comparable.in_doubt(tmp_path)
        assert found.startswith(said) and bool(found) == bool(said)


@pytest.mark.parametrize(
    ("embedder", "other", "quick", "said"),
    [
        ("onnx:a", {}, False, ""),
        ("onnx:b", {}, False, "of onnx:a"),
        ("onnx:b", {"masks": "2e", "queries": 9}, True, "of onnx:a, with other masks and queries, that is not quick"),
        ("onnx:a", {}, True, "that is not quick"),
        ("onnx:a", {"places": "7c"}, False, "with other places"),
    ],
)
def test_what_another_audit_replaces_is_said(tmp_path, embedder, other, quick, said):
    assert made_alike.replaced(tmp_path, embedder, MADE, quick) == ""  # there is none
    full = {"embedder": "onnx:a", "made_with": MADE, "worst_of_backgrounds": {}}
    files.write_json(tmp_path / "audit.json", full)
    kept = f"{tmp_path} holds an audit {said}: this one will replace it. To keep it, give another --out."
    assert made_alike.replaced(tmp_path, embedder, MADE | other, quick) == (kept if said else "")
    files.write_json(tmp_path / "audit.json", {name: of for name, of in full.items() if name != "worst_of_backgrounds"})
    assert "not quick" not in made_alike.replaced(tmp_path, embedder, MADE | other, quick)
