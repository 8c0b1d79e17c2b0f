"""What stages have made and later ones read: packs, tables, embeddings, attention, metrics."""

import numpy as np
import pandas as pd
import pytest
from spoils import BROKEN, array, content, cut, edited, folder, remove, table

pytestmark = pytest.mark.slow
PREPARED, MASKS = "data/prepared/demo/photos", "data/masks/demo/packed"
IMAGES, SCORES = "data/prepared/demo/images.csv", "data/attention/demo/base/42/scores.csv"
EMBEDDED, MAPS = "data/embeddings/demo/base/42", "data/attention/demo/base/42"


def with_nan(values: np.ndarray) -> np.ndarray:
    """The first number is none."""
    return np.concatenate([np.full((1, *values.shape[1:]), np.nan, values.dtype), values[1:]])


SHAPES = BROKEN | {
    "one less": array(lambda shapes: shapes[:-1]),
    "negative": array(lambda shapes: np.where(np.arange(len(shapes))[:, None] == 0, -shapes, shapes)),
    "two negative": array(lambda shapes: shapes * np.int32([-1, -1, 1])),
    "zero": array(lambda shapes: shapes * 0),
    "flat": array(lambda shapes: shapes.ravel()),
    "fractions": array(lambda shapes: shapes + 0.5),
    "huge": array(lambda shapes: shapes.astype(np.int64) * 2**40),
    "text": array(lambda shapes: shapes.astype(str)),
    "objects": array(lambda shapes: shapes.astype(object)),
    "one channel more": array(lambda shapes: np.hstack([shapes, shapes])),
    "none": array(lambda shapes: shapes[:0]),
}
PIXELS = {
    "gone": remove,
    "empty": content(""),
    "cut": cut,
    "a folder": folder,
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
}


@pytest.mark.parametrize("pack", [PREPARED, MASKS, "data/backgrounds/demo/test"])
@pytest.mark.parametrize(
    ("file", "how"), [*(("shapes.npy", how) for how in SHAPES), *(("pixels.bin", how) for how in PIXELS)]
)
def test_a_pack(refuses, pack, file, how):
    spoil = {"shapes.npy": SHAPES, "pixels.bin": PIXELS}[file][how]
    refuses("attention demo base 42", f"{pack}|packed beside it", (f"{pack}/{file}", spoil))


def test_packs_of_other_photos(refuses, small):
    other = (small.folder / f"data/masks/own/packed/{name}" for name in ("shapes.npy", "pixels.bin"))
    refuses(
        "attention demo base 42",
        "masks and photos differ in number or size",
        *((f"{MASKS}/{path.name}", content(path.read_bytes())) for path in other),
    )


@pytest.mark.parametrize("dataset", ["data/backgrounds/demo/test", "data/backgrounds/demo"])
def test_a_pool_that_is_gone(refuses, dataset):
    refuses("embed demo base 42", "backgrounds/demo", (dataset, remove))


TABLES = {
    **{name: (how, "images.csv") for name, how in BROKEN.items()},
    "the header alone": (table(lambda rows: rows[:0]), "has no rows"),
    "no header": (edited("image_id,", "0,"), "has no column image_id"),
    "a column less": (table(lambda rows: rows.drop(columns="class_id")), "has no column class_id"),
    "semicolons": (edited(",", ";"), "has no column"),
    "letters for numbers": (table(lambda rows: rows.assign(class_id="x")), "does not read"),
    "fractions": (table(lambda rows: rows.assign(class_id="1.5")), "does not read"),
    "numbers that are empty": (table(lambda rows: rows.assign(class_id="")), "does not read"),
    "huge numbers": (table(lambda rows: rows.assign(class_id="9" * 30)), "does not read"),
    "a row less": (table(lambda rows: rows[1:]), "not numbered from 0 on"),
    "the last row less": (table(lambda rows: rows[:-1]), "photos"),
    "a row twice": (table(lambda rows: pd.concat([rows, rows[-1:]])), "not numbered from 0 on"),
    "in another order": (table(lambda rows: rows[::-1]), "not numbered from 0 on"),
    "an unknown split": (table(lambda rows: rows.assign(split="dev")), "split"),
    "no test photos": (table(lambda rows: rows.assign(split="train")), "split"),
    "a quote": (edited("photos/", '"photos/'), "images.csv"),
    "UTF-16": (lambda path: path.write_text(path.read_text(), encoding="utf-16"), "does not read"),
    "NUL bytes": (content("image_id\0,path\n0\0,1\n"), "images.csv"),
    "negative ids": (table(lambda rows: rows.assign(class_id="-1")), "class_id"),
}


