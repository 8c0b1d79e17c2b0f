"""The leaderboard on drawn photos, of embedders whose figures are known: one sees the object, one the background."""

import json
import runpy
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML
from torch import nn

from bgbias.errors import InputError
from bgbias.leaderboard import rows, shown
from bgbias.models import trained
from bgbias.photos.foreground import suspicion
from bgbias.photos.pack import crop
from stages import leaderboard, leaderboard_rows

EMBEDDERS = """
import torch
from torch import nn

class Sees(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
    def forward(self, images):
        return nn.functional.normalize(self.function(images) - 0.4)

def object_alone():
    return Sees(lambda images: images[:, :, 7:9, 7:9].mean((2, 3))), 16, (0, 0, 0), (1, 1, 1)

def background_alone():
    return Sees(lambda images: images[:, :, ::15, ::15].flatten(1).double()), 16, (0, 0, 0), (1, 1, 1)
"""
ROWS = {"object": "python:embedders:object_alone", "background": "python:embedders:background_alone"}


@pytest.fixture
def workplace(data, drawn_settings, tmp_path, monkeypatch):
    """A folder with params.yaml for the drawn photos, and two embedders."""
    drawn_settings["attention"]["copies"] = 2
    drawn_settings["leaderboard"] = {"datasets": {"drawn": {}}, "embedders": ROWS}
    YAML().dump(drawn_settings, tmp_path / "params.yaml")
    (tmp_path / "embedders.py").write_text(EMBEDDERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "embedders", raising=False)  # that of another test's folder
    return tmp_path


def run(monkeypatch, stage, *arguments):
    monkeypatch.setattr(sys, "argv", [stage.__name__, *map(str, arguments)])
    runpy.run_path(stage.__file__, run_name="__main__")


@pytest.fixture
def found(workplace, monkeypatch):
    """What the two stages write."""
    for row in ROWS:
        run(monkeypatch, leaderboard_rows, "drawn", row)
    run(monkeypatch, leaderboard, "drawn")
    return json.loads((workplace / "metrics/leaderboard/drawn.json").read_text())["drawn"]["leaderboard"]


def test_the_board_tells_what_each_embedder_sees(found, workplace):
    seen, blind = found["rows"]["object"], found["rows"]["background"]
    assert (seen["clean"]["value"], seen["swapped"]["value"], seen["drop"]["value"]) == (1, 1, 0)
    assert seen["conflict"]["value"] == 0 and blind["conflict"]["value"] == 1
    assert blind["drop"]["value"] == pytest.approx(blind["clean"]["value"] - blind["swapped"]["value"], abs=1e-5)
    assert seen["less_first"] is None and found["first"] == "object"
    for measure in ("clean", "swapped", "drop"):
        difference = blind[measure]["value"] - seen[measure]["value"]
        assert blind["less_first"][measure]["difference"] == pytest.approx(difference, abs=1e-5)
    assert seen["attention"]["value"] > 0.9 > 0 > blind["attention"]["value"]
    assert seen["second"]["drop"]["value"] == 0 and found["second_masks"] == "grabcut from a larger disc"
    queries = (workplace / "data/leaderboard/drawn/object/queries.csv").read_text().splitlines()[1:]
    assert (found["photos"], found["classes"]) == (len(queries), 3)


def test_the_table_has_the_best_first_and_the_picture_can_be_read_at_800_px(found, workplace):
    assert [row["embedder"] for _, row in shown.table(found).iterrows()] == ["object", "background"]
    text = (workplace / "plots/leaderboard/drawn/table.md").read_text()
    assert "| object     |            100.0 |              100.0 |" in text
    assert shown.table(found)["object decides"].to_list() == ["100.0 (100.0 to 100.0)", "0.0 (0.0 to 0.0)"]
    assert shown.notes(found | {"doubt": "No conclusion."}).startswith("No conclusion.\n\n9 photos")
    assert f"{found['photos']} photos of 3 classes; masks: grabcut, and grabcut from a larger disc" in text
    assert 700 <= Image.open(workplace / "plots/leaderboard/drawn/clean_swapped.png").size[0] <= 900


