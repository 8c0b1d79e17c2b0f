"""An audit of photos that each show another product: on other backgrounds they have to find themselves."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from audited_shop import SETTINGS, SIDE, hue, run
from conftest import disc
from PIL import Image, ImageDraw

from bgbias import seeding
from bgbias.audit.inputs import folder, sources, views
from bgbias.audit.measures import normalisation
from bgbias.audit.page import definitions
from bgbias.audit.verdict import advice, grade, swaps
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.config.read import check
from bgbias.datasets import folder as datasets
from bgbias.errors import InputError
from bgbias.external import spec
from bgbias.models.embedder import embed
from stages import audit, compare

pytestmark = pytest.mark.usefixtures("in_the_shop")
PRODUCTS = 16
CHANCE = 1 / PRODUCTS
ENDS = ("low", "value", "high")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Photos of one product each, in no class folders, and masks: discs and grounds of different colours."""
    made = tmp_path_factory.mktemp("catalogue")
    for number in range(PRODUCTS):
        colours = hue(number / PRODUCTS, 1), hue(0.5 + number / PRODUCTS, 0.6)
        for part, picture in zip(("photos", "masks"), disc((SIDE, SIDE + 4), *colours), strict=True):
            (made / part).mkdir(exist_ok=True)
            picture.save(made / part / f"{number:02}.png")
    return made


def one_each(shop, catalogue, out, name, **options):
    given = {"photos": str(catalogue / "photos"), "masks": str(catalogue / "masks"), "one_each": True}
    return run(shop, out, name, **given | options) | {"folder": out}


