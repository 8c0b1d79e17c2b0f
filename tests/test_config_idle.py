"""params.yaml: what would change nothing, or measure something else than its name says, is refused with one line."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bgbias.config import read

COMMITTED = YAML(typ="safe").load(Path("params.yaml"))


def load(tmp_path, changes):
    """Read params.yaml with other values: path of keys -> value."""
    path, text = tmp_path / "params.yaml", Path("params.yaml").read_text(encoding="utf-8")
    found = YAML(typ="safe").load(text)
    for keys, value in changes.items():
        *blocks, last = keys.split()
        block = found
        for key in blocks:
            block = block[key]
        block[last] = value
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(found, file)
    return read.load(path)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "backgrounds",
            "photos",
            "backgrounds photos changes nothing where replace is 0: raise that, or set it to pool",
        ),
        ("vary_backgrounds", True, "vary_backgrounds True changes nothing where replace is 0: .* to false"),
        ("skip_suspect", True, "skip_suspect True changes nothing where replace is 0"),
        ("grow_masks_px", -2, "grow_masks_px -2 changes nothing where replace is 0: raise that, or set it to 0"),
        ("consistency_rise", 1.0, "consistency_rise 1.0 changes nothing where consistency is 0"),
    ],
)
def test_a_setting_of_a_regime_that_changes_nothing_is_refused(tmp_path, setting, value, message):
    with pytest.raises(ValueError, match=f"regime_settings.base.{message}"):
        load(tmp_path, {f"regime_settings base {setting}": value})
    assert load(tmp_path, {f"regime_settings bgconsistency {setting}": value})


@pytest.mark.parametrize("loss", ["contrastive", "triplet", "multi_similarity"])
def test_a_loss_of_pairs_is_given_pairs(tmp_path, loss):
    few = {f"losses {loss} per_class": 1}
    with pytest.raises(ValueError, match=f"losses.{loss}.per_class: Input should be greater than or equal to 2"):
        load(tmp_path, few)
    with pytest.raises(ValueError, match=f"losses.{loss}.overrides.sop: per_class: Input should be greater than or"):
        load(tmp_path, {f"losses {loss} overrides sop per_class": 1})


def test_a_batch_has_several_classes(tmp_path):
    batch = {"loss": "triplet", "train demo batch_size": 4}
    with pytest.raises(
        ValueError, match=r"batch_size 4 is not more than losses.triplet.per_class 4, so a batch has one"
    ):
        load(tmp_path, batch)
    assert load(tmp_path, batch | {"losses triplet per_class": 2})


def test_swapped_photos_have_backgrounds_that_nothing_was_trained_on(tmp_path):
    with pytest.raises(
        ValueError, match="evaluate.demo: swaps.swapped draws from val, which is trained with: give test"
    ):
        load(tmp_path, {"evaluate demo swaps swapped": "val"})
    assert load(tmp_path, {"evaluate demo swaps seen": "val"}).evaluate["demo"].swaps["seen"] == "val"


def test_stages_that_dvc_would_take_for_one_are_refused(tmp_path):
    shop = {f"{name} shop-a": COMMITTED[name]["own"] for name in ("data", "images", "masks", "backgrounds", "train")}
    shop |= {"evaluate shop-a": COMMITTED["evaluate"]["own"], "attention max_images shop-a": 100}
    shop |= {f"{keys.removesuffix('-a')}": value for keys, value in shop.items()}
    shop |= {f"regime_settings {name}": COMMITTED["regime_settings"]["base"] for name in ("a-b", "b")}
    assert load(tmp_path, shop | {"datasets": ["shop", "shop-a"], "regimes": ["b"]})
    with pytest.raises(ValueError, match="two stages would have one name; rename what it joins: shop-a-b$"):
        load(tmp_path, shop | {"datasets": ["shop", "shop-a"], "regimes": ["a-b", "b"]})
    with pytest.raises(ValueError, match="two stages would have one name; rename what it joins: shop-a-b$"):
        load(
            tmp_path,
            shop | {"leaderboard": {"datasets": {"shop": {}, "shop-a": {}}, "embedders": {"a-b": "x", "b": "y"}}},
        )
