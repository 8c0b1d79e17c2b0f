"""Masks of a second kind beside the first, where it is known which of the two are right: what an audit then says.

leaky masks leave a corner of the old background, where background_alone looks; those that miss take away the middle,
where object_alone looks. GrabCut finds the drawn discs to the pixel.
"""

import numpy as np
import pandas as pd
import pytest
from audited_shop import CLASSES, PHOTOS, SIDE, run
from PIL import Image

from bgbias.audit.measures import queries, second_masks
from bgbias.config import params, read

pytestmark = pytest.mark.usefixtures("in_the_shop")


def changed(folder, masks, change):
    """Masks of the shop, each changed as an array."""
    for path in (folder / "masks").rglob("*.png"):
        target = masks / path.relative_to(folder / "masks")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(change(np.asarray(Image.open(path).convert("L")).copy())).save(target)
    return str(masks)


def leaky(mask):
    mask[:8, :4] = 255  # photos are 32 px wide and 32 or 38 high, the embedder sees the centre square
    return mask


def missing(mask):
    """All but the left edge of the disc."""
    return np.where(np.arange(mask.shape[1]) < mask.shape[1] // 2 - 3, mask, 0).astype(np.uint8)


def in_words(found):
    first, second, *others = found["verdict"]
    (conflict,) = [sentence for sentence in others if "of trials" in sentence]
    return first, second, conflict


def test_masks_that_leave_the_background_hide_a_loss_that_the_second_show(shop, audits, tmp_path):
    masks = changed(shop, tmp_path / "leaky", leaky)
    found = run(shop, tmp_path / "out", "background_alone", masks=masks)
    right = audits["background_alone"]
    second = found["second_masks"]
    assert found["drop"]["recall_at_1"]["value"] == 0 and found["conflict"]["value"] == 0
    for name in ("drop", "conflict", "kept"):
        assert second[name] == right[name] == right["second_masks"][name]  # the same swaps, by the same masks
    assert second["moved"]["recall_at_1"]["value"] == -second["drop"]["recall_at_1"]["value"]
    first, mask, conflict = in_words(found)
    lost = 100 * right["drop"]["recall_at_1"]["value"]
    assert first.startswith(
        f"Swapping backgrounds costs 0.0 to {lost:.1f} points of Recall@1 (depending on which masks are "
    )
    assert first.endswith(": by leaky, no effect is shown; by grabcut, a loss is shown.")
    assert f"By the first the swap costs {lost:.1f} points less than by the second (95 % interval " in mask
    assert mask.count("the loss depends on the kind by that much") == 1
    assert "by leaky, the object outweighs the background; by grabcut, the background outweighs the object" in conflict
    assert found["advice"][0]["said"].startswith("See which masks fit the objects")
    assert found["summary"]["said"].endswith(" do: whether it loses depends on which masks are believed.")
    assert found["summary"]["grade"] == "A or E"


def test_masks_that_miss_the_object_show_a_loss_that_the_second_do_not(shop, audits, tmp_path):
    masks = changed(shop, tmp_path / "missing", missing)
    found = run(shop, tmp_path / "out", "object_alone", masks=masks)
    second, photos = found["second_masks"], CLASSES * PHOTOS
    assert found["drop"]["recall_at_1"]["low"] > 0.5 and second["drop"] == audits["object_alone"]["drop"]
    assert second["unlike_share"] == 1 and len(second["unlike"]) == photos == second["agreement"]["queries"]
    assert second["drop_agreed"] is None  # nothing is left to search
    first, mask, conflict = in_words(found)
    lost = 100 * found["drop"]["recall_at_1"]["value"]
    assert first.startswith(
        f"Swapping backgrounds costs 0.0 to {lost:.1f} points of Recall@1 (depending on which masks are "
    )
    assert first.endswith(": by missing, a loss is shown; by grabcut, no effect is shown.")
    assert f", of less than 0.50 for 100 % of {photos} photos." in mask and "the loss depends on the kind" in mask
    assert (
        "by missing, the background outweighs the object; by grabcut, the object outweighs the background" in conflict
    )
    assert any("by eye whether they fit the objects, those first on which the" in said for said in found["verdict"])


def test_agreement_is_counted_pixel_by_pixel_and_by_class(shop, tmp_path):
    """Half of the photos with masks that agree: the drop of these alone is that of an audit of these alone."""
    masks = tmp_path / "masks"
    changed(shop, masks, missing)
    for path in (shop / "masks").rglob("[0-2].png"):
        (masks / path.relative_to(shop / "masks")).write_bytes(path.read_bytes())
    found = run(shop, tmp_path / "out", "doubtful", masks=str(masks))
    table, second = queries.read(tmp_path / "out"), found["second_masks"]
    for path, agreed in table.mask_agreement.items():
        pair = []
        for folder in (masks, shop / "masks"):
            mask = np.asarray(Image.open(folder / path).convert("L"))
            top = (mask.shape[0] - SIDE) // 2
            pair.append({place for place, level in np.ndenumerate(mask[top : top + SIDE]) if level >= 128})
        assert agreed == pytest.approx(len(pair[0] & pair[1]) / len(pair[0] | pair[1]), abs=1e-6)
    assert second["unlike_share"] == 0.5 and second["unlike"] == sorted(second["unlike"], key=lambda one: one[1])
    assert {path for path, _ in second["unlike"]} == set(table.index[table.mask_agreement < 0.5])
    assert second["drop_agreed"] == second["second_drop_agreed"] != second["drop"]
    assert second["drop_agreed"]["recall_at_1"]["queries"] == CLASSES * PHOTOS // 2
    for of in second["classes"]:
        rows = table[table["class"] == of["class"]]
        assert of["queries"] == PHOTOS and of["agreement"] == pytest.approx(rows.mask_agreement.mean(), abs=1e-5)
        assert of["drop"] == pytest.approx(rows.recall_at_1_drop.mean(), abs=1e-5)
        assert of["drop_second"] == pytest.approx(rows.recall_at_1_drop_second.mean(), abs=1e-5)
    drops = [of["drop"] for of in second["classes"]]
    assert drops == sorted(drops, reverse=True) and len(drops) == CLASSES


def test_without_second_masks_nothing_is_said_of_them_and_the_first_figures_stay(shop, audits, tmp_path):
    found = run(shop, tmp_path, "mixture", second_masks="none")
    both = audits["mixture"]
    assert found["second_masks"] is None and not any("two kinds" in said for said in found["verdict"])
    assert found["verdict"][0].startswith("Swapping backgrounds costs") and "(95 % interval " in found["verdict"][0]
    assert all(found[name] == both[name] for name in ("drop", "conflict", "gap", "matrix", "mask_doubt", "made_with"))
    columns = queries.read(tmp_path)
    assert columns[second_masks.COLUMNS].isna().all(axis=None)
    assert list(columns.columns) == list(queries.read(both["folder"]).columns)


def test_beside_grabcut_grabcut_starts_from_a_larger_disc(shop, tmp_path):
    found = run(shop, tmp_path, "mixture", masks=None, mask_method="grabcut")
    assert found["second_masks"]["kind"] == "grabcut from a larger disc"


@pytest.mark.parametrize(("level", "flag"), [(255, "full"), (0, "empty")])
def test_second_masks_that_are_in_doubt_themselves_are_set_aside(shop, tmp_path, level, flag):
    photos = tmp_path / "photos"
    rows = []
    for path in sorted((shop / "photos").rglob("*.png")):
        target = photos / path.relative_to(shop / "photos")
        for copied in (target, target.with_suffix(".mask.png")):
            copied.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        Image.new("L", Image.open(path).size, level).save(target.with_suffix(".mask.png"))
        rows.append((f"{path.parent.name}/{path.name}", path.parent.name, f"{path.parent.name}/{path.stem}.mask.png"))
    pd.DataFrame(rows, columns=["path", "class", "mask"]).to_csv(photos / "photos.csv", index=False)
    found = run(shop, tmp_path / "out", "mixture", photos=str(photos), second_masks="given")
    assert found["second_masks"]["flagged"][flag] == CLASSES * PHOTOS
    assert "(95 % interval " in found["verdict"][0]
    assert found["verdict"][1].startswith("Masks of a second kind, given, are no second opinion: 48 of its 48 masks")


def test_photos_whose_masks_of_both_kinds_are_empty_count_among_all():
    drops = {"recall_at_1_drop": 0.0, "recall_at_1_drop_second": 0.0}
    table = {"path": list("abcd"), "class_name": "a", "mask_agreement": [0.1, np.nan, np.nan, 0.9]} | drops
    found = second_masks.summary(pd.DataFrame(table), {"mask_agreement": {}})
    assert found["unlike_share"] == 0.25 and found["unlike"] == [["a", 0.1]]


@pytest.mark.parametrize("method", ["given", "rembg"])
def test_the_same_masks_twice_are_refused(method):
    given = {"photos": "photos", "embedder": "x", "mask_method": method, "second_masks": method}
    with pytest.raises(ValueError, match=f"mask_method and second_masks are both {method}: give two methods, or none"):
        read.check(given, params.Audit, "options")
