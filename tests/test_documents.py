"""Tables of documents: each from files of the repository, and as they stand."""

import json
import re
from pathlib import Path

import pytest

from bgbias import files
from bgbias.documents import blocks, speed
from stages import documents

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VIEW = {"recall_at_1": 0.9, "map_at_r": 0.5}
ATTENTION = {view: {"mean": 0.25, "sd": 0.1} for view in ("clean", "swapped")}
METRICS = {"clean": VIEW, "swapped": {"recall_at_1": 0.25, "recall_at_1_sd": 0.01, "map_at_r": 0.1}, "drop": VIEW}
METRICS |= {"attention": ATTENTION, "seeds": 1}
MEASURES = [f"{metric}_{view}" for metric in VIEW for view in ("clean", "swapped")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_page_is_as_its_files_say(path):
    text = path.read_text(encoding="utf-8")
    assert blocks.filled(text, ROOT) == text  # `python -m stages.documents`
    assert text.count("<!-- table:") == text.count("<!-- end -->")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_file_and_heading_that_a_page_links_is_there(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        target, _, heading = link.partition("#")
        if "://" in target:
            continue
        linked = path.parent / target if target else path
        assert linked.exists(), link
        heads = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
        assert not heading or heading in [re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads], (
            link
        )


@pytest.fixture
def study(tmp_path):
    """A file of figures of two regimes."""
    ends = {"difference": 0.131, "low": -0.02, "high": 0.25}
    measures = dict.fromkeys([*MEASURES, "attention_score_clean", "attention_score_swapped"], ends)
    found = {"loss": "triplet", "regimes": {"base": METRICS, "cure": METRICS}, "differences": {"cure - base": measures}}
    found["seeds"] = [42]
    files.write_json(tmp_path / "a.json", found)
    return tmp_path


def cells(mark, root):
    """The cells of a table's rows, without its heads."""
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in blocks.table(mark, root).split("\n")[2:]]


def test_spreads_over_draws_and_over_seeds_do_not_stand_in_one_column(study):
    files.write_json(study / "b.json", files.read_json(study / "a.json") | {"seeds": [42, 43]})
    assert cells("scores b.json b.json", study) == [["triplet", *row] for row in cells("scores a.json", study)] * 2
    with pytest.raises(ValueError, match="of one seed, beside others of several, whose ± is another: .* a table: a$"):
        blocks.table("scores a.json b.json", study)


def test_scores_differences_and_arrows_by_hand(study):
    scores = ["90.0", "25.0 ± 1.0", "50.0", "10.0", "0.25", "0.25"]
    assert cells("scores a.json", study) == [["`base`", *scores], ["`cure`", *scores]]
    assert cells("scores a.json a.json regimes=cure", study) == [["triplet", "`cure`", *scores]] * 2
    less = ["-13.1 (-25.0 to 2.0)"] * 2  # of the pair the other way round
    assert cells("scores a.json less=cure", study) == [["`base`", *scores, *less], ["`cure`", *scores, "", ""]]
    assert cells("differences a.json", study) == [["`cure` - `base`", *["+13.1 (-2.0 to 25.0)"] * 4]]
    assert cells("differences a.json pairs=base-cure of=my_demo", study)[0][0] == "my demo: `base` - `cure`"
    assert cells("attention a.json", study) == [["`cure` - `base`", *["+0.131 (-0.020 to 0.250)"] * 2]]
    of_two = cells("attention a.json a.json of=one,the_other", study)
    assert [row[0] for row in of_two] == ["one: `cure` - `base`", "the other: `cure` - `base`"]
    with pytest.raises(ValueError, match="attention a.json of=one,the_other"):
        blocks.table("attention a.json of=one,the_other", study)  # a name too many
    assert cells("arrows a.json of=the_demo", study) == [["`base`", "90.0 → 25.0"], ["`cure`", "90.0 → 25.0"]]
    for regime in (other := files.read_json(study / "a.json"))["regimes"].values():
        regime["rooms"] = {"recall_at_1": 0.5}
    files.write_json(study / "rooms.json", other)
    both = cells("arrows a.json rooms.json of=one,two to=swapped,rooms", study)
    assert both == [[f"`{name}`", "90.0 → 25.0", "90.0 → 50.0"] for name in ("base", "cure")]


def test_what_a_cure_wins_by_hand(study):
    found = files.read_json(study / "a.json")
    lost = {"place_drop": {"recall_at_1": 0.4}, "place_drop_objects": {"recall_at_1": 0.15}}
    found["regimes"] = {"one_base": METRICS | lost, "one_cure": METRICS}
    of_pair = found["differences"]["cure - base"]
    elsewhere = {"recall_at_1_elsewhere": {"difference": 0.05, "low": 0.01, "high": 0.09}}
    found["differences"] = {"one_cure - one_base": of_pair | elsewhere}
    files.write_json(study / "places.json", found)
    row = ["my shop", "`cure`", "65.0", "+13.1 (-2.0 to 25.0)", "40.0", "25.0", "+5.0 (1.0 to 9.0)"]
    assert cells("won places.json of=my_shop pairs=one_cure-one_base", study) == [row]


def test_an_interval_s_end_near_0_tells_its_side(study):
    found = files.read_json(study / "a.json")
    near = {"difference": 0.024, "low": 0.0001, "high": 0.045}
    found["differences"]["cure - base"] |= {"map_at_r_clean": near, "attention_score_clean": near}
    files.write_json(study / "a.json", found)
    assert cells("differences a.json", study)[0][3] == "+2.4 (0.01 to 4.5)"
    assert cells("differences a.json pairs=base-cure", study)[0][3] == "-2.4 (-4.5 to -0.01)"
    assert cells("attention a.json", study)[0][1] == "+0.024 (0.0001 to 0.045)"


def test_differences_of_several_seeds_hold_what_others_would_change(study):
    """By hand: nothing of classes, Welch's interval of three seeds a side: t(4) = 2.776 times the root of 2 sd² / 3."""
    found = files.read_json(study / "a.json")
    for regime in found["regimes"].values():
        regime["seeds"] = 3
        regime["attention"] = {"clean": {"mean": 0.25, "mean_seeds_sd": 0.03}, "swapped": {"mean_seeds_sd": 0.0}}
        for view in ("clean", "swapped"):
            regime[view] |= {"recall_at_1_seeds_sd": 0.03, "map_at_r_seeds_sd": 0.0}
    flat = {"difference": 0.131, "low": 0.131, "high": 0.131}
    found["differences"]["cure - base"] = dict.fromkeys(found["differences"]["cure - base"], flat)
    files.write_json(study / "a.json", found)
    wide, narrow = ["+13.1 (6.3 to 19.9)"] * 2, ["+13.1 (13.1 to 13.1)"] * 2
    assert cells("differences a.json", study) == [["`cure` - `base`", *wide, *narrow]]
    assert cells("differences a.json pairs=base-cure", study)[0][1] == "-13.1 (-19.9 to -6.3)"
    assert cells("attention a.json", study)[0][1:] == ["+0.131 (0.063 to 0.199)", "+0.131 (0.131 to 0.131)"]
    found["regimes"]["base"]["attention"]["clean"]["mean_seeds_sd"] = None  # a seed has none: nothing is known
    files.write_json(study / "a.json", found)
    assert cells("attention a.json", study)[0][1] == "+0.131"


def test_audits_by_their_figures_with_some_intervals(tmp_path):
    whole, part = {"value": 0.25, "low": 0.2, "high": 0.301}, {"value": 0.9, "low": None, "high": None}
    for name, figure in (("a", whole), ("b", part)):
        views = {"clean": {"recall_at_1": figure}}
        files.write_json(tmp_path / f"{name}.json", {"views": views, "conflict": figure})
    mark = "audits a.json b.json of=the_demo,own columns=conflict,clean"
    assert cells(mark, tmp_path) == [["the demo", "25.0", "25.0"], ["own", "90.0", "90.0"]]
    assert cells(f"{mark} intervals=conflict", tmp_path) == [
        ["the demo", "25.0 (20.0 to 30.1)", "25.0"],
        ["own", "90.0", "90.0"],
    ]


def test_drops_by_the_masks_of_a_model_s_audits(tmp_path):
    for name, kinds in (("a", ("given", "grabcut")), ("b", ("grabcut", "disc")), ("c", ("disc", "given"))):
        first, second = ({"recall_at_1": {"value": 0.01 * len(kind), "low": 0, "high": 0.1}} for kind in kinds)
        audit = {"masks": kinds[0], "drop": first, "second_masks": {"kind": kinds[1], "drop": second}}
        files.write_json(tmp_path / f"{name}.json", audit)
    drops = [f"{len(kind)}.0 (0.0 to 10.0)" for kind in ("given", "grabcut", "disc")]
    found = cells("by_masks a.json b.json c.json of=our_net,our_net,own", tmp_path)
    assert found == [["our net", *drops], ["own", drops[0], "", drops[2]]]


def test_remedies_by_their_names_and_some_columns(tmp_path):
    recovered = {"value": 0.731, "low": 0.65, "high": 0.8}
    grey = {"name": "grey", "sides": "both", "passes": 1, "needs_mask": True, "clean": VIEW}
    grey["swapped"] = VIEW | {f"{metric}_sd": 0.01 for metric in VIEW}
    grey["recovered"] = dict.fromkeys(VIEW, recovered)
    files.write_json(tmp_path / "r.json", {"r": {"remedies": {"grey": grey, "crop": grey | {"name": "crop"}}}})
    row = ["90.0", "90.0 ± 1.0", "73 (65 to 80)"]
    assert cells("remedies r.json columns=4,5,6", tmp_path) == [["crop", *row], ["grey", *row]]
    assert cells("remedies r.json columns=4,5,6 rows=crop", tmp_path) == [["crop", *row]]


def test_a_table_of_a_markdown_file_and_some_of_its_columns(tmp_path):
    (tmp_path / "t.md").write_text(
        "Title\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\ntext\n\n| c | d |\n|:--|--:|\n| 3 | 4 |\n"
    )
    assert cells("markdown t.md", tmp_path) == [["1", "2"]]
    assert cells("markdown t.md number=1 columns=1", tmp_path) == [["4"]]


def test_rows_that_a_file_holds_under_a_key(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"larger": [["photos", "hours"], ["10", "1"], ["20", "2"]]}))
    assert cells("rows a.json of=larger", tmp_path) == [["10", "1"], ["20", "2"]]


