"""Tables and pictures."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from PIL import Image

from bgbias.report import figures, sheets, tables
from bgbias.report.figures import Cell
from bgbias.report.overlays import overlay


def metrics(clean, swapped):
    scores = {"recall_at_1": clean, "map_at_r": clean / 2}
    drawn = {"recall_at_1": swapped, "recall_at_1_sd": 0.01, "map_at_r": swapped / 2, "map_at_r_sd": 0.002}
    drop = {name: scores[name] - drawn[name] for name in scores}
    attention = {"clean": {"mean": 0.2, "sd": 0.1}, "swapped": {"mean": -0.123, "sd": 0.1}}
    return {"clean": scores, "swapped": drawn, "drop": drop, "attention": attention}


def test_with_several_seeds_the_table_has_their_spread():
    found = metrics(0.9, 0.2)
    for view, name in (("clean", "recall_at_1"), ("swapped", "recall_at_1"), ("drop", "recall_at_1")):
        found[view][f"{name}_seeds_sd"] = 0.03
    found["attention"]["clean"]["mean_seeds_sd"] = 0.04
    row = tables.summary({"base": found}, ["swapped"]).iloc[0]
    assert row[["Recall@1 clean", "Recall@1 swapped", "Recall@1 drop", "MAP@R swapped"]].tolist() == [
        "90.0 ± 3.0", "20.0 ± 3.0", "70.0 ± 3.0", "10.0 ± 0.2",
    ]  # fmt: skip
    assert row["attention clean"] == "0.20 ± 0.04"


def test_the_table_has_regimes_by_rows_in_percent():
    table = tables.summary({"base": metrics(0.9, 0.2), "bgaugment": metrics(0.88, 0.7)}, ["swapped"])
    assert table.columns.tolist() == [
        "regime", "Recall@1 clean", "Recall@1 swapped", "Recall@1 drop",
        "MAP@R clean", "MAP@R swapped", "MAP@R drop", "attention clean", "attention swapped",
    ]  # fmt: skip
    assert table.iloc[0].tolist() == [
        "base", "90.0", "20.0 ± 1.0", "70.0", "45.0", "10.0 ± 0.2", "35.0", "0.20 ± 0.10", "-0.12 ± 0.10"
    ]  # fmt: skip
    assert tables.markdown(table).count("\n") == 3


@pytest.fixture
def pictures(data, geometry, monkeypatch):
    monkeypatch.chdir(data.parent)
    return sheets.Pictures("drawn", geometry, "test", seed=0)


def corners(sheet: Image.Image, column: int, row: int, left: int) -> tuple:
    """The colour of a cell's upper left corner."""
    return sheet.getpixel((left + column * (96 + figures.GAP), 22 + row * (96 + figures.GAP)))


def test_right_and_wrong_neighbours_are_framed(pictures):
    ids = pictures.photos.split("test")
    labels = pictures.photos.table.class_id[ids].to_numpy()
    perfect = torch.eye(3)[labels - labels.min()] + torch.randn(9, 3, generator=torch.Generator().manual_seed(0)) * 0.01
    perfect = perfect.numpy()
    found = {"clean": {"base": perfect, "bgaugment": -perfect}, "swapped": {"base": perfect, "bgaugment": perfect}}
    sheet = sheets.gallery(pictures, found, queries=2, top=2)
    pixels = np.asarray(sheet).reshape(-1, 3).tolist()
    assert list(figures.RIGHT) in pixels and list(figures.WRONG) not in pixels


def test_of_few_photos_all_are_shown(pictures):
    found = {"clean": {"base": np.eye(9)}, "swapped": {"base": np.eye(9)}}
    sheet = sheets.gallery(pictures, found, queries=10, top=20)  # of 9 photos
    assert sheet.size == sheets.gallery(pictures, found, queries=9, top=8).size


def test_a_wrong_neighbour_is_framed_in_another_colour():
    photo = np.zeros((96, 96, 3), np.uint8)
    sheet = figures.sheet([[Cell(photo), Cell(photo, True), Cell(photo, False)]], [""], {0: "query"})
    assert [corners(sheet, column, 0, 0) for column in range(3)] == [(0, 0, 0), figures.RIGHT, figures.WRONG]


def drawn(text, after, columns=3):
    """Where the ink of a heading is, columns of pixels; and where the next one begins."""
    photos = [Cell(np.full((96, 96, 3), 255, np.uint8))] * columns
    sheet = figures.sheet([photos], [""], {0: text, after: ""})
    return np.flatnonzero((np.asarray(sheet)[:22] < 255).any((0, 2))), after * (96 + figures.GAP)


@pytest.mark.parametrize("text", ["rising_early_masking", "bgconsistency/42", "swapped backgrounds"])
def test_a_long_heading_does_not_reach_over_the_next(text):
    """Two regimes beside each other were written one over the other."""
    ink, edge = drawn(text, 1)
    assert 60 < ink.max() < edge
    assert drawn(text, 2)[0].max() > edge - figures.GAP  # in its own size where nothing is beside it


