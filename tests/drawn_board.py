"""A leaderboard of drawn photos and two embedders whose figures are known: one sees objects, one backgrounds."""

import json
import sys

import pytest
from ruamel.yaml import YAML

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
def board_place(data, drawn_settings, tmp_path, monkeypatch):
    """A folder with params.yaml for the drawn photos, and two embedders."""
    drawn_settings["attention"]["copies"] = 2
    drawn_settings["leaderboard"] = {"datasets": {"drawn": {}}, "embedders": ROWS}
    YAML().dump(drawn_settings, tmp_path / "params.yaml")
    (tmp_path / "embedders.py").write_text(EMBEDDERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "embedders", raising=False)  # that of another test's folder
    return tmp_path


@pytest.fixture
def board(board_place, run_stage):
    """What the two stages write."""
    for row in ROWS:
        run_stage("leaderboard_rows", "drawn", row)
    run_stage("leaderboard", "drawn")
    return json.loads((board_place / "metrics/leaderboard/drawn.json").read_text())["drawn"]["leaderboard"]
