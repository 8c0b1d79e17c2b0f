"""A finder through the stages: trained, exported, measured, drawn, put before another embedder."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML

from bgbias import export
from bgbias.external import spec
from bgbias.finder.network import Shape
from bgbias.models import finders, trained
from bgbias.models.embedder import embed
from bgbias.report.figures import GAP
from bgbias.report.sheets import SIDE_PX

REGIMES = ("early_masking", "base")


@pytest.fixture
def run(data, drawn_settings, tmp_path, monkeypatch, run_stage):
    """Run a stage on the drawn photos, with a finder of a few channels; stages.train is not run twice the same."""
    drawn_settings["attention"]["copies"] = 2
    drawn_settings["train"]["drawn"] |= {"batch_size": 4, "batches_per_epoch": 3, "max_epochs": 1, "embedding_dim": 8}
    drawn_settings["regime_settings"]["early_masking"]["finder"] |= {"channels": 4, "epochs": 2, "background": 0.25}
    YAML().dump(drawn_settings, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    return run_stage


def test_masks_are_found_scored_recorded_and_drawn_beside_the_attention(run, tmp_path, capsys):
    for regime in REGIMES:
        for stage in ("train", "embed", "attention"):
            run(stage, "drawn", regime, 42)
        run("evaluate", "drawn", regime)
    folders = [tmp_path / "data/attention/drawn" / regime / "42" for regime in REGIMES]
    scores, other = (pd.read_csv(folder / "scores.csv") for folder in folders)
    assert list(other) == ["image_id", "clean", "swapped"] and not (folders[1] / "mask_clean.npy").exists()
    found, base = (json.loads((tmp_path / f"metrics/evaluate/drawn/{regime}.json").read_text()) for regime in REGIMES)
    assert "mask_iou" not in base["drawn"]["base"]
    for view in ("clean", "swapped"):
        masks = np.load(folders[0] / f"mask_{view}.npy")
        assert masks.dtype == np.uint8 and masks.shape == np.load(folders[0] / f"{view}.npy").shape
        recorded = found["drawn"]["early_masking"]["mask_iou"][view]
        assert recorded["mean"] == pytest.approx(scores[f"iou_{view}"].mean(), abs=1e-5) and 0 <= recorded["mean"] <= 1
    assert "drawn, early_masking: IoU of the found masks 0." in capsys.readouterr().out
    models = [Path("models/drawn") / regime / "42" for regime in REGIMES]
    run("figure2", "drawn", "--images", scores.image_id[0], "--models", *models, "--out", "figure2.png")
    narrow = Path("narrow.png")
    run("figure2", "drawn", "--images", scores.image_id[0], "--models", models[1], "--out", narrow)
    added = 2 * (1 + 1)  # in each view the finder's network's attention, and its mask
    assert Image.open("figure2.png").width - Image.open(narrow).width == added * (SIDE_PX + GAP)


def test_a_finder_alone_is_trained_and_put_before_another_embedder(run, tmp_path, capsys):
    run("finder", "drawn", "early_masking", 42, "--out", "finders/drawn")
    assert finders.load(tmp_path / "finders/drawn").shape == Shape(4, 128, True, background=0.25)
    assert "finder: IoU on validation photos 0." in capsys.readouterr().out
    torch.manual_seed(0)
    trained.save(trained.new("small_resnet", 8, 16, "cosine"), tmp_path / "model")
    command = ("remedies", "--dataset", "drawn", "--embedder", "model:model", "--out")
    run(*command, "with.json", "--finder", "finders/drawn")
    run(*command, "without.json")
    found, before = (json.loads((tmp_path / name).read_text()) for name in ("with.json", "without.json"))
    added = set(found["with"]["remedies"]) - set(before["without"]["remedies"])
    assert added == {"found_grey_both", "found_grey_crop_both"}
    assert not any(found["with"]["remedies"][name]["needs_mask"] for name in added)
    for name, remedy in before["without"]["remedies"].items():
        assert found["with"]["remedies"][name]["swapped"] == remedy["swapped"]


@pytest.mark.parametrize("network", ["small_resnet", "bn_inception"])
@pytest.mark.parametrize(("zoom", "encoder"), [(False, None), (True, None), (True, "small_resnet")])
def test_the_onnx_file_embeds_pictures_as_the_model_does(run, tmp_path, capsys, network, zoom, encoder):
    torch.manual_seed(0)
    finder = finders.make(Shape(4, 32, zoom, encoder, background=0.25))
    trained.save(trained.new(network, 8, 64, "cosine", finder=finder), tmp_path / "model")
    run("export", "--model", "model", "--out", "net.onnx")
    assert "'onnx:net.onnx?mean=0&sd=1'" in capsys.readouterr().out
    pictures = torch.randint(0, 256, (5, 3, 64, 64), dtype=torch.uint8)
    own, exported = (spec.load(name) for name in ("model:model", "onnx:net.onnx?mean=0&sd=1"))
    assert exported.input_px == 64
    assert torch.allclose(embed(exported, [pictures], range(5)), embed(own, [pictures], range(5)), atol=1e-5)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda whole, pictures: whole.embedder(pictures), "embeds random pictures otherwise, by "),  # not normalised
        (lambda whole, pictures: whole.embedder(pictures) / 0 * 0, "embeds random pictures otherwise, by nan"),
        (lambda whole, pictures: whole.embedder(pictures).reshape(2, -1), "the ONNX file that it gives does not run"),
    ],
)
def test_an_onnx_file_that_embeds_otherwise_is_not_written(run, tmp_path, monkeypatch, forward, message):
    monkeypatch.setattr(export._OfPictures, "forward", forward)
    trained.save(trained.new("small_resnet", 8, 16, "cosine"), tmp_path / "model")
    with pytest.raises(SystemExit, match=f"^error: model: .*{message}"):
        run("export", "--model", "model", "--out", "exported/net.onnx")
    assert not list(tmp_path.glob("exported/*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("finder", "drawn", "base", 42, "--out", "f"), "regime_settings.base has no finder: give one that has .early"),
        (("export", "--model", "none", "--out", "net.onnx"), "none: no model here"),
        (
            ("remedies", "--dataset", "drawn", "--embedder", "small_resnet", "--out", "r.json", "--finder", "none"),
            "none: no finder here",
        ),
    ],
)
def test_a_mistake_is_one_line(run, arguments, message):
    with pytest.raises(SystemExit, match=f"^error: {message}"):
        run(*arguments)