def test_objects_alone_leave_least_to_lose_on_the_best_colour(found, workplace):
    folder = workplace / "data/leaderboard/drawn/background"
    views = json.loads((folder / "audit.json").read_text())["views"]
    remedy = found["rows"]["background"]["remedy"]
    alone = {name: views[f"foreground_{name}"]["recall_at_1"]["value"] for name in ("black", "grey", "mean")}
    assert remedy["name"] == max(alone, key=alone.get)
    assert remedy["value"] == pytest.approx(views["clean"]["recall_at_1"]["value"] - max(alone.values()), abs=1e-5)


def test_a_row_whose_embedder_has_changed_since_is_refused(found, workplace, monkeypatch):
    file = workplace / "embedders.py"
    file.write_text(file.read_text().replace("0.4", "0.3"))
    mend = r"measure it again: `dvc repro -f leaderboard_rows@drawn-object`: .*embedders.py"
    with pytest.raises(SystemExit, match=f"error: row object: changed since it was measured; {mend}"):
        run(monkeypatch, leaderboard, "drawn")


@pytest.mark.usefixtures("found")
def test_a_row_that_names_another_embedder_than_was_measured_is_refused(workplace, monkeypatch):
    file = workplace / "params.yaml"
    file.write_text(file.read_text().replace("embedders:object_alone", "embedders:another"))
    said = "error: row object: python:embedders:object_alone was measured, params.yaml has python:embedders:another"
    with pytest.raises(SystemExit, match=said):
        run(monkeypatch, leaderboard, "drawn")


def test_what_was_guessed_of_a_row_s_model_is_said_by_it_and_by_the_board(workplace, monkeypatch, capsys):
    network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten())
    torch.jit.trace(network, torch.zeros(1, 3, 16, 16)).save(workplace / "net.pt")
    embedders = {"told": "torchscript:net.pt?input_px=16&mean=0&sd=1", "open": "torchscript:net.pt?input_px=16"}
    settings = YAML().load(workplace / "params.yaml")
    settings["leaderboard"]["embedders"] = embedders
    YAML().dump(settings, workplace / "params.yaml")
    for row in embedders:
        run(monkeypatch, leaderboard_rows, "drawn", row)
    said = [line for line in capsys.readouterr().out.splitlines() if "normalised" in line]
    assert [line.partition(": ImageNet")[0] for line in said] == [
        "drawn, open: The model's file does not tell how pictures are normalised"
    ]
    run(monkeypatch, leaderboard, "drawn")
    text = (workplace / "plots/leaderboard/drawn/table.md").read_text()
    assert text.count("Perhaps not the models' own are the figures of open: their files do not tell how") == 1


def test_a_row_says_which_photos_its_model_was_trained_on(workplace, monkeypatch, capsys):
    """A model of another dataset of the same photos, as grocery's is of those of packages."""
    table = pd.read_csv("data/prepared/drawn/images.csv", keep_default_na=False)
    shutil.copytree("raw", "data/raw/drawn")
    shutil.copytree("raw", "data/raw/other")
    shutil.copytree("data/prepared/drawn", "data/prepared/other")
    table.assign(split=table.split.replace({"test": "train"})).to_csv("data/prepared/other/images.csv", index=False)
    monkeypatch.setenv("DVC_ROOT", str(workplace))
    trained.save(trained.new("small_resnet", 8, 16, "cosine"), workplace / "models/other/base/42")
    settings = YAML().load(workplace / "params.yaml")
    settings["leaderboard"]["embedders"] = {"learnt": "model:models/other/base/42"}
    YAML().dump(settings, workplace / "params.yaml")
    run(monkeypatch, leaderboard_rows, "drawn", "learnt")
    said = "drawn, learnt: 9 of the 9 photos are among those that the model was trained on, and it finds these better "
    assert f"{said}than new ones.\n" in capsys.readouterr().out


