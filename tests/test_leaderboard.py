"""The leaderboard on drawn photos, of embedders whose figures are known: one sees the object, one the background."""

import json
import shutil

import pandas as pd
import pytest
from drawn_board import ROWS
from PIL import Image
from spoils import figures

from bgbias.errors import InputError
from bgbias.leaderboard import rows, shown


def test_the_board_tells_what_each_embedder_sees(board, board_place):
    seen, blind = board["rows"]["object"], board["rows"]["background"]
    assert (seen["clean"]["value"], seen["swapped"]["value"], seen["drop"]["value"]) == (1, 1, 0)
    assert seen["conflict"]["value"] == 0 and blind["conflict"]["value"] == 1
    assert blind["drop"]["value"] == pytest.approx(blind["clean"]["value"] - blind["swapped"]["value"], abs=1e-5)
    assert seen["less_first"] is None and board["first"] == "object"
    for measure in ("clean", "swapped", "drop"):
        difference = blind[measure]["value"] - seen[measure]["value"]
        assert blind["less_first"][measure]["difference"] == pytest.approx(difference, abs=1e-5)
    assert seen["attention"]["value"] > 0.9 > 0 > blind["attention"]["value"]
    assert seen["second"]["drop"]["value"] == 0 and board["second_masks"] == "grabcut from a larger disc"
    queries = (board_place / "data/leaderboard/drawn/object/queries.csv").read_text().splitlines()[1:]
    assert (board["photos"], board["classes"]) == (len(queries), 3)


def test_the_table_has_the_best_first_and_the_picture_can_be_read_at_800_px(board, board_place):
    assert [row["embedder"] for _, row in shown.table(board).iterrows()] == ["object", "background"]
    text = (board_place / "plots/leaderboard/drawn/table.md").read_text()
    assert "| object     |            100.0 |              100.0 |" in text
    assert shown.table(board)["object decides"].to_list() == ["100.0 (100.0 to 100.0)", "0.0 (0.0 to 0.0)"]
    assert shown.notes(board | {"doubt": "No conclusion."}).startswith("No conclusion.\n\n9 photos")
    assert f"guessing finds {100 * board['chance']:.1f} %. Figures are in percent, but for attention; " in text
    assert f"{board['photos']} photos of 3 classes; masks: grabcut, and grabcut from a larger disc" in text
    assert 700 <= Image.open(board_place / "plots/leaderboard/drawn/clean_swapped.png").size[0] <= 900


def test_objects_alone_leave_least_to_lose_on_the_best_colour(board, board_place):
    folder = board_place / "data/leaderboard/drawn/background"
    views = json.loads((folder / "audit.json").read_text())["views"]
    remedy = board["rows"]["background"]["remedy"]
    alone = {name: views[f"foreground_{name}"]["recall_at_1"]["value"] for name in ("black", "grey", "mean")}
    assert remedy["name"] == max(alone, key=alone.get)
    assert remedy["value"] == pytest.approx(views["clean"]["recall_at_1"]["value"] - max(alone.values()), abs=1e-5)


def test_a_row_whose_embedder_has_changed_since_is_refused(board, board_place, run_stage):
    file = board_place / "embedders.py"
    file.write_text(file.read_text().replace("0.4", "0.3"))
    mend = r"measure it again: `dvc repro -f leaderboard_rows@drawn-object`: .*embedders.py"
    with pytest.raises(SystemExit, match=f"error: row object: changed since it was measured; {mend}"):
        run_stage("leaderboard", "drawn")


@pytest.mark.usefixtures("board")
def test_in_another_clone_a_row_is_held_to_the_file_of_that_clone(
    board_place, run_stage, tmp_path_factory, monkeypatch
):
    """DVC brings rows to it; they named the file by its place in the first one, which had not changed."""
    other = tmp_path_factory.mktemp("other") / "clone"
    shutil.copytree(board_place, other, symlinks=True)
    monkeypatch.chdir(other)
    run_stage("leaderboard", "drawn")
    file = other / "embedders.py"
    file.write_text(file.read_text().replace("0.4", "0.3"))
    with pytest.raises(SystemExit, match="error: row object: changed since it was measured; .*: embedders.py"):
        run_stage("leaderboard", "drawn")