def test_a_benchmark_s_alternatives_the_fastest_first(tmp_path):
    ways = {
        "ours": {"median_s": 0.5, "images_per_s": 4000.4, "peak_mb": 1487.4},
        "other": {"median_s": 0.25, "peak_mb": 0},
        "slow": {"median_s": 1234.4, "peak_mb": 0},
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"machine": "any", "cases": {"a step": {"alternatives": ways, "ours": "ours"}}}))
    rows = speed.benchmark(path).to_numpy().tolist()
    assert rows[0] == ["a step", "other", "", "0.25", "0.50", "0"]
    assert rows[1] == ["a step", "**ours**", "4,000", "0.5", "1.00", "1,487"]
    assert rows[2] == ["a step", "slow", "", "1,234", "2468.80", "0"]
    del ways["ours"]["images_per_s"]  # no pictures
    path.write_text(json.dumps({"cases": {"a step": {"alternatives": ways, "ours": "ours"}}}))
    assert list(speed.benchmark(path)) == ["measured", "way", "seconds", "time / ours", "peak MB"]


def test_the_stages_of_a_pipeline_their_cells_together(tmp_path):
    stages = {"raw@demo": 1.5, "train@demo-base-42": 20.0, "train@demo-cure-42": 30.04}
    found = {"stages_s": stages, "repro_s": 51.9, "second_repro_s": 1.0}
    (tmp_path / "a.json").write_text(json.dumps(found))
    whole = [["all", "", "51.9"], ["a second `dvc repro`", "", "1.0"]]
    assert cells("pipeline a.json", tmp_path) == [["raw", "1", "1.5"], ["train", "2", "50.0"], *whole]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_names_the_machine_of_each_benchmark_that_it_shows(path):
    text = path.read_text(encoding="utf-8")
    for shown in re.findall(r"<!-- table: (?:benchmark|pipeline|rows) (\S+)", text):
        assert json.loads((ROOT / shown).read_text())["machine"] in " ".join(text.split())


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("score a.json", "unknown kind of table 'score'; close to it is scores"),
        ("scores b.json", "b.json: no such file"),
        ("scores a.json regimes=cur", "table 'scores a.json regimes=cur': there is no 'cur' in its files"),
        ("scores a.json rows=2", "unexpected keyword argument 'rows'"),
        ("differences a.json pairs=cure-bas", "there is no 'bas - cure' in its files: correct the mark, or the files"),
        ("arrows a.json a.json of=one", "correct the mark, or the files"),
        ("audits a.json of=one columns=drip", "there is no 'drip' in its files"),
        ("markdown a.json", "correct the mark, or the files"),
        ("board a.json columns=1", "a.json: holds no a: "),
    ],
)
def test_a_mark_that_cannot_be_followed_is_named(study, mark, message):
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)):
        blocks.table(mark, study)