@pytest.mark.usefixtures("found")
def test_second_masks_in_doubt_are_no_second_opinion(workplace, monkeypatch):
    file = workplace / "data/leaderboard/drawn/object/audit.json"
    written = json.loads(file.read_text())
    written["second_masks"]["flagged"] |= {"border": 6}
    file.write_text(json.dumps(written))
    run(monkeypatch, leaderboard, "drawn")
    said = "Masks of a second kind, grabcut from a larger disc, are no second opinion: 6 of its 9 masks are in doubt by"
    assert said in (workplace / "plots/leaderboard/drawn/table.md").read_text()


@pytest.mark.parametrize("names", [["object"], ["background"], ["object", "background"]])
@pytest.mark.usefixtures("found")
def test_masks_in_doubt_at_the_input_of_any_row_are_said(workplace, monkeypatch, names):
    """Of 3 pixels of 224, the object of a mask is there for a network of that input, and not for one of 32."""
    mask = np.zeros((224, 224), np.uint8)
    mask[40:184, 110:113] = mask[110:113, 40:184] = 255
    assert [suspicion(crop(Image.fromarray(mask), px)) for px in (224, 32)] == ["", "empty"]
    for name in names:
        file = workplace / "data/leaderboard/drawn" / name / "audit.json"
        written = json.loads(file.read_text())
        written["mask_doubt"]["flagged"]["empty"] = ["a.jpg"] * 6
        file.write_text(json.dumps(written))
    run(monkeypatch, leaderboard, "drawn")
    text = (workplace / "plots/leaderboard/drawn/table.md").read_text()
    which = "" if "object" in names else "background: "  # the other is the first row
    assert text.count("No conclusion: 6 of 9 masks are in doubt (6 empty)") == 1
    assert f"\n\n{which}No conclusion: 6 of 9 masks are in doubt" in text


@pytest.mark.usefixtures("found")
def test_near_duplicates_are_named_as_audits_name_them(workplace, monkeypatch):
    file = workplace / "data/leaderboard/drawn/object/audit.json"
    written, table = json.loads(file.read_text()), workplace / "plots/leaderboard/drawn/table.md"
    for doubles, said in (
        (
            {"said": "2 of 9 photos are near-duplicates."},
            "\n\n2 of 9 photos are near-duplicates. All figures hold them.\n",
        ),
        ({"said": ""}, ""),
        (None, ""),
    ):
        file.write_text(json.dumps(written | {"near_duplicates": doubles}))
        run(monkeypatch, leaderboard, "drawn")
        text = table.read_text()
        assert said in text and bool(said) == ("All figures hold them" in text)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("other", [{"kind": "isnet"}, {"mark": "9f"}])
def test_figures_are_those_that_the_audits_hold_and_second_masks_of_two_kinds_have_no_columns(workplace, other):
    folders = {name: workplace / "data/leaderboard/drawn" / name for name in ROWS}
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


def test_finished_audits_of_any_photos_make_a_table_of_their_own(found, workplace, monkeypatch):
    folders = [workplace / "data/leaderboard/drawn" / row for row in ("background", "object")]
    run(monkeypatch, leaderboard, "shop", "--audits", *folders)
    of_audits = json.loads((workplace / "metrics/leaderboard/shop.json").read_text())["shop"]["leaderboard"]
    assert of_audits["first"] == "background" and of_audits["rows"]["object"]["drop"] == found["rows"]["object"]["drop"]


def test_audits_without_attention_are_taken(found, workplace, monkeypatch):
    file = workplace / "data/leaderboard/drawn/object/audit.json"
    written = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in written.items() if key != "attention"}))
    run(monkeypatch, leaderboard, "drawn")
    made = json.loads((workplace / "metrics/leaderboard/drawn.json").read_text())["drawn"]["leaderboard"]
    assert made["rows"]["object"]["attention"] is None and made["rows"]["background"]["attention"] is not None