@pytest.mark.usefixtures("board")
def test_a_row_that_names_another_embedder_than_was_measured_is_refused(board_place, run_stage):
    file = board_place / "params.yaml"
    file.write_text(file.read_text().replace("embedders:object_alone", "embedders:another"))
    said = "error: row object: python:embedders:object_alone was measured, params.yaml has python:embedders:another"
    with pytest.raises(SystemExit, match=said):
        run_stage("leaderboard", "drawn")


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize("other", [{"kind": "isnet"}, {"mark": "9f"}])
def test_figures_are_those_that_the_audits_hold_and_second_masks_of_two_kinds_have_no_columns(board_place, other):
    folders = {name: board_place / "data/leaderboard/drawn" / name for name in ROWS}
    written = json.loads((folders["object"] / "audit.json").read_text())
    score, second = written["attention"]["clean"]["score"], written["second_masks"]
    score["value"], second["drop"]["recall_at_1"]["value"], written["chance"]["recall_at_1"] = 0.123, 0.456, 0.789
    written["mask_doubt"]["flagged"]["border"] = ["a.jpg"] * 6
    second |= other
    (folders["object"] / "audit.json").write_text(json.dumps(written))
    made = rows.board(folders, 7)
    row = made["rows"]["object"]
    assert (row["attention"], row["second"]["drop"]) == (score, second["drop"]["recall_at_1"])
    assert made["chance"] == 0.789 and made["doubt"].startswith("No conclusion: 6 of 9 masks are in doubt (6 border)")
    assert made["second_masks"] is None and not [name for name in shown.table(made) if name.startswith("swapped,")]


def test_finished_audits_of_any_photos_make_a_table_of_their_own(board, board_place, run_stage):
    folders = [board_place / "data/leaderboard/drawn" / row for row in ("background", "object")]
    run_stage("leaderboard", "shop", "--audits", *folders)
    of_audits = json.loads((board_place / "metrics/leaderboard/shop.json").read_text())["shop"]["leaderboard"]
    assert of_audits["first"] == "background" and of_audits["rows"]["object"]["drop"] == board["rows"]["object"]["drop"]


@pytest.mark.usefixtures("board")
def test_a_table_of_audits_that_would_be_lost_is_refused(board_place, run_stage):
    folders = [board_place / "data/leaderboard/drawn" / row for row in ("object", "background")]
    table = board_place / "metrics/leaderboard/shop.json"
    run_stage("leaderboard", "shop", "--audits", folders[0])
    run_stage("leaderboard", "shop", "--audits", *folders)  # a row more
    run_stage("leaderboard", "shop", "--audits", *folders[::-1])
    before = table.read_text()
    lost = "shop.json holds what this table does not; choose another name, or add --replace to lose it"
    with pytest.raises(SystemExit, match=f"{lost}: row background of python:embedders:background_alone$"):
        run_stage("leaderboard", "shop", "--audits", folders[0])
    audit = folders[0] / "audit.json"
    kept = audit.read_text()
    figures(lambda found: found | {"embedder": "onnx:b"})(audit)
    with pytest.raises(SystemExit, match=f"{lost}: row object of python:embedders:object_alone$"):
        run_stage("leaderboard", "shop", "--audits", *folders)
    audit.write_text(kept)
    figures(lambda found: found | {"masks": "isnet"})(audit)
    with pytest.raises(SystemExit, match=f"{lost}: masks grabcut instead of isnet$"):
        run_stage("leaderboard", "shop", "--audits", *folders)
    assert table.read_text() == before
    table.write_text("{}")
    with pytest.raises(SystemExit, match="shop.json: holds no shop: choose another name, or add --replace to lose it"):
        run_stage("leaderboard", "shop", "--audits", *folders)
    run_stage("leaderboard", "shop", "--audits", folders[0], "--replace")
    assert list(json.loads(table.read_text())["shop"]["leaderboard"]["rows"]) == ["object"]


def test_audits_without_attention_are_taken(board, board_place, run_stage):
    without = figures(lambda found: {name: of for name, of in found.items() if name != "attention"})
    without(board_place / "data/leaderboard/drawn/object/audit.json")
    run_stage("leaderboard", "drawn")
    made = json.loads((board_place / "metrics/leaderboard/drawn.json").read_text())["drawn"]["leaderboard"]
    assert made["rows"]["object"]["attention"] is None and made["rows"]["background"]["attention"] is not None