@pytest.fixture(scope="module")
def audited(shop, catalogue, tmp_path_factory):
    """Audits of embedders whose answer is known, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        names = ("object_alone", "background_alone", "noise", "mixture")
        return {name: one_each(shop, catalogue, tmp_path_factory.mktemp(name), name) for name in names}


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


def test_the_verdict_and_the_page_say_what_was_asked(audited):
    found = audited["mixture"]
    assert found["summary"]["said"].startswith("Of 100 photos put on other backgrounds, ")
    said = "Audited are 16 photos, each as a product, a class, of its own: on another background it has to find itself"
    assert any(sentence.startswith(said) for sentence in found["verdict"])
    assert "As they are, 100.0 % of the 16 photos find themselves, as they must." in found["verdict"]
    assert any("of the photos find themselves on every one" in sentence for sentence in found["verdict"])
    assert any(sentence.startswith("16 queries: one of them is 6.2 points") for sentence in found["verdict"])
    assert (
        found["advice"][-1]["said"].startswith("Train with random backgrounds") and not found["advice"][-1]["commands"]
    )
    page = (found["folder"] / "report.html").read_text()
    assert 'id="alone"' in page and 'class="before-after"' in page
    assert "Each photo stands for a product of its own." in page
    assert "the query&#x27;s own among them" in page and "no photo finds itself" not in page
    assert set(definitions.OF_ONE_EACH) <= {name for name, *_ in definitions.MEASURES}
    assert "<dt>classes</dt>" not in page and "Drop of MAP@R" not in page
    assert not [name for name in ("matrix", "views", "measures") if f'id="{name}"' in page]


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
    assert found["verdict"][-1].endswith("four backgrounds, objects and backgrounds alone, and pasting.")
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
    assert folder.read(photos, one_each=True)[0].class_name.tolist() == sorted(rows.path)
    (photos / "photos.csv").unlink()
    for mask in photos.glob("*/*_mask.png"):
        mask.unlink()
    table, said = folder.read(photos, one_each=True)
    assert table.class_name.tolist() == table.path.tolist() == sorted(rows.path) and not said


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
    said = (
        "As they are, 94.1 % of the 17 photos find themselves, and it embeds the others just like a photo before them."
    )
    assert said in found["verdict"]


def listing(**columns):
    def change(photos):
        named = {"path": [path.name for path in sorted(photos.glob("*.png"))], **columns}
        pd.DataFrame(named).to_csv(photos / "photos.csv", index=False)

    return change


def few(photos):
    for path in sorted(photos.glob("*.png"))[9:]:
        path.unlink()


def masks_inside(photos):
    (photos / "masks").mkdir()
    for number in range(PRODUCTS):
        Image.new("L", (SIDE, SIDE + 4), number).save(photos / f"masks/{number:02}.png")


def copied(photos):
    shutil.copy(photos / "00.png", photos / "zz.png")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (few, {}, "9 photos, and --one-each needs 10: add photos"),
        (
            listing(role=["query"] * 8 + ["gallery"] * 8),
            {},
            "names roles, and with --one-each every photo is query and",
        ),
        (listing(split=["test"] * 9 + ["train"] * 7), {}, "test photos: 9 photos, and --one-each needs 10"),
        (copied, {}, "the same photo twice; keep one of each: 00.png = zz.png"),
        (
            masks_inside,
            {"masks": "photos/masks"},
            r"masks lies in \S+, so masks are read as photos; move it out, or list",
        ),
        (
            lambda photos: None,
            {"second_backgrounds": "photos"},
            "puts whole galleries there, and --one-each swaps none",
        ),
        (
            lambda photos: None,
            {"one_each": False},
            "photos of no class; .*, if each shows another product, audit them w",
        ),
    ],
)
def test_what_cannot_be_audited_so_is_refused(shop, catalogue, tmp_path, change, options, message):
    shutil.copytree(catalogue / "photos", tmp_path / "photos")
    change(tmp_path / "photos")
    if "masks" in options:
        options = {"masks": str(tmp_path / options["masks"])}
    with pytest.raises(InputError, match=message):
        one_each(shop, catalogue, tmp_path / "out", "mixture", photos=str(tmp_path / "photos"), **options)


def test_one_photo_of_a_class_each_is_told_of_it(tmp_path, catalogue):
    for photo in (catalogue / "photos").iterdir():
        (tmp_path / photo.stem).mkdir()
        shutil.copy(photo, tmp_path / photo.stem)
    with pytest.raises(InputError, match="0 classes of two photos or more.* each photo shows another .* --one-each"):
        folder.read(tmp_path)
    assert len(datasets.read(tmp_path)) == PRODUCTS


def test_a_dataset_has_classes():
    with pytest.raises(InputError, match="give --photos DIR with its options, or --dataset NAME"):
        audit.main(SETTINGS, "baseline:hog", Path("out"), "demo", one_each=True)


def test_a_normalisation_is_not_tried_without_classes():
    model = spec.load("python:drawn_embedders:mixture")
    model.name = "onnx:net.onnx"
    rows = normalisation.sample(np.arange(12), 42)
    assert sorted(rows) == list(range(12)) and len(normalisation.sample(np.arange(200), 42)) == normalisation.PHOTOS
    pictures = torch.zeros(12, 3, SIDE, SIDE, dtype=torch.uint8)
    told = normalisation.tried(model, pictures, np.arange(12), list(map(str, rows)), 42)
    assert told["assumed"] and told["usual"] == {} and told["better"] is None


def test_two_are_compared_and_not_with_other_queries(audited, tmp_path, audits):
    first, second = (audited[name]["folder"] for name in ("background_alone", "object_alone"))
    compare.main(SETTINGS, first, second, tmp_path / "compared.md")
    assert "loses" in (tmp_path / "compared.md").read_text()
    with pytest.raises(InputError, match="same --queries, --one-each, seed and photos"):
        compare.main(SETTINGS, first, audits["mixture"]["folder"], None)
    assert json.loads((first / "audit.json").read_text())["sample"]["one_each"]


def test_objects_that_cannot_be_taken_away_leave_the_rest(shop, catalogue, tmp_path):
    shutil.copytree(catalogue / "masks", tmp_path / "masks")
    for number, path in enumerate(sorted((tmp_path / "masks").iterdir())):
        if number % 4:
            Image.new("L", Image.open(path).size, 255).save(path)
    found = one_each(shop, catalogue, tmp_path / "out", "noise", masks=str(tmp_path / "masks"))
    assert found["pasting"]["pasted_back"]["recall_at_1"]["queries"] == 4
    table = pd.read_csv(tmp_path / "out/queries.csv").sort_values("path")
    assert (
        table.recall_at_1_lost_pasted_back.isna().sum() == 12
        and not table.recall_at_1_foreground_grey_in_clean.isna().any()
    )
    for path in (tmp_path / "masks").iterdir():
        Image.new("L", Image.open(path).size, 255).save(path)
    none = one_each(shop, catalogue, tmp_path / "none", "noise", masks=str(tmp_path / "masks"), second_masks="none")
    cannot = "What other backgrounds do cannot be told: most of the masks are in doubt."
    assert none["summary"]["said"] == found["summary"]["said"] == cannot  # no word of searches for products
    assert none["pasting"]["pasted_back"]["recall_at_1"]["value"] is None
    assert none["object_alone_against_clean"]["foreground_grey"]["recall_at_1"]["value"] is not None


def test_a_loss_on_mirrored_backgrounds_is_not_owed_to_pasting():
    """The gallery shows none mirrored: who sees nothing but the two sides' colours loses every photo there."""
    lost, none = (dict.fromkeys(ENDS, value) | {"classes": 16} for value in (1.0, 0.0))
    pasted = {"pasted_back": {"recall_at_1": none}, "pasted_mirrored": {"recall_at_1": lost}}
    (said,) = swaps.pasting({"sample": {"one_each": True}, "pasting": pasted})
    assert "on these mirrored, which the gallery does not show, 100.0 points lower" in said
    assert said.endswith(f"{swaps.NO_COST}.")
    (said,) = swaps.pasting({"sample": {"one_each": True}, "pasting": pasted | {"pasted_back": {"recall_at_1": lost}}})
    assert said.endswith(f"{swaps.COSTS}.")
    (said,) = swaps.pasting({"pasting": pasted})  # where the gallery is mirrored, too
    assert said.endswith(f"{swaps.COSTS}.") and "does not show" not in said


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


