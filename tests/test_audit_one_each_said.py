"""What is said of photos that each show another product, and which cannot be audited so."""

import copy
import dataclasses
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from audited_shop import SETTINGS, SIDE
from one_each_audits import CHANCE, PRODUCTS, one_each
from PIL import Image

from bgbias.audit.inputs import folder
from bgbias.audit.page import definitions, measures
from bgbias.audit.verdict import advice, grade, swaps
from bgbias.datasets import folder as datasets
from bgbias.errors import InputError
from stages import audit, compare

pytestmark = pytest.mark.usefixtures("in_the_shop")
ENDS = ("low", "value", "high")


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
    named = {name for name, *_ in definitions.MEASURES}
    assert {*definitions.OF_ONE_EACH, *definitions.OF_WHOLE_GALLERIES} <= named
    assert "<dt>Conflict</dt>" not in page and "<dt>Lost to pasting</dt>" in page
    assert "<dt>classes</dt>" not in page and "Drop of MAP@R" not in page
    assert "intervals over photos" in page and "when photos are drawn anew" in page
    assert found["summary"]["graded"].endswith(" and an embedder may go by them.")  # pose and light stay
    assert not [name for name in ("matrix", "views", "measures") if f'id="{name}"' in page]


def test_a_loss_on_mirrored_backgrounds_is_not_owed_to_pasting():
    """The gallery shows none mirrored: who sees nothing but the two sides' colours loses every photo there."""
    lost, none = (dict.fromkeys(ENDS, value) | {"classes": 16, "queries": 16} for value in (1.0, 0.0))
    pasted = {"pasted_back": {"recall_at_1": none}, "pasted_mirrored": {"recall_at_1": lost}}
    (said,) = swaps.pasting({"sample": {"one_each": True}, "pasting": pasted})
    assert "on these mirrored, which the gallery does not show, 100.0 points lower" in said
    assert "classes" not in said and said.endswith(f"{swaps.NO_COST}.")
    (said,) = swaps.pasting({"sample": {"one_each": True}, "pasting": pasted | {"pasted_back": {"recall_at_1": lost}}})
    assert said.endswith(f"{swaps.COSTS}.")
    (said,) = swaps.pasting({"pasting": pasted})  # where the gallery is mirrored, too
    assert said.endswith(f"{swaps.COSTS}.") and "does not show" not in said


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


def test_what_to_do_is_said_with_commands_that_ask_for_one_each(audited):
    asked = {"photos": "shop", "one_each": "True", "embedder": "x", "out": "audits/shop"}
    better, train = advice.steps(audited["mixture"] | {"masks": "grabcut", "second_masks": None}, asked, 42)
    (command,) = better["commands"]
    assert command.startswith("python -m stages.audit --photos shop --one-each --embedder x --out audits/shop_rembg ")
    assert train["said"] == advice.OF_ONE_EACH
    assert all(step["said"] != advice.OF_ONE_EACH for step in audited["object_alone"]["advice"])


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


def test_two_are_compared_and_not_with_other_queries(audited, tmp_path, audits):
    first, second = (audited[name]["folder"] for name in ("background_alone", "object_alone"))
    compare.main(SETTINGS, first, second, tmp_path / "compared.md")
    assert "loses" in (tmp_path / "compared.md").read_text()
    with pytest.raises(InputError, match="same --queries, --one-each, seed and photos"):
        compare.main(SETTINGS, first, audits["mixture"]["folder"], None)
    assert json.loads((first / "audit.json").read_text())["sample"]["one_each"]


def test_ten_photos_are_enough_however_deep_they_lie(tmp_path, catalogue):
    for number in range(folder.FEWEST_PHOTOS):
        deep = (
            tmp_path / f"cup/{number % 2}/{number}"
        )  # a class's folder of folders is told of, where there are classes
        deep.mkdir(parents=True)
        shutil.copy(catalogue / f"photos/{number:02}.png", deep)
    table, said = folder.read(tmp_path, one_each=True)
    assert len(table) == folder.FEWEST_PHOTOS and not said


def test_the_page_draws_each_part_with_its_figure(audited):
    found = copy.deepcopy(audited["object_alone"])
    for place, name in enumerate(("object_alone_against_clean", "background_only_against_clean", "pasting")):
        for number, (_, part) in enumerate(sorted(found[name].items())):
            part["recall_at_1"]["value"] = (10 * place + number) / 100
    drawn = " ".join(re.sub(r"<[^>]*>", " ", measures.alone(found)).replace("\u00a0", " ").split())
    rows = "On black.* 0.0 % .*On grey.* 1.0 % .*Object filled.* 12.0 % .*box black.* 10.0 % .*tiled over.* 11.0 % "
    assert re.search(
        f"{rows}.*own backgrounds.* 20.0 points .*mirrored which the gallery does not .* 21.0 points ", drawn
    )


def test_classes_of_photos_that_are_not_audited_are_not_named(tmp_path, catalogue):
    shutil.copytree(catalogue / "photos", tmp_path / "shop")
    names = sorted(path.name for path in (tmp_path / "shop").iterdir())
    rows = pd.DataFrame({"path": names, "class": [*map(str, range(11)), *"aabbb"], "split": "test"})
    rows.loc[11:, "split"] = "train"
    rows.to_csv(tmp_path / "shop/photos.csv", index=False)
    assert not [one for one in folder.read(tmp_path / "shop", one_each=True)[1] if "do not count" in one]
    rows.assign(split="test").to_csv(tmp_path / "shop/photos.csv", index=False)
    assert [
        one for one in folder.read(tmp_path / "shop", one_each=True)[1] if one.startswith("2 classes of photos.csv")
    ]


def test_masks_among_the_photos_are_refused_also_where_few_are_drawn(shop, catalogue, tmp_path):
    shutil.copytree(catalogue / "photos", tmp_path / "shop")
    (tmp_path / "shop/masks").mkdir()
    for number, path in enumerate(sorted((catalogue / "masks").iterdir())):
        mask = Image.open(path)
        mask.putpixel((number, 0), 1)  # no two are equal
        mask.save(tmp_path / "shop/masks" / path.name)
    asked = {"photos": str(tmp_path / "shop"), "masks": str(tmp_path / "shop/masks"), "queries": 2, "quick": True}
    for seed in range(4):  # some draw no mask
        settings = dataclasses.replace(SETTINGS, seed=seed)
        with pytest.raises(InputError, match="so masks are read as photos"):
            audit.main(settings, "python:drawn_embedders:noise", tmp_path / "out", None, one_each=True, **asked)


def test_with_roles_nobody_is_sent_to_what_refuses_roles(tmp_path, catalogue):
    shutil.copytree(catalogue / "photos", tmp_path / "shop")
    listing(**{"class": ["a"] * 8 + ["b"] * 8}, role=["query"] * 8 + ["gallery"] * 8)(tmp_path / "shop")
    with pytest.raises(InputError, match="classes of a query and a photo of the gallery") as refused:
        folder.read(tmp_path / "shop")
    assert "--one-each" not in str(refused.value)


def test_few_photos_and_the_captions_of_their_searches_are_told_as_photos(shop, catalogue, tmp_path):
    one_each(shop, catalogue, tmp_path, "background_alone", queries=6)
    page = (tmp_path / "report.html").read_text()
    assert "Only 6\u00a0photos were audited." in page and "classes were audited" not in page
    assert "Clean: found at rank 1" in page and "of 5 right" not in page
