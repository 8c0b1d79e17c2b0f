"""The leaderboard's table and picture, of made-up figures of which no two are alike: what stands where."""

from itertools import pairwise

import pandas as pd
import pytest

from bgbias.leaderboard import rows, shown


def of(value, wide=0.02):
    return {"value": value, "low": value - 0.01, "high": value + wide}


def row(embedder, clean, swapped, less_first=None):
    """Figures of which no two are alike."""
    return {
        "embedder": embedder, "clean": of(clean), "swapped": of(swapped), "drop": of(0.31), "gap": of(0.12),
        "conflict": of(0.3), "attention": of(0.456), "less_first": less_first,
        "remedy": of(0.05) | {"name": "grey"}, "second": {"swapped": of(0.66), "drop": of(0.24), "conflict": of(0.4)},
    }  # fmt: skip


BOARD = {
    "second_masks": "isnet",
    "first": "one",
    "rows": {
        "one": row("timm:vit_small_patch14_dinov2:pretrained", 0.9, 0.5),
        "two": row("onnx:net.onnx", 0.8, 0.7, {"drop": {"difference": 0.08, "low": -0.0001, "high": 0.1}}),
    },
}


def test_every_cell_is_of_the_figure_that_its_column_names():
    best, other = (of_row.to_dict() for _, of_row in shown.table(BOARD).iterrows())
    assert best == {
        "embedder": "two", "Recall@1 clean": "80.0", "Recall@1 swapped": "70.0", "drop": "31.0 (30.0 to 33.0)",
        "background gap": "12.0 (11.0 to 14.0)", "object decides": "70.0 (68.0 to 71.0)", "swapped, isnet": "66.0",
        "drop, isnet": "24.0 (23.0 to 26.0)", "object decides, isnet": "60.0 (58.0 to 61.0)", "attention": "0.46",
        "drop, object alone": "5.0 (4.0 to 7.0), on grey", "drop less one": "+8.0 (-0.01 to 10.0)",
    }  # fmt: skip
    assert (other["embedder"], other["Recall@1 clean"], other["drop less one"]) == ("one", "90.0", "")


def test_the_picture_has_a_point_a_row_beside_the_diagonal_in_the_colour_of_its_family():
    (axes,) = shown.clean_against_swapped(BOARD).axes
    lines = [(line.get_xydata().round(6).tolist(), line.get_color(), line.get_marker()) for line in axes.lines]
    assert lines[0][0] == [[0, 0], [100, 100]]
    points = [line for line in lines if len(line[0]) == 1]
    assert [at for at, *_ in points] == [[[90, 50]], [[80, 70]]]
    assert len({look for _, *looks in points for look in looks}) == 4
    assert [looks for at, *looks in lines if not at] == [looks for _, *looks in points]  # of the legend
    leaders = [at for at, *_ in lines[1:] if len(at) == 2]
    assert leaders == [[[90, 50], [101, 50]], [[80, 70], [101, 70]]]
    labels = {text.get_text(): text.xy for text in axes.texts}
    assert (labels["one"], labels["two"]) == ((101.5, 50), (101.5, 70))
    assert "as they are" in axes.get_xlabel() and "swapped" in axes.get_ylabel()


def test_families_beyond_the_colours_look_like_no_other():
    specs = ["hog", "model:a", "onnx:b", "python:c", "torchscript:d", "small_resnet", "timm:vit_b", "timm:resnet18"]
    rows = {spec: row(spec, 0.9, 0.1 + 0.1 * place) for place, spec in enumerate(specs)}
    (axes,) = shown.clean_against_swapped(BOARD | {"rows": rows}).axes
    legend = [(line.get_color(), line.get_marker()) for line in axes.lines if not len(line.get_xydata())]
    assert len(legend) == len(specs) == len(set(legend))
    assert [shown._look(number) for number in range(49)] == list(dict.fromkeys(map(shown._look, range(49))))


def test_names_of_points_at_one_height_lie_apart_with_a_line_to_each():
    rows = {name: of_row | {"swapped": of(0.5)} for name, of_row in BOARD["rows"].items()}
    (axes,) = shown.clean_against_swapped(BOARD | {"rows": rows}).axes
    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert abs(heights["one"] - heights["two"]) == pytest.approx(shown.LINE)
    leaders = [line.get_xydata() for line in axes.lines[1:] if len(line.get_xydata()) == 2]
    assert [ends[:, 1].tolist() for ends in leaders] == [[50, heights[name]] for name in ("one", "two")]


@pytest.mark.parametrize(("count", "swapped"), [(9, 0.0), (9, 1.0), (40, 0.3)])
def test_names_stay_beside_the_axis_and_apart_however_many_they_are(count, swapped):
    """Beyond it they lay over the axis' own numbers."""
    rows = {f"row_{place}": row("onnx:a", 0.9, swapped) for place in range(count)}
    (axes,) = shown.clean_against_swapped(BOARD | {"rows": rows}).axes
    names = [text for text in axes.texts if text.get_text() in rows]
    heights = sorted(text.xy[1] for text in names)
    assert heights[0] >= 0 and heights[-1] <= 100
    size = {text.get_fontsize() for text in names}.pop()
    assert min(after - before for before, after in pairwise(heights)) >= size / 9 * shown.LINE - 1e-6
    assert all(not line.get_clip_on() for line in axes.lines if len(line.get_xydata()) == 1)  # whole at 0 and 100


def test_what_is_lost_with_the_object_alone_is_of_the_colour_that_loses_least():
    hits = {"clean": [1, 1, 1, 0], "foreground_black": [1, 0, 0, 0], "foreground_grey": [1, 1, 0, 0],
            "foreground_mean": [0, 1, 0, 0], "swapped": [0, 0, 0, 0]}  # fmt: skip
    table = pd.DataFrame({"class": list("aabb")} | {f"recall_at_1_{name}": of_name for name, of_name in hits.items()})
    found = rows._remedy(table.astype({name: float for name in table if name != "class"}), 5)
    assert (found["name"], found["value"]) == ("grey", 0.25) and 0 == found["low"] < found["high"]
    assert found["high"] == pytest.approx(0.5)
