"""An audit of photos that each show another product: on other backgrounds they have to find themselves."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from audited_shop import SETTINGS, SIDE
from one_each_audits import CHANCE, PRODUCTS, one_each
from PIL import Image, ImageDraw

from bgbias import seeding
from bgbias.audit.inputs import folder, sources, views
from bgbias.audit.measures import normalisation
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.config.read import check
from bgbias.external import spec
from bgbias.models.embedder import embed

pytestmark = pytest.mark.usefixtures("in_the_shop")


def recalls(found, key):
    return [of["recall_at_1"]["value"] for of in found[key].values()]


def test_who_sees_the_object_alone_finds_every_photo_by_it(audited):
    found = audited["object_alone"]
    assert found["matrix"]["swapped"]["clean"]["recall_at_1"]["value"] == 1 and found["summary"]["grade"] == "A"
    assert recalls(found, "object_alone_against_clean") == [1, 1] and recalls(found, "pasting") == [0, 0]
    assert max(recalls(found, "background_only_against_clean")) <= 0.25
    assert found["worst_of_backgrounds"]["worst"]["value"] == 1


def test_who_sees_the_background_alone_finds_photos_by_that(audited):
    found = audited["background_alone"]
    assert found["matrix"]["clean"]["clean"]["recall_at_1"]["value"] == 1 and found["summary"]["grade"] == "E"
    assert found["matrix"]["swapped"]["clean"]["recall_at_1"]["value"] < 0.25
    assert recalls(found, "background_only_against_clean")[0] == 1 and recalls(found, "pasting") == [0, 0]
    assert max(recalls(found, "object_alone_against_clean")) <= 0.25
    assert any("the surroundings tell it which photo it is" in sentence for sentence in found["verdict"])


def test_a_random_one_finds_by_chance_what_is_not_the_photo_itself(audited):
    found = audited["noise"]
    assert found["matrix"]["clean"]["clean"]["recall_at_1"]["value"] == 1
    assert found["chance"]["recall_at_1"] == pytest.approx(CHANCE)
    assert found["matrix"]["swapped"]["clean"]["recall_at_1"]["value"] < 0.2
    swapped, kept = found["matrix"]["swapped"]["clean"]["recall_at_1"]["value"], found["kept"]["value"]
    assert kept == pytest.approx((swapped - CHANCE) / (1 - CHANCE))


def test_every_query_scores_as_a_plain_search_says(shop, catalogue, audited, tmp_path):
    model = spec.load("python:drawn_embedders:mixture")
    given = {"photos": str(catalogue / "photos"), "masks": str(catalogue / "masks"), "backgrounds": "backgrounds"}
    options = check(given | {"embedder": "x", "one_each": True, "second_masks": "none"}, params.Audit, "options")
    seeding.deterministic(1)
    pictures = sources.of_folder(options, SIDE, SETTINGS.seed, Cache(tmp_path)).pictures
    rows = np.arange(PRODUCTS)
    seen = {view: embed(model, [views.compose(pictures, view, rows)], list(map(str, rows))).double() for view in
            ("clean", *(f"swapped/{draw}" for draw in range(5)), "background_silhouette", "pasted_back")}  # fmt: skip

    def found(view):
        return (seen[view] @ seen["clean"].T).argmax(1).numpy() == rows

    table = pd.read_csv(audited["mixture"]["folder"] / "queries.csv").sort_values("path")
    swapped = np.mean([found(f"swapped/{draw}") for draw in range(5)], 0)
    assert table.recall_at_1_swapped_in_clean.tolist() == pytest.approx(swapped.tolist()) and 0 < swapped.mean() < 1
    assert table.recall_at_1_background_silhouette_in_clean.tolist() == found("background_silhouette").tolist()
    assert table.recall_at_1_lost_pasted_back.tolist() == (1.0 - found("pasted_back")).tolist()
    sees_grounds, seen = spec.load("python:drawn_embedders:background_alone"), {}
    for view in ("clean", *views.OBJECT_ALONE):  # to it all objects on black are one picture, and all on grey another
        seen[view] = embed(sees_grounds, [views.compose(pictures, view, rows)], list(map(str, rows))).double()
    alone = pd.read_csv(audited["background_alone"]["folder"] / "queries.csv").sort_values("path")
    for view in views.OBJECT_ALONE:
        assert alone[f"recall_at_1_{view}_in_clean"].tolist() == found(view).tolist(), view
    assert found("foreground_black").tolist() != found("foreground_grey").tolist()
    assert (table.map_at_r_swapped_in_clean == table.recall_at_1_swapped_in_clean).all()  # of one photo to find
    assert audited["mixture"]["drop"]["recall_at_1"]["value"] == pytest.approx(1 - swapped.mean())


def test_attention_is_of_the_photos_and_of_no_pairs(audited):
    found = audited["object_alone"]
    assert found["attention"]["swapped"]["score"]["queries"] == 16
    seen, other = (
        audited[name]["attention"]["clean"]["score"]["value"] for name in ("object_alone", "background_alone")
    )
    assert seen > 0.9 and other < 0.1
    table = pd.read_csv(found["folder"] / "queries.csv")
    assert table.attention_score_swapped.mean() == pytest.approx(found["attention"]["swapped"]["score"]["value"])
    assert not [name for name in table if "pair" in name]
    assert any(sentence.startswith("Its attention score is ") for sentence in found["verdict"])


def test_a_quick_one_has_clean_and_swapped_alone(shop, catalogue, tmp_path):
    found = one_each(shop, catalogue, tmp_path, "mixture", quick=True)
    assert found["verdict"][-1].endswith("four backgrounds, objects and backgrounds alone, pasting, and attention.")
    assert not {"pasting", "object_alone_against_clean", "worst_of_backgrounds"} & set(found)
    assert 'id="alone"' not in (tmp_path / "report.html").read_text()


def test_some_are_drawn(shop, catalogue, tmp_path, audited):
    found = one_each(shop, catalogue, tmp_path, "mixture", queries=9, backgrounds="backgrounds")
    ours, whole = (pd.read_csv(of / "queries.csv").set_index("path") for of in (tmp_path, audited["mixture"]["folder"]))
    assert len(ours) == 9 and found["sample"]["of"] == 16 and found["gallery"] == 16
    for name in ("recall_at_1_swapped_in_clean", "right_on_all", "recall_at_1_lost_pasted_mirrored"):
        assert ours[name].tolist() == whole.loc[ours.index, name].tolist(), name
    said = "Audited are 9 of 16 photos, drawn by the seed, each as a product, a class, of its own: on another"
    assert "has to find itself among all photos as they are." in found["sample"]["said"]
    assert found["sample"]["said"].startswith(said) and "That not all were asked adds up to" in found["sample"]["said"]


def test_folders_and_classes_do_not_count(shop, catalogue, tmp_path, audited):
    photos = tmp_path / "photos"
    for number in range(PRODUCTS):
        (photos / f"{number % 2}").mkdir(parents=True, exist_ok=True)
        for part in ("photos", "masks"):
            name = f"{number % 2}/{number:02}{'_mask' * (part == 'masks')}.png"
            shutil.copy(catalogue / part / f"{number:02}.png", photos / name)
    listed = [f"{number % 2}/{number:02}" for number in range(PRODUCTS)]
    rows = pd.DataFrame({"path": [f"{name}.png" for name in listed], "mask": [f"{name}_mask.png" for name in listed]})
    rows.to_csv(photos / "photos.csv", index=False)
    found = one_each(
        shop, catalogue, tmp_path / "out", "object_alone", photos=str(photos), masks=None, mask_method="given"
    )
    assert found["photos"] == 16 and found["matrix"]["swapped"]["clean"]["recall_at_1"]["value"] == 1
    rows.assign(**{"class": "mug"}).to_csv(photos / "photos.csv", index=False)  # all of one, which would be refused
    assert folder.read(photos, one_each=True)[1] == []
    rows.assign(**{"class": ["mug", "cup"] * 8}).to_csv(photos / "photos.csv", index=False)
    table, said = folder.read(photos, one_each=True)
    mend = "hold several photos and do not count: if these are the products, audit without --one-each."
    assert table.class_name.tolist() == sorted(rows.path) and said == [f"2 classes of photos.csv {mend}"]
    (photos / "photos.csv").unlink()
    for mask in photos.glob("*/*_mask.png"):
        mask.unlink()
    table, said = folder.read(photos, one_each=True)
    assert table.class_name.tolist() == table.path.tolist() == sorted(rows.path)
    assert said == [f"2 top folders {mend}"]


def test_near_duplicates_are_named_and_their_photos_left_out(shop, catalogue, tmp_path):
    shutil.copytree(catalogue, tmp_path / "shop")
    for part, number in (("photos", 3), ("masks", 3)):
        picture = Image.open(tmp_path / f"shop/{part}/{number:02}.png")
        picture.resize((2 * picture.width, 2 * picture.height)).save(tmp_path / f"shop/{part}/99.png")
    first = tmp_path / "shop/masks/00.png"  # is not shown without its object, so rows of the probed are not all rows
    Image.new("L", Image.open(first).size, 255).save(first)
    found = one_each(shop, tmp_path / "shop", tmp_path / "out", "object_alone")
    table = pd.read_csv(tmp_path / "out/queries.csv", index_col="path")
    lost = table.recall_at_1_lost_pasted_back
    assert table.recall_at_1_clean["99.png"] == 0 and list(lost.index[lost.isna()]) == ["00.png"]
    assert not lost.drop("00.png").any()
    doubles = found["near_duplicates"]
    assert doubles["queries"] == 2 and doubles["pairs"] == [["03.png", "99.png"]]
    assert doubles["said"] == (
        "2 of 17 queries have a near-duplicate in the gallery (recompressed, resized or slightly cropped; 1 pair, such "
        "as 03.png = 99.png), the wrong photo to find: keep one of each."
    )
    assert doubles["drop_without"]["recall_at_1"]["queries"] == 15
    said = "and the model embeds the others just as an earlier photo of the list."
    assert f"As they are, 94.1 % of the 17 photos find themselves, {said}" in found["verdict"]


def test_a_normalisation_is_not_tried_without_classes():
    model = spec.load("python:drawn_embedders:mixture")
    model.name = "onnx:net.onnx"
    rows = normalisation.sample(np.arange(12), 42)
    assert sorted(rows) == list(range(12)) and len(normalisation.sample(np.arange(200), 42)) == normalisation.PHOTOS
    pictures = torch.zeros(12, 3, SIDE, SIDE, dtype=torch.uint8)
    told = normalisation.tried(model, pictures, np.arange(12), list(map(str, rows)), 42)
    assert told["assumed"] and told["usual"] == {} and told["better"] is None


def test_objects_that_cannot_be_taken_away_leave_the_rest(shop, catalogue, tmp_path):
    shutil.copytree(catalogue / "masks", tmp_path / "masks")
    for number, path in enumerate(sorted((tmp_path / "masks").iterdir())):
        if number % 4:
            Image.new("L", Image.open(path).size, 255).save(path)
    found = one_each(shop, catalogue, tmp_path / "out", "noise", masks=str(tmp_path / "masks"))
    assert found["pasting"]["pasted_back"]["recall_at_1"]["queries"] == 4
    table = pd.read_csv(tmp_path / "out/queries.csv").sort_values("path")
    assert table.recall_at_1_lost_pasted_back.isna().sum() == 12
    assert not table.recall_at_1_foreground_grey_in_clean.isna().any()
    for path in (tmp_path / "masks").iterdir():
        Image.new("L", Image.open(path).size, 255).save(path)
    none = one_each(shop, catalogue, tmp_path / "none", "noise", masks=str(tmp_path / "masks"), second_masks="none")
    cannot = "What other backgrounds do cannot be told: most of the masks are in doubt."
    assert none["summary"]["said"] == found["summary"]["said"] == cannot  # no word of searches for products
    assert none["pasting"]["pasted_back"]["recall_at_1"]["value"] is None
    assert none["object_alone_against_clean"]["foreground_grey"]["recall_at_1"]["value"] is not None


def test_photos_of_full_masks_find_themselves_and_the_drop_is_given_without_them(shop, catalogue, tmp_path):
    shutil.copytree(catalogue / "masks", tmp_path / "masks")
    for path in sorted((tmp_path / "masks").iterdir())[::4]:
        Image.new("L", Image.open(path).size, 255).save(path)
    found = one_each(shop, catalogue, tmp_path / "out", "background_alone", masks=str(tmp_path / "masks"), quick=True)
    drops = pd.read_csv(tmp_path / "out/queries.csv").sort_values("path").recall_at_1_drop_in_clean
    without = found["mask_doubt"]["drop_without"]["recall_at_1"]
    assert not drops[::4].any() and without["value"] == pytest.approx(drops.drop(drops.index[::4]).mean())
    assert without["queries"] == 12 and without["value"] > found["drop"]["recall_at_1"]["value"]
    said = (
        f"4 of 16 masks are in doubt (4 full); without their photos the swap costs {100 * without['value']:.1f} points."
    )
    assert said in found["verdict"]


def test_objects_of_which_none_can_be_taken_away_are_counted(shop, catalogue, tmp_path):
    """A diamond has a box that leaves no background, and is in no doubt."""
    shutil.copytree(catalogue / "masks", tmp_path / "masks")
    for path in (tmp_path / "masks").iterdir():
        mask = Image.open(path)
        width, height = mask.size
        mask = Image.new("L", mask.size)
        ImageDraw.Draw(mask).polygon([(width / 2, 0), (width, height / 2), (width / 2, height), (0, height / 2)], 255)
        mask.save(path)
    found = one_each(shop, catalogue, tmp_path / "out", "mixture", masks=str(tmp_path / "masks"), second_masks="none")
    assert found["pasting"]["pasted_back"]["recall_at_1"]["queries"] == 0
    assert any(
        said.startswith("Too few photos can be shown without their object (0 of 16;") for said in found["verdict"]
    )
    assert not any(said.startswith(("Cut out", "With the object taken away")) for said in found["verdict"])
    assert 'id="alone"' in (tmp_path / "out/report.html").read_text()
