"""Automatic masks against hand-drawn ones: the folder of photos and masks, the command line."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from masks_by_hand import brute_force, mask
from PIL import Image

from bgbias import files
from bgbias.config import params
from bgbias.config.data import MaskMethod
from bgbias.masks import labelled, make, quality, segment

GIVEN = params.Masks(method="given", rembg_model="u2net", grabcut_px=64)


def draw(folder, name, automatic, hand, photo=None):
    """Write a photo with its hand mask and, unless None, its automatic mask."""
    folder.mkdir(parents=True, exist_ok=True)
    if photo is None:
        photo = np.full((*hand.shape, 3), 90, dtype=np.uint8)
    Image.fromarray(photo).save(folder / f"{name}_image.jpeg")
    Image.fromarray(hand).save(folder / f"{name}_mask.png")
    if automatic is not None:
        Image.fromarray(automatic).save(folder / f"{name}_mask_pred.png")


@pytest.fixture
def labels(tmp_path):
    """Three photos: IoU 1, 1/4 and 0 (an empty automatic mask)."""
    folder, hand = tmp_path / "labels", mask("0110", "0110")
    draw(folder, "10", hand, hand)
    draw(folder, "9", mask("0000", "0010"), hand)
    draw(folder, "b_image", mask("0000", "0000"), hand)
    return folder


def test_every_photo_is_compared_under_its_name(labels):
    for other in ("notes.txt", "._10_mask.png", "._10_image.jpeg", "10_image.jpeg.txt", "10_image.old.jpeg"):
        (labels / other).write_bytes(b"no picture")
    table = quality.measure(labels, GIVEN)
    assert table.columns.tolist() == ["name", *quality.MEASURES]
    assert table.name.tolist() == ["10", "9", "b_image"]
    np.testing.assert_array_equal(table.iloc[:, 1:], [[1, 1, 1], [0.25, 0.25, 1], [0, 0, np.nan]])


def test_colour_masks_are_read_as_grey(tmp_path):
    draw(tmp_path, "a", mask("11"), np.repeat(mask("10")[..., None], 3, axis=2), np.zeros((1, 2, 3), np.uint8))
    assert quality.measure(tmp_path, GIVEN).iou.tolist() == [0.5]


def test_every_method_of_the_parameters_cuts_out_but_given(monkeypatch):
    monkeypatch.setattr(segment, "grabcut", lambda *options: "grabcut")
    monkeypatch.setattr(segment, "rembg", lambda *options: "rembg")
    given, *others = (params.Masks(method=name, rembg_model="", grabcut_px=64) for name in get_args(MaskMethod))
    assert [segment.cut_out(None, options, 1) for options in others] == [options.method for options in others]
    with pytest.raises(ValueError, match="the method given cuts nothing out"):
        segment.cut_out(None, given, 1)


def test_fresh_masks_are_those_of_the_mask_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(segment, "rembg", lambda photo, model, threads: photo.convert("L"))
    disc = np.hypot(np.arange(80)[:, None] - 40, np.arange(120) - 60) < 24
    photo = np.random.default_rng(0).integers(0, 90, (80, 120, 3)) + 150 * disc[..., None]
    draw(tmp_path, "a", None, (255 * disc).astype(np.uint8), photo.astype(np.uint8))
    table = pd.DataFrame({"path": ["a_image.jpeg"], "mask_path": [""]})
    for method in ("grabcut", "rembg"):
        options = params.Masks(method=method, rembg_model="u2net", grabcut_px=64)
        make.make_masks(table, tmp_path, tmp_path / method, options, workers=1)
        made = np.asarray(Image.open(make.file_of(tmp_path / method, "a_image.jpeg")))
        found = quality.measure(tmp_path, options).iloc[0]
        assert found[list(quality.MEASURES)].to_dict() == brute_force(made, 255 * disc)
        assert found.iou > 0.8


def remove(name):
    return lambda folder: (folder / name).unlink()


def replace(name, content):
    return lambda folder: (
        (folder / name).write_bytes(content)
        if isinstance(content, bytes)
        else Image.fromarray(content).save(folder / name)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("9_mask.png"), "labels: hand mask missing: 9_mask.png: add what is missing, or remove the other files"),
        (remove("9_image.jpeg"), "labels: photo missing: 9_image.*: add what is missing, or remove"),
        (
            remove("9_mask_pred.png"),
            "labels: automatic mask missing: 9_mask_pred.png: add what is missing, or remove the other files of the "
            "same name, or choose another method",
        ),
        (replace("9_image.png", b""), "9_image.png: 9_image.jpeg is a photo of the same name: remove one of them"),
        (replace("9_mask.png", b"\x89PNG"), "9_mask.png: does not decode"),
        (replace("9_mask_pred.png", b"\x89PNG"), "9_mask_pred.png: does not decode"),
        (replace("9_mask.png", mask("0000", "0000")), "9_image.jpeg: its hand mask is empty (no pixel of 128 or more"),
        (
            replace("9_mask_pred.png", mask("010")),
            "9_image.jpeg: its hand mask has 4 x 2 pixels, its automatic mask 3 x 1: give both the size of the upright",
        ),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "labels: no NAME_image.* with NAME_mask.png in"),
        (lambda folder: folder.rename(folder.with_name("moved")), "labels is not a folder: name one with NAME_image.*"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(labels, run_stage, capsys, change, message):
    change(labels)
    out = labels.with_name("out") / "found.json"
    with pytest.raises(SystemExit) as stop:
        run_stage("mask_quality", "--labels", labels, "--out", out)
    assert stop.value.code.startswith("error: ")
    assert message in stop.value.code
    assert "\n" not in stop.value.code
    assert not out.parent.exists()
    assert not capsys.readouterr().out


def test_the_first_missing_files_are_named_and_the_others_counted(labels):
    for names, more in (("cde", ""), ("f", " and 1 more"), ("g", " and 2 more")):
        for name in names:
            draw(labels, name, None, mask("01"))
        with pytest.raises(ValueError, match=f"missing: c_mask_pred.png, d_mask_pred.png, e_mask_pred.png{more}: add"):
            labelled.find(labels, "given")
    assert len(labelled.find(labels, "grabcut")) == 8  # which needs none
    remove("g_mask.png")(labels)
    with pytest.raises(ValueError, match="hand mask missing: g_mask.png: .*same name$"):  # no method helps
        labelled.find(labels, "grabcut")


def test_the_figures_are_written_and_printed(labels, run_stage, capsys):
    out = labels.with_name("out") / "found.json"
    run_stage("mask_quality", "--labels", labels, "--out", out)
    found = files.read_json(out)[out.stem]["mask_quality"]
    assert list(found) == ["empty", "failure_rate", "images", "iou", "overlap", "precision"]
    assert (found["images"], found["empty"]) == (3, 1)
    assert found["iou"] | {"mean": 0.416667, "median": 0.25, "min": 0, "q25": 0.125, "q75": 0.625} == found["iou"]
    assert found["failure_rate"] == {"share": 0.666667, "ci_low": 0.20766, "ci_high": 0.938508}
    printed = capsys.readouterr().out
    assert "3 photos, 1 of the automatic masks empty; method given" in printed
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    assert ["", "mean", "sd", "median", "min", "q25", "q75", "95 % interval"] in rows
    assert ["IoU", "0.4167", "0.4249", "0.2500", "0.0000", "0.1250", "0.6250", "0.0000 to 1.0000"] in rows
    assert ["failure rate", "0.6667", "", "", "", "", "", "0.2077 to 0.9385"] in rows
    assert "lowest IoU: b_image (0.0000), 9 (0.2500), 10 (1.0000)" in printed


def test_the_same_masks_give_the_same_file_to_the_byte(labels, tmp_path, run_stage):
    for name in ("one", "two"):
        run_stage("mask_quality", "--labels", labels, "--out", tmp_path / name / "found.json")
    assert (tmp_path / "one/found.json").read_bytes() == (tmp_path / "two/found.json").read_bytes()


@pytest.mark.parametrize("inverted", [False, True])
def test_hand_masks_that_are_black_where_the_object_is_are_said_whatever_the_figures(
    tmp_path, run_stage, capsys, inverted
):
    for name, row in {"a": "00010000", "b": "00111000", "c": "00001100"}.items():
        hand = mask("00000000", row, row, row, "00000000")
        draw(tmp_path, name, *[255 - hand if inverted else hand] * 2)
    run_stage("mask_quality", "--labels", tmp_path, "--out", tmp_path / "found.json")
    said = "3 of 3 hand masks cover most of the photo's edge, or nearly all of it: if they are black where the object"
    assert (said in capsys.readouterr().out) == inverted


@pytest.mark.parametrize(
    ("turned", "said"),
    [
        (lambda hand: hand, []),
        (lambda hand: 255 - hand, ["cover most of the photo's edge, or nearly all of it: if they are black where"]),
        (
            lambda hand: hand // 255 * 2,
            ["have levels, but none of 128 or more, and count as empty: draw objects white"],
        ),
        (lambda hand: hand * 0, []),  # nothing was found
    ],
)
def test_given_automatic_masks_that_mean_the_object_otherwise_are_said(tmp_path, turned, said):
    """Their IoU is 0, as of masks that find nothing."""
    for name, row in {"a": "00010000", "b": "00111000", "c": "00001100"}.items():
        hand = mask("00000000", row, row, row, "00000000")
        draw(tmp_path, name, turned(hand), hand)
    found = quality.doubts(tmp_path, "given")
    assert len(found) == len(said)
    assert all(f"3 of 3 automatic masks {words}" in one for one, words in zip(found, said, strict=True))
    assert quality.doubts(tmp_path, "grabcut") == []  # does not read them


def test_undefined_precision_is_left_blank(tmp_path, run_stage, capsys):
    draw(tmp_path, "a", mask("00"), mask("01"))
    run_stage("mask_quality", "--labels", tmp_path, "--out", tmp_path / "found.json")
    assert files.read_json(tmp_path / "found.json")["found"]["mask_quality"]["precision"]["mean"] is None
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| precision")]
    assert set(row) == set("| precision")


def test_the_options_reach_the_method(labels, run_stage, monkeypatch):
    got = []

    def rembg(photo, model, threads):
        got.append((photo.size, model))
        return photo.convert("L")

    monkeypatch.setattr(segment, "rembg", rembg)
    out = labels.with_name("found.json")
    run_stage("mask_quality", "--labels", labels, "--out", out, "--method", "rembg", "--rembg-model", "net.onnx")
    assert got == [((4, 2), "net.onnx")] * 3


def test_a_network_whose_file_s_name_does_not_tell_its_content_is_refused_as_by_masks(labels, run_stage, monkeypatch):
    monkeypatch.setattr(segment, "rembg", lambda photo, model, threads: photo.convert("L"))
    network, out = labels.with_name("net.onnx"), labels.with_name("found.json")
    network.write_bytes(b"one")
    arguments = ("--labels", labels, "--out", out, "--method", "rembg", "--rembg-model")
    with pytest.raises(SystemExit, match="net.onnx: its name does not tell its content, so DVC would not see another"):
        run_stage("mask_quality", *arguments, f"u2net:{network}")
    named = network.rename(labels.with_name("net-7692c3ad.onnx"))
    run_stage("mask_quality", *arguments, named)
    named.write_bytes(b"two")
    with pytest.raises(SystemExit, match="SHA-256 begins with 3fc4ccfe, expected 7692c3ad"):
        run_stage("mask_quality", *arguments, named)


def test_an_error_names_the_option_that_mends_it(labels, run_stage):
    arguments = ("--labels", labels, "--out", labels.with_name("found.json"), "--method")
    draw(labels, "0", None, np.full((40, 60), 255, np.uint8))
    with pytest.raises(SystemExit, match="^error: GrabCut at 2 x 1 pixels: raise masks.<dataset>.grabcut_px$"):
        run_stage("mask_quality", *arguments, "grabcut", "--grabcut-px", 2)
    with pytest.raises(SystemExit, match="^error: options: grabcut_px: .* greater than or equal to 1, found 0$"):
        run_stage("mask_quality", *arguments, "grabcut", "--grabcut-px", 0)
    with pytest.raises(SystemExit, match="^error: rembg cannot use gone.onnx .*: give rembg_model .*--rembg-model. a"):
        run_stage("mask_quality", *arguments, "rembg", "--rembg-model", "gone.onnx")


def test_the_traceback_can_be_asked_for(labels, run_stage, monkeypatch):
    monkeypatch.setenv("BGBIAS_TRACEBACK", "1")
    remove("9_mask.png")(labels)
    with pytest.raises(ValueError, match="hand mask missing"):
        run_stage("mask_quality", "--labels", labels, "--out", labels.with_name("found.json"))
