"""What compare, study_tables and mask_quality read: audits, results and published figures, masks drawn by hand."""

import shutil
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from spoils import BROKEN, content, cut, edited, figures, folder, remove, table

pytestmark = pytest.mark.slow
AUDIT = "audit --photos data/sources/own --mask-method given --backgrounds backgrounds --embedder model:models/demo"
COMPARE = "compare audits/own audits/cured"
QUERIES, JSON, RESULTS = "audits/cured/queries.csv", "audits/cured/audit.json", "paper/results.json"


AUDITED = {
    **{name: (how, "audits/cured/queries.csv") for name, how in BROKEN.items()},
    "the header alone": (table(lambda rows: rows[:0]), "has no rows"),
    "a row less": (table(lambda rows: rows[1:]), "one of them was changed"),
    "another photo": (edited("mug 3/1.png", "mug 3/9.png"), "different photos"),
    "another class": (table(lambda rows: rows.assign(**{"class": "mug 1"})), "in different classes"),
    "a photo twice": (table(lambda rows: pd.concat([rows, rows[:1]])), "one of them was changed"),
    "no path": (table(lambda rows: rows.drop(columns="path")), "has no column path"),
    "no class": (table(lambda rows: rows.drop(columns="class")), "has no column class"),
    "a measure less": (table(lambda rows: rows.drop(columns="conflict")), "different measures, such as conflict"),
    "a measure more": (table(lambda rows: rows.assign(beauty="1")), "different measures, such as beauty"),
    "letters": (table(lambda rows: rows.assign(conflict="yes")), "something else than numbers"),
    "infinite": (table(lambda rows: rows.assign(conflict="inf")), "queries.csv"),
    "semicolons": (edited(",", ";"), "has no column path"),
    "a quote": (edited("photos/", '"photos/'), "queries.csv|different photos"),
    "NUL bytes": (edited("photos/", "\0photos/"), "queries.csv|different photos"),
    "UTF-16": (lambda path: path.write_text(path.read_text(), encoding="utf-16"), "queries.csv"),
    "control characters": (edited("mug 3/1.png", "mug \x1b[31m3/1.png"), "different photos"),
}
DESCRIBED = {
    **{name: (how, "audits/cured/audit.json") for name, how in BROKEN.items()},
    "null": (content("null"), "holds no made_with"),
    "a list": (content("[1]"), "holds no made_with"),
    "deep": (content(5000 * "["), "audit.json"),
    "nothing that it was made with": (figures(lambda found: found.pop("made_with") and None), "holds no made_with"),
    "made with a list": (figures(lambda found: found | {"made_with": [1]}), "made_with"),
    "made with a number": (figures(lambda found: found | {"made_with": 7}), "made_with"),
    "made with null": (figures(lambda found: found | {"made_with": None}), "made_with"),
    "changed photos": (figures(lambda found: found["made_with"].update(photos="x")), "differ in photos"),
    "other masks": (figures(lambda found: found["made_with"].update(masks="x")), "differ in masks"),
    "other backgrounds": (figures(lambda found: found["made_with"].update(backgrounds="x")), "differ in backgrounds"),
    "other draws": (figures(lambda found: found["made_with"].update(draws=7)), "differ in draws"),
    "another seed": (figures(lambda found: found["made_with"].update(seed=7)), "differ in seed"),
    "a sample": (figures(lambda found: found["made_with"].update(queries="x")), "different samples of queries"),
    "no seed": (figures(lambda found: found["made_with"].pop("seed") and None), "seed"),
}


@pytest.fixture
def audits(small):
    """Two audits of the same photos."""
    small.passes(*f"{AUDIT}/base/42 --out audits/own".split())
    small.passes(*f"{AUDIT}/bgconsistency/42 --out audits/cured".split())


@pytest.mark.usefixtures("audits")
@pytest.mark.parametrize(("how", "words"), list(AUDITED.values()), ids=AUDITED)
def test_queries_of_an_audit(refuses, how, words):
    refuses(COMPARE, words, (QUERIES, how))


@pytest.mark.usefixtures("audits")
@pytest.mark.parametrize(("how", "words"), list(DESCRIBED.values()), ids=DESCRIBED)
def test_figures_of_an_audit(refuses, how, words):
    refuses(COMPARE, words, (JSON, how))


def rows(change: Callable[[list], object]):
    """Write results of changed rows."""
    return figures(lambda found: found | {"results": change(found["results"])})