@pytest.mark.usefixtures("found")
def test_rows_that_cannot_be_compared_are_refused_whichever_is_first(workplace):
    folders = {row: workplace / "data/leaderboard/drawn" / row for row in ROWS}
    for folder in folders.values():
        file, text = folder / "audit.json", (folder / "audit.json").read_text()
        described = json.loads(text)
        made_with = described["made_with"]
        for changes, words in (
            ({"made_with": made_with | {"masks": "x"}}, "differ in masks: measure both anew, alike"),
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
    ("stage", "arguments", "words"),
    [
        (leaderboard_rows, ["drawn", "objct"], "unknown row 'objct'; close to it is object"),
        (leaderboard_rows, ["demo", "object"], "unknown dataset of leaderboard 'demo'; known is drawn"),
        (leaderboard, ["demo"], "unknown dataset of leaderboard 'demo'; known is drawn"),
        (leaderboard, ["drawn"], "data/leaderboard/drawn/object/audit.json: no such file: run `dvc repro leaderboard`"),
        (leaderboard, ["../shop", "--audits", "a", "b"], r"leaderboard.../shop: name it with letters"),
        (leaderboard, ["shop", "--audits", "a/x", "b/x"], "folders' names .'x', 'x'.: name each once"),
        (leaderboard, ["drawn", "--audits", "a"], "drawn: params.yaml has a leaderboard of this name: choose another"),
        (leaderboard, ["shop", "--audits", "gone"], "gone/audit.json: no such file: run `dvc repro leaderboard`"),
    ],
)
@pytest.mark.usefixtures("workplace")
def test_what_is_not_there_is_named(monkeypatch, stage, arguments, words):
    with pytest.raises(SystemExit, match=words):
        run(monkeypatch, stage, *arguments)


def test_options_of_a_dataset_leave_out_attention_and_second_masks(workplace, monkeypatch):
    file = workplace / "params.yaml"
    few = "drawn:\n      no_attention: true\n      second_masks: none\n"
    file.write_text(file.read_text().replace("drawn: {}\n", few))
    run(monkeypatch, leaderboard_rows, "drawn", "object")
    found = rows.board({"object": workplace / "data/leaderboard/drawn/object"}, 7)
    assert found["second_masks"] is None and found["rows"]["object"]["second"] is None
    assert found["rows"]["object"]["attention"] is None and shown.table(found).attention[0] == ""


def test_masks_must_be_there(workplace, monkeypatch):
    (workplace / "data/masks/drawn/packed/shapes.npy").unlink()
    with pytest.raises(SystemExit, match="data/masks/drawn/packed/shapes.npy: no such file: run the stage again"):
        run(monkeypatch, leaderboard_rows, "drawn", "object")


def test_one_class_is_refused(workplace, monkeypatch):
    images = workplace / "data/prepared/drawn/images.csv"
    table = pd.read_csv(images)
    kept = ~table.split.eq("test") | table.class_name.eq(table.class_name[table.split.eq("test")].iloc[0])
    table.assign(split=table.split.where(kept, "val")).to_csv(images, index=False)
    with pytest.raises(SystemExit, match="all photos are of one class"):
        run(monkeypatch, leaderboard_rows, "drawn", "object")


def test_a_figure_without_interval_or_value_is_written_without():
    assert shown.percent({"value": None, "low": None, "high": None}) == ""
    assert shown.percent({"difference": -0.00001, "low": None, "high": None}, "+") == "+0.0"


def test_families_go_by_training_before_architecture():
    specs = (
        "timm:vit_base_patch16_clip_224.openai",
        "timm:vit_base_patch16_siglip_224.webli",
        "onnx:a.onnx?input_px=3",
    )
    assert [rows.family(spec) for spec in specs] == ["clip", "siglip", "onnx"]
