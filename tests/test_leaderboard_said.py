"""What a leaderboard says before its table: doubts of masks, near-duplicates, what was guessed of models."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML
from spoils import figures
from torch import nn

from bgbias.models import trained
from bgbias.photos.foreground import suspicion
from bgbias.photos.pack import crop


def test_what_was_guessed_of_a_row_s_model_is_said_by_it_and_by_the_board(board_place, run_stage, capsys):
    network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten())
    torch.jit.trace(network, torch.zeros(1, 3, 16, 16)).save(board_place / "net.pt")
    embedders = {"told": "torchscript:net.pt?input_px=16&mean=0&sd=1", "open": "torchscript:net.pt?input_px=16"}
    settings = YAML().load(board_place / "params.yaml")
    settings["leaderboard"]["embedders"] = embedders
    YAML().dump(settings, board_place / "params.yaml")
    for row in embedders:
        run_stage("leaderboard_rows", "drawn", row)
    said = [line for line in capsys.readouterr().out.splitlines() if "normalised" in line]
    assert [line.partition(": ImageNet")[0] for line in said] == [
        "drawn, open: The model's file does not tell how pictures are normalised"
    ]
    run_stage("leaderboard", "drawn")
    text = (board_place / "plots/leaderboard/drawn/table.md").read_text()
    assert text.count("The figures of open may not be the models' own: their files do not tell how") == 1
    assert "Add mean=...&sd=... to their SPECs, after ? or, where there is one, after &." in text


def test_a_row_and_the_board_say_which_photos_a_model_was_trained_on(board_place, run_stage, monkeypatch, capsys):
    """A model of another dataset of the same photos, as grocery's is of those of packages."""
    table = pd.read_csv("data/prepared/drawn/images.csv", keep_default_na=False)
    shutil.copytree("raw", "data/raw/drawn")
    shutil.copytree("raw", "data/raw/other")
    shutil.copytree("data/prepared/drawn", "data/prepared/other")
    table.assign(split=table.split.replace({"test": "train"})).to_csv("data/prepared/other/images.csv", index=False)
    monkeypatch.setenv("DVC_ROOT", str(board_place))
    trained.save(trained.new("small_resnet", 8, 16, "cosine"), board_place / "models/other/base/42")
    settings = YAML().load(board_place / "params.yaml")
    settings["leaderboard"]["embedders"] = {"learnt": "model:models/other/base/42"}
    YAML().dump(settings, board_place / "params.yaml")
    run_stage("leaderboard_rows", "drawn", "learnt")
    said = "drawn, learnt: 9 of the 9 photos are among those that the model was trained on, and it finds these better "
    assert f"{said}than new ones.\n" in capsys.readouterr().out
    run_stage("leaderboard", "drawn")
    text = (board_place / "plots/leaderboard/drawn/table.md").read_text()
    assert f"learnt: 9 of the 9 photos {said.partition('photos ')[2]}than new ones." in text


def test_attention_beside_that_of_a_finder_input_sizes_few_classes_and_the_order_are_said(
    board_place, board, run_stage
):
    assert board["doubt"] == "3 classes are too few to conclude anything: intervals over so few are too short."
    folders = [board_place / "data/leaderboard/drawn" / name for name in ("object", "background")]
    said = "Attention scores of object, which first finds the object, cannot be compared with the others'."
    for finders, others in (((True, False), said), ((True, True), ""), ((False, False), "")):
        for folder, finder in zip(folders, finders, strict=True):
            figures(lambda found, finder=finder: found | {"finder": finder})(folder / "audit.json")
        run_stage("leaderboard", "drawn")
        text = (board_place / "plots/leaderboard/drawn/table.md").read_text()
        assert ("Attention scores" in text) == bool(others) and others in text
        assert "different sizes" not in text
    other_draws = figures(lambda found: found | {"made_with": found["made_with"] | {"drawn": "x"}})
    for change in (figures(lambda found: found | {"input_px": 224}), other_draws):
        change(folders[1] / "audit.json")
    run_stage("leaderboard", "drawn")
    text = (board_place / "plots/leaderboard/drawn/table.md").read_text()
    assert (
        "Pictures are of different sizes (object 16 px, background 224 px): a difference may be owed to these." in text
    )
    assert " number their photos otherwise, and so have other draws of the backgrounds: " in text
    assert "Rows are in the order of Recall@1 swapped as estimated: that of neighbours may be chance." in text


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize(("name", "of"), [("object", ""), ("background", "background: ")])
def test_second_masks_in_doubt_are_no_second_opinion(board_place, run_stage, name, of):
    doubted = figures(lambda found: found["second_masks"]["flagged"].update(border=6))
    doubted(board_place / "data/leaderboard/drawn" / name / "audit.json")
    run_stage("leaderboard", "drawn")
    said = "Masks of a second kind, grabcut from a larger disc, are no second opinion: 6 of its 9 masks are in doubt by"
    assert f" {of}{said}" in (board_place / "plots/leaderboard/drawn/table.md").read_text()


@pytest.mark.parametrize("names", [["object"], ["background"], ["object", "background"]])
@pytest.mark.usefixtures("board")
def test_masks_in_doubt_at_the_input_of_any_row_are_said(board_place, run_stage, names):
    """Of 3 pixels of 224, the object of a mask is there for a network of that input, and not for one of 32."""
    mask = np.zeros((224, 224), np.uint8)
    mask[40:184, 110:113] = mask[110:113, 40:184] = 255
    assert [suspicion(crop(Image.fromarray(mask), px)) for px in (224, 32)] == ["", "empty"]
    doubted = figures(lambda found: found["mask_doubt"]["flagged"].update(empty=["a.jpg"] * 6))
    for name in names:
        doubted(board_place / "data/leaderboard/drawn" / name / "audit.json")
    run_stage("leaderboard", "drawn")
    text = (board_place / "plots/leaderboard/drawn/table.md").read_text()
    which = "" if "object" in names else "background: "  # the other is the first row
    assert text.count("No conclusion: 6 of 9 masks are in doubt (6 empty)") == 1
    assert f"\n\n{which}No conclusion: 6 of 9 masks are in doubt" in text


@pytest.mark.usefixtures("board")
def test_near_duplicates_are_named_as_audits_name_them(board_place, run_stage):
    file = board_place / "data/leaderboard/drawn/object/audit.json"
    table = board_place / "plots/leaderboard/drawn/table.md"
    for doubles, said in (
        (
            {"said": "2 of 9 photos are near-duplicates."},
            "too short. 2 of 9 photos are near-duplicates. All figures hold them.\n",
        ),
        (
            {"said": "2 of 9 photos are near-duplicates.", "mirrored": "4 are mirrored."},
            "2 of 9 photos are near-duplicates. 4 are mirrored. All figures hold them.\n",
        ),
        ({"said": "", "mirrored": "4 are mirrored."}, "too short. 4 are mirrored. All figures hold them.\n"),
        ({"said": ""}, ""),
        (None, ""),
    ):
        figures(lambda found, doubles=doubles: found | {"near_duplicates": doubles})(file)
        run_stage("leaderboard", "drawn")
        text = table.read_text()
        assert said in text and bool(said) == ("All figures hold them" in text)