def test_a_mark_without_an_end_is_refused_and_nothing_is_lost(study, monkeypatch):
    text = "# A\n\n<!-- table: arrows a.json of=x -->\n\ntext\n\n<!-- table: scores a.json -->\n\n<!-- end -->\n"
    with pytest.raises(ValueError, match="no <!-- end --> follows, .*: <!-- table: arrows a.json of=x -->$"):
        blocks.filled(text, study)
    monkeypatch.chdir(study)
    Path("README.md").write_text("<!-- table: arrows a.json of=x -->\n")
    with pytest.raises(ValueError, match="README.md: its tables cannot be written .no <!-- end -->"):
        documents.main(None)


def test_text_after_a_table_is_kept_though_another_end_follows(study):
    filled = blocks.filled("<!-- table: arrows a.json of=x -->\n\n<!-- end -->\n\ntext\n\n<!-- end -->\n", study)
    assert filled.endswith("<!-- end -->\n\ntext\n\n<!-- end -->\n")


def test_the_stage_fills_readme_and_docs_once(study, monkeypatch, capsys):
    monkeypatch.chdir(study)
    (study / "docs").mkdir()
    text = "before\n\n<!-- table: arrows a.json of=demo -->\nold\n<!-- end -->\n\nafter\n"
    for name in ("README.md", "docs/a.md"):
        Path(name).write_text(text)
    documents.main(None)
    assert capsys.readouterr().out == "README.md: tables written\ndocs/a.md: tables written\n"
    filled = Path("README.md").read_text()
    assert filled.startswith("before\n\n<!-- table:") and filled.endswith("<!-- end -->\n\nafter\n")
    assert "old" not in filled
    documents.main(None)
    assert capsys.readouterr().out == ""