def test_headings_of_the_attention_figure_are_the_models_names(pictures, monkeypatch):
    """A space in a folder's name cut off what stood before it, so two models could bear one heading."""
    said = []
    monkeypatch.setattr(figures, "sheet", lambda rows, labels, headings: said.append(headings))
    ids = pictures.photos.split("test")[:1]
    map_ = np.zeros((1, 16, 16), np.uint8)
    sheets.attention(pictures, ids, {"clean": {"old run/42": map_, "new run/42": map_, "new run/42 mask": map_}})
    assert said == [{0: "clean", 1: "old run/42", 2: "new run/42", 3: "mask"}]


def test_the_contact_sheet_shows_photos_masks_and_swaps(pictures):
    sheet = sheets.contact_sheet(pictures, classes=3, photos=3)
    assert sheet.size == (6 * 96 + 6 * figures.GAP + figures.GAP, 22 + 3 * 96 + 2 * figures.GAP)


def test_an_overlay_shines_where_the_attention_is():
    attention = np.zeros((8, 8), np.uint8)
    attention[:4] = 255
    shown = overlay(np.full((32, 32, 3), 100, np.uint8), attention).astype(int).sum(2)
    assert shown[:12].min() > shown[20:].max()


def test_attention_figure_has_both_views_and_all_regimes(pictures):
    ids = pictures.photos.split("test")[:2]
    maps = {
        view: {regime: np.zeros((2, 16, 16), np.uint8) for regime in ("base", "bgaugment")}
        for view in ("clean", "swapped")
    }
    sheet = sheets.attention(pictures, ids, maps)
    assert sheet.size == (6 * (96 + figures.GAP) + 2 * figures.GAP - figures.GAP, 22 + 2 * 96 + figures.GAP)


@pytest.mark.parametrize("draw", [figures.bars, figures.front])
def test_figures_are_written_the_same_to_the_byte(tmp_path, draw):
    for name in ("a.png", "b.png"):
        chart = draw({"base": metrics(0.9, 0.2), "bgaugment": metrics(0.88, 0.7)}, "recall_at_1")
        figures.save(tmp_path / name, chart)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").size[0] > 300


def test_bars_have_the_standard_deviations_of_the_table():
    one, three = {"map_at_r_sd": 0.01}, {"map_at_r_sd": 0.01, "map_at_r_seeds_sd": 0.04}
    for clean, swapped, expected in (({}, one, [2]), ({"map_at_r_seeds_sd": 0.03}, three, [6, 8])):
        views = {"clean": {"map_at_r": 0.5} | clean, "swapped": {"map_at_r": 0.25} | swapped}
        axes = figures.bars({"base": views}, "map_at_r").axes[0]
        lines = [np.ptp(line.get_segments()[0][:, 1]) for line in axes.collections]
        assert lines == pytest.approx(expected)
        over = "training seeds" if clean else "draws of backgrounds, of one training seed"
        assert axes.get_xlabel() == f"lines: ± standard deviation over {over}"


def test_the_front_joins_what_no_other_regime_beats_in_both():
    points = {"base": metrics(0.9, 0.2), "worse": metrics(0.85, 0.1), "cure": metrics(0.88, 0.7)}
    (line,) = [line for line in figures.front(points, "recall_at_1").axes[0].lines if line.get_linestyle() == "-"]
    assert line.get_xydata().round(6).tolist() == [[88, 70], [90, 20]]


def test_a_point_of_the_front_has_the_colour_of_its_name_and_neighbours_have_others():
    regimes = {f"{height}": metrics(0.9, height / 100) for height in (20, 50, 30, 40)}
    (axes,) = figures.front(regimes, "recall_at_1").axes
    points = {f"{line.get_ydata()[0]:.0f}": line.get_color() for line in axes.lines if line.get_marker() == "o"}
    assert {text.get_text(): text.get_color() for text in axes.texts} == points and len(set(points.values())) == 4
    for text in axes.texts:
        assert text.arrow_patch.get_edgecolor()[:3] == to_rgba(text.get_color())[:3]


def test_a_small_difference_does_not_fill_the_front():
    (axes,) = figures.front({"base": metrics(0.278, 0.287), "cure": metrics(0.281, 0.297)}, "recall_at_1").axes
    assert np.diff(axes.get_xlim()) == pytest.approx(10) and np.diff(axes.get_ylim()) == pytest.approx(10)


def test_the_front_says_what_its_lines_are_where_it_has_any():
    one, three = metrics(0.9, 0.2), metrics(0.88, 0.7)
    three["swapped"]["recall_at_1_seeds_sd"] = 0.05
    label = "Recall@1, photos as they are (%)"
    assert figures.front({"base": one}, "recall_at_1").axes[0].get_xlabel() == label
    said = figures.front({"base": one, "cure": three}, "recall_at_1").axes[0].get_xlabel()
    assert said == f"{label}\nlines: ± standard deviation over training seeds"


@pytest.mark.parametrize("heights", [[5.0, 5.0, 5.0, 5.0], [0.0, 3.0, 4.0, 50.0, 51.0], [9.0]])
def test_labels_are_apart_and_in_order(heights):
    moved = figures.apart(heights, 4.0)
    assert moved == sorted(moved)
    assert (np.diff(moved) >= 4.0 - 1e-9).all()
    assert sum(moved) == pytest.approx(sum(heights))


def test_an_audit_loads_matplotlib_for_the_colours_of_maps_alone():
    code = "import sys, bgbias.audit.shared; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