def test_few_queries_and_photos_that_are_embedded_alike_are_told_of_photos(shop, catalogue, tmp_path, audited):
    found = one_each(shop, catalogue, tmp_path, "mixture", queries=4, quick=True, backgrounds="backgrounds")
    assert found["summary"]["said"].endswith("among the photos as they are: 4 photos are too few to conclude anything.")
    assert found["summary"]["graded"] == "No grade: one needs 5 photos at least."
    assert found["advice"][0]["said"].startswith("Let at least 5 photos search (--queries): ")
    assert (
        sum("Add classes" in said for said in found["verdict"])
        == 0
        < sum("queries" in said for said in found["verdict"])
    )
    alike = {"recall_at_1": dict.fromkeys(ENDS, CHANCE) | {"classes": 16, "queries": 16}}
    kept = {"matrix": {view: {"clean": alike} for view in ("clean", "swapped")}}
    found = {name: of for name, of in audited["mixture"].items() if name != "second_masks"}
    found |= kept | {"drop": {"recall_at_1": alike["recall_at_1"] | dict.fromkeys(ENDS, 0.0)}, "second_masks": None}
    assert grade.summary(found)["said"] == (
        "Of 100 photos as they are, 6 find themselves: not shown to be better than guessing (6)."
    )
    (step,) = advice.steps(found, {"embedder": "x"}, 42)
    assert step["said"].startswith("First see that the model tells photos apart: that it is trained")


def test_ten_photos_are_enough_however_deep_they_lie(tmp_path, catalogue):
    for number in range(folder.FEWEST):
        deep = (
            tmp_path / f"cup/{number % 2}/{number}"
        )  # a class's folder of folders is told of, where there are classes
        deep.mkdir(parents=True)
        shutil.copy(catalogue / f"photos/{number:02}.png", deep)
    table, said = folder.read(tmp_path, one_each=True)
    assert len(table) == folder.FEWEST and not said


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


def test_what_to_do_is_said_with_commands_that_ask_for_one_each(audited):
    asked = {"photos": "shop", "one_each": "True", "embedder": "x", "out": "audits/shop"}
    better, train = advice.steps(audited["mixture"] | {"masks": "grabcut", "second_masks": None}, asked, 42)
    (command,) = better["commands"]
    assert command.startswith("python -m stages.audit --photos shop --one-each --embedder x --out audits/shop_rembg ")
    assert train["said"] == advice.OF_ONE_EACH
    assert all(step["said"] != advice.OF_ONE_EACH for step in audited["object_alone"]["advice"])