TABLED = [
    pytest.param(command, *TABLES[name], id=f"{command}: {name}")
    for command in ("embed demo base 42", "train demo base 42", "masks demo")
    for name in TABLES
    if "masks" not in command
    or name not in ("cut", "the last row less", "no test photos")  # they may be of other photos
]


@pytest.mark.parametrize(("command", "how", "words"), TABLED)
def test_an_image_table(refuses, command, how, words):
    refuses(command, words, (IMAGES, how))


ARRAYS = BROKEN | {
    "one row less": array(lambda values: values[:-1]),
    "flat": array(lambda values: values.ravel()),
    "three dimensions": array(lambda values: values[..., None]),
    "none": array(lambda values: values[:0]),
    "no columns": array(lambda values: values[:, :0]),
    "text": array(lambda values: values.astype(str)),
    "objects": array(lambda values: values.astype(object)),
    "complex": array(lambda values: values.astype(complex)),
    "dates": array(lambda values: values.astype("datetime64[s]")),
}
FLOATS = ARRAYS | {
    "NaN": array(with_nan),
    "inf": array(lambda values: values + np.inf),
    "whole numbers": array(lambda values: values.astype(np.uint8)),
}


@pytest.mark.parametrize("how", list(FLOATS.values()), ids=FLOATS)
@pytest.mark.parametrize("file", ["clean.npy", "swapped/1.npy"])
def test_embeddings_to_evaluate(refuses, file, how):
    refuses("evaluate demo base", f"{EMBEDDED}/{file}", (f"{EMBEDDED}/{file}", how))


@pytest.mark.parametrize("how", list(FLOATS.values()), ids=FLOATS)
def test_embeddings_to_show(refuses, how):
    refuses("report demo", f"{EMBEDDED}/swapped/0.npy", (f"{EMBEDDED}/swapped/0.npy", how))


@pytest.mark.parametrize("name", sorted(ARRAYS.keys() - {"one row less"}))  # more are there than are shown
def test_attention_maps(refuses, name):
    refuses("report demo", f"{MAPS}/clean.npy", (f"{MAPS}/clean.npy", ARRAYS[name]))


ROWS = {
    **{name: how for name, how in BROKEN.items() if name != "cut"},
    "the header alone": table(lambda rows: rows[:0]),
    "a column less": table(lambda rows: rows.drop(columns=rows.columns[0])),
    "letters": table(lambda rows: rows.assign(**{rows.columns[1]: "x"})),
    "semicolons": edited(",", ";"),
}


@pytest.mark.parametrize("how", list(ROWS.values()), ids=ROWS)
def test_photos_of_embeddings(refuses, how):
    refuses("evaluate demo base", f"{EMBEDDED}/images.csv", (f"{EMBEDDED}/images.csv", how))


@pytest.mark.parametrize(
    "how", [*ROWS.values(), cut, table(lambda rows: rows.assign(clean="inf"))], ids=[*ROWS, "cut", "inf"]
)
def test_attention_scores(refuses, how):
    refuses("evaluate demo base", SCORES, (SCORES, how))


@pytest.mark.parametrize(
    "how",
    [
        table(lambda rows: rows.assign(image_id="999")),
        table(lambda rows: rows.assign(image_id="x")),
        table(lambda rows: rows.assign(image_id="-1")),
        table(lambda rows: rows.assign(image_id="")),
    ],
    ids=["unknown", "letters", "negative", "empty"],
)
def test_attention_scores_of_other_photos(refuses, how):
    refuses("report demo", "scores.csv|attention", (SCORES, how))
    refuses("evaluate demo base", "scores.csv", (SCORES, how))


@pytest.mark.parametrize(
    "how",
    [*ROWS.values(), table(lambda rows: rows[1:]), table(lambda rows: rows.drop(columns="map_at_r_clean"))],
    ids=[*ROWS, "a row less", "no MAP@R"],
)
def test_tables_of_queries(refuses, how):
    refuses("report demo", "data/queries/demo/base.csv|base and bgconsistency", ("data/queries/demo/base.csv", how))