GATHERED = {
    **{name: (how, RESULTS) for name, how in BROKEN.items()},
    "null": (content("null"), "version None, expected 2"),
    "a list": (content("[]"), "version None, expected 2"),
    "another version": (figures(lambda found: found | {"version": 3}), "version 3, expected 2"),
    "a version of text": (figures(lambda found: found | {"version": "2"}), "version 2, expected 2"),
    "no results": (figures(lambda found: found.pop("results") and None), "expected results"),
    "no rows": (rows(lambda found: []), "expected results"),
    "a block of rows": (rows(lambda found: {"a": 1}), "expected results"),
    "rows of numbers": (rows(lambda found: [7]), "expected results"),
    "a field less": (rows(lambda found: [{k: v for k, v in row.items() if k != "loss"} for row in found]), "results"),
    "a field more": (rows(lambda found: [row | {"surplus": 1} for row in found]), "expected results"),
    "figures of text": (rows(lambda found: [row | {"attention": "high"} for row in found]), "are no numbers"),
    "figures that are lists": (rows(lambda found: [row | {"attention": [1]} for row in found]), "are no numbers"),
    "infinite figures": (rows(lambda found: [row | {"attention": float("inf")} for row in found]), "is no number"),
    "names of numbers": (rows(lambda found: [row | {"loss": 7} for row in found]), "results.json"),
    "names of null": (rows(lambda found: [row | {"dataset": None} for row in found]), "results.json"),
    "names of lists": (rows(lambda found: [row | {"regime": ["base"]} for row in found]), "results.json"),
    "a row twice": (rows(lambda found: [*found, found[0]]), "rows of the same name"),
    "no settings": (figures(lambda found: found.pop("settings") and None), "holds no settings"),
    "no remarks": (figures(lambda found: bool(found.pop("remarks")) or None), "holds no remarks"),
    "remarks of text": (figures(lambda found: found | {"remarks": "none"}), "expected remarks"),
    "remarks of numbers": (figures(lambda found: found | {"remarks": [7]}), "expected remarks"),
    "settings of text": (figures(lambda found: found | {"settings": "the study's"}), "expected settings of demo"),
    "settings of another": (figures(lambda found: found | {"settings": {"sop": {}}}), "expected settings of demo"),
    "settings in a list": (figures(lambda found: found | {"settings": {"demo": ["lr"]}}), "expected settings of demo"),
}
PUBLISHED = {
    **BROKEN,
    "the header alone": table(lambda found: found[:0]),
    "a column less": table(lambda found: found.drop(columns="loss")),
    "letters": table(lambda found: found.assign(**{found.columns[-1]: "high"})),
    "infinite": table(lambda found: found.assign(**{found.columns[-1]: "inf"})),
    "a row twice": table(lambda found: pd.concat([found, found[:1]])),
    "semicolons": edited(",", ";"),
    "Latin-1": lambda path: path.write_bytes(path.read_bytes() + "\u00e4,b,c\n".encode("latin-1")),
}


@pytest.mark.parametrize(("how", "words"), list(GATHERED.values()), ids=GATHERED)
def test_results_of_the_study(refuses, how, words):
    refuses("study_tables", words, (RESULTS, how))


@pytest.mark.parametrize("how", list(PUBLISHED.values()), ids=PUBLISHED)
@pytest.mark.parametrize("name", ["table1_map_at_r", "table2_attention_score"])
def test_published_figures(refuses, name, how):
    refuses("study_tables", f"{name}.csv", (f"paper/published/{name}.csv", how))


def picture(value: int, size: tuple[int, int] = (40, 32)):
    """Write a picture of one grey."""
    return lambda path: Image.new("L", size, value).save(path, "PNG")


LABELLED = {
    "no photo": ("a_image.png", remove, "photo missing"),
    "two photos": ("a_image.jpg", picture(9), "a photo of the same name"),
    "no hand mask": ("a_mask.png", remove, "hand mask missing"),
    "no automatic mask": ("a_mask_pred.png", remove, "automatic mask missing"),
    "an empty hand mask": ("a_mask.png", picture(0), "its hand mask is empty"),
    "a pale hand mask": ("a_mask.png", picture(100), "its hand mask is empty"),
    "a small hand mask": ("a_mask.png", picture(255, (20, 16)), "its hand mask has 20 x 16"),
    "a small automatic mask": ("a_mask_pred.png", picture(255, (20, 16)), "its automatic mask 20 x 16"),
    "a mask that is text": ("a_mask.png", content("white\n"), "does not decode"),
    "a mask that is cut": ("a_mask.png", cut, "does not decode"),
    "a mask that is empty": ("a_mask_pred.png", content(""), "does not decode"),
    "a mask that is a folder": ("a_mask_pred.png", folder, "a_mask_pred.png"),
}


@pytest.mark.parametrize(("name", "how", "words"), list(LABELLED.values()), ids=LABELLED)
def test_masks_drawn_by_hand(refuses, small, name, how, words):
    labels = small.folder / "labels"
    labels.mkdir(exist_ok=True)
    for place, kind in enumerate(("image", "mask", "mask_pred")):
        picture(np.array([80, 255, 255])[place].item())(labels / f"a_{kind}.png")
    refuses("mask_quality --labels labels --out metrics/quality.json", words, (f"labels/{name}", how))
    shutil.rmtree(labels)
