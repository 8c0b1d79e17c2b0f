"""docs/extending.md, followed to the letter on a small demo."""

import copy
import json
import re
import subprocess

import pytest
from own_photos import add
from ruamel.yaml import YAML
from small_checkout import ROOT, Checkout

PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
LOSS, NETWORK, DATASET = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
FRUIT = ("apple", "banana", "cherry", "date", "elder", "fig", "grape", "hazel")


def diff(section: str) -> str:
    return re.search(r"```diff\n(.*?)```", section, re.DOTALL)[1]


def follow(checkout: Checkout, section: str) -> str:
    """Apply a section's diff and run its command; returns what is printed."""
    (checkout.folder / "change.diff").write_text(diff(section))
    checkout.run("git", "apply", "change.diff")
    return checkout.run(*re.search(r"^    (dvc exp run .*)$", section, re.MULTILINE)[1].replace("'", "").split())


def measured(checkout: Checkout, dataset: str) -> dict:
    found = json.loads((checkout.folder / f"metrics/evaluate/{dataset}/base.json").read_text())
    return found[dataset]["base"]["clean"]


@pytest.mark.parametrize("section", [LOSS, NETWORK, DATASET], ids=["loss", "network", "dataset"])
def test_a_diff_fits_the_code_of_today(section):
    applied = subprocess.run(
        ["git", "apply", "--check"], cwd=ROOT, input=diff(section), capture_output=True, text=True, check=False
    )
    assert applied.returncode == 0, applied.stderr


def test_a_loss_of_pairs_is_added_with_no_more_consistency_than_those_that_are_there():
    scale = float(re.search(r"^\+    consistency_scale: (.*)$", LOSS, re.MULTILINE)[1])
    losses = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))["losses"]
    assert scale <= max(losses[name]["consistency_scale"] for name in ("contrastive", "triplet", "multi_similarity"))


@pytest.mark.pipeline
def test_a_loss_then_a_network_are_added_by_their_diffs(finished, tmp_path):
    checkout = finished.copy(tmp_path / "clone")
    before = measured(checkout, "demo")
    checkout.set("", {"regimes": ["base"]})
    checkout.set("train.demo", {"batch_size": 8})  # two classes of four photos
    printed = follow(checkout, LOSS)
    assert "demo, base, supcon, seed 42" in printed and measured(checkout, "demo") != before
    ran = set(re.findall(r"Running stage '(\w+)", printed))
    assert ran == {"train", "embed", "attention", "evaluate", "summary", "report"}  # photos, masks and backgrounds stay
    follow(checkout, NETWORK)
    card = json.loads((checkout.folder / "models/demo/base/42/network.json").read_text())
    assert card["network"] == "plain"


@pytest.mark.pipeline
def test_a_dataset_is_added_by_a_module_and_two_lines(tmp_path):
    checkout = Checkout(tmp_path)
    add(*(checkout.folder / f"data/sources/fruit/{name}-{number}.jpg" for name in FRUIT for number in range(4)))
    module = re.search(r"```python\n(.*?)```", DATASET, re.DOTALL)[1]
    (checkout.folder / "bgbias/datasets/fruit.py").write_text(module)
    settings = YAML().load(checkout.folder / "params.yaml")
    checkout.set("data", {"fruit": {}})
    for block in ("images", "masks", "backgrounds", "train", "evaluate", "attention.max_images"):
        found = settings
        for key in block.split("."):
            found = found[key]
        checkout.set(block, {"fruit": copy.deepcopy(found["own"])})
    checkout.set("train.fruit", {"batch_size": 4})
    with (checkout.folder / "data/raw/.gitignore").open("a") as names:
        names.write("/fruit\n")
    checkout.commit("fruit")
    follow(checkout, DATASET)
    assert measured(checkout, "fruit")["recall_at_1"] is not None
