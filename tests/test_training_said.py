"""What the stage train says of settings before it trains."""

import dataclasses
from types import SimpleNamespace

from pytorch_metric_learning import losses as pml

from bgbias.config import read
from bgbias.training import losses
from stages import train

SETTINGS = read.load()


def test_enlarged_crops_and_frozen_statistics_of_no_photos_are_said(
    data, geometry, options, monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(data.parent)
    odd = [
        "drawn, base: crops of 20 px are enlarged to the network's 32: raise short_side_px and crop_px (images.drawn)",
        "drawn, base: freeze_batch_norm keeps statistics that came with no weights, as these are scratch: set it to",
    ]
    for input_px, frozen in ((16, False), (32, True)):
        blocks = {
            "images": {"drawn": dataclasses.replace(geometry, input_px=input_px)},
            "train": {"drawn": dataclasses.replace(options, max_epochs=1, freeze_batch_norm=frozen)},
        }
        train.main(SimpleNamespace(**vars(SETTINGS) | blocks), "drawn", "base", 1)
        printed = capsys.readouterr().out
        assert [said in printed for said in odd] == [frozen, frozen]


def test_a_distance_that_attention_maps_do_not_explain_is_said(data, geometry, options, monkeypatch, capsys):
    monkeypatch.chdir(data.parent)
    monkeypatch.setitem(losses.LOSSES, "triplet", lambda settings, classes, dim: pml.FastAPLoss())
    blocks = {"images": {"drawn": geometry}, "train": {"drawn": dataclasses.replace(options, max_epochs=1)}}
    train.main(SimpleNamespace(**vars(SETTINGS) | blocks | {"loss": "triplet"}), "drawn", "base", 1)
    said = "drawn, base: attention maps explain the euclidean distance, not the LpDistance (p 2, power 2) of FastAPLoss"
    assert f"{said} (losses.triplet)\n" in capsys.readouterr().out
