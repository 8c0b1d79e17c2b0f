"""docs/leaderboard.md, followed to the letter on a small demo; the networks that it names, without their weights."""

import json
import re

import pytest
from ruamel.yaml import YAML
from small_checkout import ROOT, Checkout

from bgbias.external import spec

DOCS = (ROOT / "docs/leaderboard.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCS, re.DOTALL)
COMMAND = re.search(r"^    (dvc repro .*)$", DOCS, re.MULTILINE)[1].split()
TIMM = re.findall(r"`\w+: (timm:[\w.]+)", DOCS)
TORCHVISION = re.findall(r"`\w+: (torchvision:\w+)", DOCS)


@pytest.mark.pipeline
def test_a_model_is_added_by_one_line_and_one_command(tmp_path):
    checkout = Checkout(tmp_path)
    (_, first), (_, line), (_, module) = BLOCKS
    checkout.set("", YAML().load(first))
    checkout.run(*COMMAND)
    file = checkout.folder / "metrics/leaderboard/demo.json"
    before = json.loads(file.read_text())["demo"]["leaderboard"]
    assert list(before["rows"]) == sorted(["colour_histogram", "hog", "untrained"])
    assert before["first"] == "colour_histogram" and before["rows"]["untrained"]["attention"]["value"] is not None
    (checkout.folder / "my_model.py").write_text(module)
    [(name, model)] = YAML().load(line).items()
    checkout.set("leaderboard.embedders", {name: model})
    printed = checkout.run(*COMMAND)
    assert re.findall(r"Running stage '(.*)'", printed) == ["leaderboard_rows@demo-mine", "leaderboard@demo"]
    after = json.loads(file.read_text())["demo"]["leaderboard"]
    assert after["rows"].pop("mine")["less_first"]
    assert "mine 32 px" in after.pop("doubt") and "mine" not in before.pop("doubt")
    assert after == before


@pytest.mark.parametrize("name", TORCHVISION)
def test_networks_of_torchvision_that_the_docs_name_can_be_built(name):
    assert spec.load(f"{name}?input_px=32").card.embedding_dim > 100


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_networks_of_timm_that_the_docs_name_can_be_built(name):
    pytest.importorskip("timm")
    assert spec.load(name).card.embedding_dim > 100