@pytest.mark.usefixtures("board")
def test_rows_that_cannot_be_compared_are_refused_whichever_is_first(board_place):
    folders = {row: board_place / "data/leaderboard/drawn" / row for row in ROWS}
    for folder in folders.values():
        file, text = folder / "audit.json", (folder / "audit.json").read_text()
        described = json.loads(text)
        made_with = described["made_with"]
        other_masks = {"audited": made_with["audited"] | {"masks": "x"}}
        for changes, words in (
            ({"made_with": made_with | other_masks}, "differ in masks: measure both anew, alike"),
            ({"made_with": {"masks": made_with["masks"]}}, "holds no made_with.photos: run `dvc repro leaderboard`"),
            ({"sample": {}, "made_with": made_with | {"queries": "x"}}, f"--one-each .* no gallery; .*: {folder}$"),
            ({"gap": None}, "holds no gap.recall_at_1: run `dvc repro leaderboard`"),
        ):
            file.write_text(json.dumps(described | changes))
            with pytest.raises((InputError, FileNotFoundError), match=words):
                rows.board(folders, 7)
        file.write_text(json.dumps(described | {"made_with": made_with | {"second_backgrounds": "x"}}))
        assert set(rows.board(folders, 7)["rows"]) == set(ROWS)  # no figure of the table is by these
        file.write_text(text)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("leaderboard_rows drawn objct", "unknown row 'objct'; close to it is object"),
        ("leaderboard_rows demo object", "unknown dataset of leaderboard 'demo'; known is drawn"),
        ("leaderboard demo", "unknown dataset of leaderboard 'demo'; known is drawn"),
        ("leaderboard drawn", "data/leaderboard/drawn/object/audit.json: no such file: run `dvc repro leaderboard`"),
        ("leaderboard ../shop --audits a b", r"leaderboard.../shop: name it with letters"),
        ("leaderboard shop --audits a/x b/x", "folders' names .'x', 'x'.: name each once"),
        ("leaderboard drawn --audits a", "drawn: params.yaml has a leaderboard of this name: choose another"),
        ("leaderboard shop --audits gone", "gone/audit.json: no such file: run `dvc repro leaderboard`"),
    ],
)
@pytest.mark.usefixtures("board_place")
def test_what_is_not_there_is_named(run_stage, command, words):
    with pytest.raises(SystemExit, match=words):
        run_stage(*command.split())


def test_options_of_a_dataset_leave_out_attention_and_second_masks(board_place, run_stage):
    file = board_place / "params.yaml"
    few = "drawn:\n      no_attention: true\n      second_masks: none\n"
    file.write_text(file.read_text().replace("drawn: {}\n", few))
    run_stage("leaderboard_rows", "drawn", "object")
    found = rows.board({"object": board_place / "data/leaderboard/drawn/object"}, 7)
    assert found["second_masks"] is None and found["rows"]["object"]["second"] is None
    assert found["rows"]["object"]["attention"] is None and shown.table(found).attention[0] == ""


def test_masks_must_be_there(board_place, run_stage):
    (board_place / "data/masks/drawn/packed/shapes.npy").unlink()
    with pytest.raises(SystemExit, match="data/masks/drawn/packed/shapes.npy: no such file: run the stage again"):
        run_stage("leaderboard_rows", "drawn", "object")


def test_one_class_is_refused(board_place, run_stage):
    images = board_place / "data/prepared/drawn/images.csv"
    table = pd.read_csv(images)
    kept = ~table.split.eq("test") | table.class_name.eq(table.class_name[table.split.eq("test")].iloc[0])
    table.assign(split=table.split.where(kept, "val")).to_csv(images, index=False)
    with pytest.raises(SystemExit, match="all photos are of one class"):
        run_stage("leaderboard_rows", "drawn", "object")


def test_a_figure_without_interval_or_value_is_written_without():
    assert shown.percent({"value": None, "low": None, "high": None}) == ""
    assert shown.percent({"difference": -0.00001, "low": None, "high": None}, "+") == "+0.0"


def test_families_go_by_training_before_architecture():
    specs = (
        "timm:vit_base_patch16_clip_224.openai",
        "timm:vit_base_patch16_siglip_224.webli",
        "onnx:a.onnx?input_px=3",
    )
    assert [shown.family(spec) for spec in specs] == ["clip", "siglip", "onnx"]
