"""The study's results in a file, and its tables beside the published figures."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bgbias.study import gathered, results_file, tables

PUBLISHED = results_file.read_published(Path("paper/published"))
UNKNOWN = {"settings": dict.fromkeys(PUBLISHED.dataset), "remarks": []}


def test_the_results_file_keeps_every_figure_and_every_gap(tmp_path):
    results_file.write_results(tmp_path / "results.json", PUBLISHED, UNKNOWN)
    pd.testing.assert_frame_equal(results_file.read_results(tmp_path / "results.json"), PUBLISHED, check_dtype=False)


def test_results_of_other_experiments_are_not_lost(tmp_path):
    file, cub = tmp_path / "results.json", PUBLISHED[PUBLISHED.dataset == "cub200"]
    results_file.refuse_to_lose(file, cub, False)  # there is none
    for name in ("new/folder", "new.csv"):
        with pytest.raises(ValueError, match=rf"--out .*{name}: expected a file NAME.json: add its name"):
            results_file.refuse_to_lose(tmp_path / name, cub, False)
    results_file.write_results(file, cub, UNKNOWN)
    results_file.refuse_to_lose(file, PUBLISHED, False)  # all of it, and more
    for fewer in (cub.iloc[1:], cub.assign(attention=cub.attention.where(cub.regime != "base", 0.9))):
        with pytest.raises(ValueError, match="results of other experiments; choose another --out, or add --replace"):
            results_file.refuse_to_lose(file, fewer, False)
    file.write_text('{"version": 0, "results": []}')  # of another version of the pipeline
    results_file.refuse_to_lose(file, cub.iloc[1:], False)
    results_file.refuse_to_lose(file, cub, True)


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_that_holds_no_results_is_never_overwritten(tmp_path, replace):
    for name, content in (
        ("README.md", "# Read me"),
        ("demo.json", '{"base": {}}'),
        ("list.json", "[]"),
        ("other.json", '{"version": 1}'),
        ("damaged.json", "{"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=f"{name} is there and is no results file: choose another --out"):
            results_file.refuse_to_lose(tmp_path / name, PUBLISHED, replace)
    with pytest.raises(ValueError, match="is there and is no results file"):
        results_file.refuse_to_lose(tmp_path, PUBLISHED, replace)


@pytest.mark.parametrize("content", ['{"version": 0, "results": []}', "[]"])
def test_a_results_file_of_another_version_is_refused_with_the_mend(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(ValueError, match="version .*, expected 2: make it again by `python -m stages.gather`"):
        results_file.read_results(tmp_path / "results.json")


def test_published_figures_that_are_none_or_there_twice_are_refused(tmp_path):
    for spoil, message in (
        (
            lambda text: text.replace("demo", "x") + text.splitlines()[-1] + "\n",
            "rows of the same name; restore it with",
        ),
        (lambda text: text.replace("16.", "160."), "figures in another unit, or of another column; restore it with"),
        (lambda text: text.rpartition(",")[0] + ",high\n", "does not read .*high.*: restore it with `git restore`"),
    ):
        for file in Path("paper/published").iterdir():
            (tmp_path / file.name).write_text(spoil(file.read_text()))
        with pytest.raises(ValueError, match=f"table1_map_at_r.csv: {message}"):
            results_file.read_published(tmp_path)


def test_attention_may_lie_beside_the_object_and_spread(tmp_path):
    far = PUBLISHED.assign(attention=-2.5, attention_sd=1.5)
    results_file.write_results(tmp_path / "results.json", far, UNKNOWN)
    assert set(results_file.read_results(tmp_path / "results.json").attention) == {-2.5}


CELLS = "expected results, rows of dataset, loss, regime"
UNIT = "figures in another unit, or of another column; make it again by .*"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows.clear(), CELLS),
        (lambda rows: rows[0].update(loss=7), CELLS),
        (lambda rows: rows[0].update(dataset=None), CELLS),
        (lambda rows: rows[0].update(regime=["base"]), CELLS),
        (lambda rows: rows[0].update(more=0.5), CELLS),
        (lambda rows: rows[0].update(finder="no"), CELLS),
        (lambda rows: rows[-1].pop("attention_sd"), CELLS),
        (lambda rows: rows[0].update(clean_map_at_r=57.76), f"{UNIT}: clean_map_at_r 57.76 of cars196"),
        (lambda rows: rows[0].update(swapped_map_at_r_sd=-0.1), f"{UNIT}: swapped_map_at_r_sd -0.1"),
        (lambda rows: rows[0].update(attention=37), f"{UNIT}: attention 37 of"),
        (lambda rows: rows[-1].update(attention="high"), "holds figures that are no numbers"),
        (lambda rows: rows.append(rows[0] | {"attention": 0.5}), "rows of the same name; make it again by .*: "),
    ],
)
def test_results_are_of_named_cells_with_all_figures_once(tmp_path, spoil, message):
    results_file.write_results(tmp_path / "results.json", PUBLISHED, UNKNOWN)
    found = json.loads((tmp_path / "results.json").read_text())
    spoil(found["results"])
    (tmp_path / "results.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match=f"results.json: {message}"):
        results_file.read_results(tmp_path / "results.json")


@pytest.mark.parametrize(("name", "file"), [("table1", "table1_map_at_r"), ("table2", "table2_attention_score")])
def test_the_published_results_render_exactly(name, file):
    cells = tables.table(PUBLISHED, PUBLISHED, name)
    for row in pd.read_csv(f"paper/published/{file}.csv").itertuples():
        if name == "table1":
            expected = {
                "clean": f"{row.clean_map_at_r_percent:.2f}",
                "swapped": f"{row.swapped_map_at_r_percent:.2f} ± {row.swapped_sd_percent:.2f}",
            }
        else:
            expected = {"attention score": f"{row.mean:.2f} ± {row.sd:.2f}"}
        for heading, text in expected.items():
            cell = cells.loc[(row.loss, row.regime), (row.dataset, heading)]
            assert cell.replace("**", "") == f"{text} ({text.split()[0]}, +0.00)"
    assert cells.shape == (10, 6 if name == "table1" else 3)


def test_the_best_of_each_column_is_bold_and_only_it():
    cells = tables.table(PUBLISHED, PUBLISHED, "table1")
    bold = {column: [row for row in cells.index if "**" in cells.loc[row, column]] for column in cells.columns}
    assert bold["sop", "clean"] == [("normalized_softmax", "base")]
    assert bold["sop", "swapped"] == [("normalized_softmax", "bgaugment")]
    assert all(len(rows) == 1 for rows in bold.values())


def test_attention_of_a_network_with_a_finder_is_neither_bold_nor_compared():
    ours = PUBLISHED[PUBLISHED.dataset == "cub200"]
    found = ours[ours.regime == "base"].assign(regime="early_masking", finder=True, attention=0.9, attention_sd=0.1)
    ours = pd.concat([ours, found])
    ours.loc[(ours.loss == "triplet") & (ours.regime == "base"), "finder"] = True
    column = tables.table(ours, PUBLISHED, "table2")["cub200", "attention score"]
    assert column["arcface", "early_masking"] == "0.90 ± 0.10" and "(" not in column["triplet", "base"]
    assert [row for row in column.index if "**" in column[row]] == [("triplet", "bgaugment"), ("arcface", "bgaugment")]
    (said,) = tables.finders(ours, "table2")
    assert said.startswith("Attention scores of base and early_masking, which first find the object, cannot")
    assert tables.finders(ours, "table1") == [] == tables.finders(PUBLISHED, "table2")
    assert tables.finders(ours.assign(attention=float("nan")), "table2") == []
    clean = ours.assign(clean_map_at_r=ours.clean_map_at_r.where(~ours.finder, 0.9))
    assert "**90.00**" in set(tables.table(clean, PUBLISHED, "table1")["cub200", "clean"])  # retrieval is compared
    alone = ours[ours.regime == "early_masking"]
    assert set(tables.table(alone, PUBLISHED, "table2")["cub200", "attention score"]) == {"0.90 ± 0.10"}


def test_missing_cells_are_marked_and_differences_signed():
    ours = PUBLISHED[PUBLISHED.dataset == "cub200"].copy()
    ours.loc[ours.loss == "arcface", "clean_map_at_r"] = float("nan")
    ours.loc[ours.loss == "triplet", "clean_map_at_r"] -= 0.01
    ours.loc[ours.loss == "triplet", "swapped_map_at_r_sd"] = 0.05
    cells = tables.table(ours, PUBLISHED, "table1")
    column = cells["cub200", "clean"]
    assert column["arcface", "base"] == "missing" and column["triplet", "base"] == "17.29 (18.29, -1.00)"
    assert " ± 5.00 (" in cells["cub200", "swapped"]["triplet", "base"]


def test_a_dataset_without_published_figures_stands_alone():
    ours = PUBLISHED[PUBLISHED.dataset == "cub200"].assign(dataset="demo")
    assert tables.table(ours, PUBLISHED, "table1")["demo", "clean"]["triplet", "base"] == "18.29"


def test_one_draw_of_backgrounds_has_no_standard_deviation():
    ours = PUBLISHED[PUBLISHED.dataset == "cub200"].assign(swapped_map_at_r_sd=float("nan"))
    assert "±" not in "".join(tables.table(ours, PUBLISHED, "table1")["cub200", "swapped"])


def test_titles_say_what_follows_the_sign_what_is_bold_and_what_stands_in_brackets():
    read = "not over training seeds; best of a column bold; in brackets, where published, the study's figure"
    for name, over in (
        ("table1", "draws of backgrounds"),
        ("table1_recall", "draws of backgrounds"),
        ("table2", "the photos"),
    ):
        title = tables.TABLES[name][0]
        assert f"± standard deviation over {over}, {read}" in title
        assert Path(f"paper/tables/{name}.md").read_text().startswith(f"{title}\n\n|")
        assert Path(f"paper/tables/{name}.tex").read_text().startswith(f"% {title}\n")


def test_the_title_of_table_2_says_which_photos_the_study_counts_otherwise():
    start = "Attention score of clean photos that have one (the study counts an empty mask as 0), ±"
    assert tables.TABLES["table2"][0].startswith(start)


def test_the_study_s_losses_come_first_and_each_column_has_its_figure():
    figures = dict(zip(results_file.FIGURES, (0.1, 0.2, 0.02, 0.3, 0.4, 0.04, 0.5, 0.05), strict=True))
    rows = [("demo", "also", "base"), ("demo", "triplet", "base"), ("demo", "contrastive", "bgaugment")]
    ours = pd.DataFrame([dict(zip(results_file.KEY, row, strict=True)) | {"finder": False} | figures for row in rows])
    ours.loc[ours.loss == "also", ["clean_recall_at_1", "swapped_recall_at_1"]] = 0.25
    ours.loc[ours.loss == "contrastive", list(figures)] = float("nan")
    cells = tables.table(ours, PUBLISHED, "table1_recall")
    assert cells.index.tolist() == [row[1:] for row in rows[::-1]]
    assert cells["demo", "clean"].tolist() == ["missing", "**30.00**", "25.00"]
    assert cells["demo", "swapped"].tolist() == ["missing", "**40.00 ± 4.00**", "25.00 ± 4.00"]
    none = ours.assign(**dict.fromkeys(figures, float("nan")))
    assert set(tables.table(none, PUBLISHED, "table2")["demo", "attention score"]) == {"missing"}


def test_markdown_and_latex_hold_the_same_figures():
    cells = tables.table(PUBLISHED, PUBLISHED, "table2")
    text, tex = tables.markdown(cells), tables.latex(cells)
    assert text.startswith("| loss") and text.count("\n") == 11
    assert r"multi\_similarity" in tex and r"\textbf{0.56 $\pm$ 0.10} (0.56, +0.00)" in tex and r"\toprule" in tex
    assert "**0.56 ± 0.10** (0.56, +0.00)" in text


def test_photos_that_a_mean_attention_score_leaves_out_are_said(capsys):
    runs = [
        {"Experiment": f"study-{loss}", "loss": loss, "datasets": "['demo']", "regimes": "['base']"}
        | {"demo.base.clean.map_at_r": 0.5, "demo.base.attention.clean.undefined": lost}
        for loss, lost in (("triplet", 2.0), ("arcface", 1203.0), ("contrastive", float("nan")))
    ]
    files = {"dvc.lock": "stages: {}", "params.yaml": "seeds: [42]"}
    gathered.gather(runs, "study-", lambda experiment, name: files[name])
    said = "demo: up to 1,203 photos have no attention score (an empty or a full mask, or no attention) and are left"
    assert capsys.readouterr().out == f"{said} out of its mean, where the study counts an empty mask as 0\n"
    runs[0]["demo.base.attention.clean.undefined"] = 0.0
    gathered.gather(runs[::2], "study-", lambda experiment, name: files[name])
    assert capsys.readouterr().out == ""


def test_photos_without_a_score_are_those_of_what_an_experiment_ran(capsys):
    runs = [
        {"Experiment": f"study-{dataset}", "loss": "triplet", "datasets": f"['{dataset}']", "regimes": "['base']"}
        | {f"{dataset}.base.clean.map_at_r": 0.5, "demo.base.attention.clean.undefined": lost}
        for dataset, lost in (("demo", 2.0), ("sop", 99.0))  # of the second the demo's are as they were committed
    ]
    files = {"dvc.lock": "stages: {}", "params.yaml": "seeds: [42]"}
    gathered.gather(runs, "study-", lambda experiment, name: files[name])
    assert "demo: up to 2 photos have no attention score" in capsys.readouterr().out
