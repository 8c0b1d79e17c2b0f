"""Names from outside that would run, break or hide something where they are shown."""

import csv

import numpy as np
import pandas as pd
import pytest
from audit_to_show import Reader, audit, rows
from PIL import Image

from bgbias.audit.measures import queries
from bgbias.config import values
from bgbias.datasets import folder
from bgbias.errors import InputError, printable
from bgbias.report import comparison, figures, tables
from stages import mask_quality

PLAIN = [
    "<img src=x onerror=alert(1)>",
    "</style><script>alert(1)</script>",
    '=HYPERLINK("http://x")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "'=1+1",
    "''",
    "\"double\" and 'single'",
    "`id`",
    "$(touch x)",
    "$x$",
    r"$\undefined{$",
    "a|b",
    r"a\|b",
    "*bold* __bold__",
    "[a](javascript:alert(1))",
    "&lt;b&gt;",
    "%s %(x)s {x} {0}",
    "../../etc/passwd",
    "a" * 300,
    "m\u00fcg \U0001f469\u200d\U0001f680",  # an emoji of three signs
    "\u05e9\u05dc\u05d5\u05dd",  # from right to left by itself
]
STEERING = ["\x1b[31m", "a\x07", "a\0b", "a\x7f", "a\x9b31m", "\u202egpj.exe", "\u2066a", "a\x08\x08b"]


@pytest.mark.parametrize("name", PLAIN + STEERING)
def test_the_page_of_an_audit_shows_a_name_as_text(write, name):
    found = audit() | {"embedder": name, "verdict": [name, name]}
    read, honest = Reader(write(found, rows(name, name))), Reader(write(audit(), rows()))
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in honest.tags]
    assert [set(attributes) for _, attributes in read.tags] == [set(attributes) for _, attributes in honest.tags]
    assert not [image for image in read.all("img") if not image["src"].startswith("data:image/jpeg;base64,")]


@pytest.mark.parametrize("name", PLAIN)
def test_queries_hold_no_cell_that_a_spreadsheet_computes_and_are_read_as_they_were(tmp_path, name):
    photos = pd.DataFrame({"path": [f"{name}/1.jpg", "a/2.jpg"], "class_name": [name, "'"]})
    queries.write(tmp_path, photos, {"conflict": np.array([0.5, -1.0])})
    cells = [cell for row in csv.reader((tmp_path / "queries.csv").open(newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell not in ("-1", "")]
    read = queries.read(tmp_path)
    assert list(read.index) == list(photos.path) and list(read["class"]) == list(photos.class_name)
    assert list(read.conflict) == [0.5, -1.0]


def test_queries_of_ordinary_names_are_as_they_ever_were(tmp_path):
    photos = pd.DataFrame({"path": ["blue mug/1.jpg"], "class_name": ["blue mug"]})
    queries.write(tmp_path, photos, {"conflict": np.array([0.5])})
    assert (tmp_path / "queries.csv").read_text() == "path,class,conflict\nblue mug/1.jpg,blue mug,0.5\n"


@pytest.mark.parametrize("name", [*PLAIN, *STEERING, "a\nb", "a\r\nb", "|", "||"])
def test_a_table_keeps_its_columns_and_lines(name):
    table = pd.DataFrame({"regime": [name, "base"], name: [name, "1"], "other": ["2", "3"]})
    lines = tables.markdown(table).splitlines()
    assert len(lines) == 4
    for line in lines:
        assert line.replace(r"\|", "").count("|") == 4


@pytest.mark.parametrize("name", PLAIN + STEERING)
def test_a_comparison_shows_names_as_text(name):
    measures = ["recall_at_1_drop", "recall_at_1_clean", "recall_at_1_swapped"]
    compared = pd.DataFrame(
        {"first": 0.5, "second": 0.4, "difference": -0.1, "low": -0.2, "high": 0.0, "queries": 9, "classes": 5},
        index=measures,
    )
    shown = tables.plain(name)
    text = "\n".join(
        [*comparison.sentences(compared, ["a", shown]), tables.markdown(comparison.written(compared, ["a", shown]))]
    )
    assert len(text.splitlines()) == 3 + 2 + len(measures)
    assert all(one.isprintable() for line in text.splitlines() for one in line.replace("\u00a0", ""))
    for sign in "`*[<|":
        assert shown.count(sign) == shown.count(f"\\{sign}")


@pytest.mark.parametrize("name", [name for name in PLAIN if len(name) < 99 and name.isprintable()])
def test_figures_draw_names_as_text(tmp_path, name):
    regimes = {name: {"clean": {"map_at_r": 0.5}, "swapped": {"map_at_r": 0.25}}}
    for number, draw in enumerate((figures.bars, figures.front)):
        figures.save(tmp_path / f"{number}.png", draw(regimes, "map_at_r"))
    cell = figures.Cell(np.zeros((8, 8, 3), np.uint8))
    assert figures.sheet([[cell]], [name], {0: name}).height >= 8


def test_dollars_are_drawn_as_they_are(tmp_path):
    drawn = figures.bars({"$x$": {"clean": {"map_at_r": 0.5}, "swapped": {"map_at_r": 0.25}}}, "map_at_r")
    label = drawn.axes[0].get_xticklabels()[0]
    assert label._preprocess_math(label.get_text()) == ("$x$", False)


@pytest.mark.parametrize("name", [*PLAIN, *STEERING, "a\nb", "-n", "--out", "a b", "a;b", ".", ""])
def test_a_name_that_reaches_a_command_or_a_path_is_a_word(name):
    with pytest.raises(InputError, match="name it with letters, digits, _ and - only"):
        values.refuse_odd_names("audit", [name])


@pytest.mark.parametrize("name", STEERING)
def test_a_class_whose_name_steers_a_terminal_is_refused(tmp_path, name):
    for number, kind in enumerate(("mug", name.replace("\0", "\x01"))):
        (tmp_path / kind).mkdir()
        Image.new("RGB", (8, 8), (99 * number, 0, 0)).save(tmp_path / kind / "1.jpg")
    with pytest.raises(InputError, match="control characters in names; rename files and classes without them: "):
        folder.read(tmp_path)


@pytest.mark.parametrize("name", [name for name in PLAIN if "/" not in name and len(name) < 200])
def test_a_class_of_any_other_name_is_read_as_it_is(tmp_path, name):
    for number, kind in enumerate(("mug", name)):
        (tmp_path / kind).mkdir()
        Image.new("RGB", (8, 8), (99 * number, 0, 0)).save(tmp_path / kind / "1.jpg")
    assert set(folder.read(tmp_path).class_name) == {"mug", name}


@pytest.mark.parametrize("name", [*STEERING, "a\nb", "caf\udce9"])
def test_what_is_printed_is_printable_and_tells_names_apart(name):
    shown = printable(name)
    assert shown.isprintable() and shown != printable(name[:-1])


def test_the_worst_masks_are_named_without_their_escapes(tmp_path, capsys):
    for kind in ("image", "mask", "mask_pred"):
        Image.new("L", (8, 8), 255).save(tmp_path / f"\x1b[31ma_{kind}.png")
    options = {"method": "given", "rembg_model": "u2net", "grabcut_px": 8}
    mask_quality.main(None, tmp_path, tmp_path / "out.json", **options)
    assert r"lowest IoU: \x1b[31ma (1.0000)" in capsys.readouterr().out
