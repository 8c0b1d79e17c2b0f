"""The pictures of an audit's page: overlays, charts, and the page in a browser."""

import base64
import io
import re
import shutil
import subprocess

import numpy as np
import pytest
from audit_to_show import Reader, audit, rows
from PIL import Image

from bgbias.audit.page import charts, gallery, style
from bgbias.audit.page.wording import PERCENT, POINTS


def test_rows_without_attention_have_no_overlay(write):
    with_maps, without = (Reader(write(audit(), rows(attention=shown))).all("img") for shown in (True, False))
    assert len(with_maps) == len(without) + 2 * 3


def test_what_makes_a_pair_alike_is_shown_in_the_query_and_in_its_first_neighbour(write):
    (row,) = rows()
    shown, other = row.clean, np.zeros((64, 64, 3), np.uint8)
    left, low = np.zeros((64, 64)), np.zeros((64, 64))
    left[:, :32], low[20:] = 1, 1
    neighbours = [(other, "red mug", False), *row.neighbours_swapped]
    row = row._replace(neighbours_swapped=neighbours, pair_swapped=(left, low))
    shown_images = Reader(write(audit(), [row])).all("img")
    names = [image["alt"] for image in shown_images]
    expected = {
        "What makes it like neighbour 1, swapped": gallery.overlay(shown, left),
        "What makes neighbour 1 like the query, swapped": gallery.overlay(other, low),
    }
    for name, picture in expected.items():
        assert shown_images[names.index(name)]["src"] == gallery.data_uri(picture)
    beside = names.index("Neighbour 1, wrong: red mug") + 1
    assert names[beside] == "What makes neighbour 1 like the query, swapped"


def test_attention_of_another_size_is_refused(write):
    with pytest.raises(ValueError, match=r"attention \(7, 7\) of a photo \(64, 64\): enlarge it"):
        write(audit(), [rows()[0]._replace(attention_clean=np.zeros((7, 7)))])


def test_an_overlay_shines_where_the_attention_is():
    attention = np.zeros((64, 64))
    attention[:, 32:] = 1
    shown = gallery.overlay(np.full((64, 64, 3), 100, np.uint8), attention).astype(int).sum(2)
    assert shown.shape == (64, 64) and shown[:, 40:].min() > shown[:, :24].max()


def test_photos_are_embedded_small():
    uri = gallery.data_uri(np.full((500, 1000, 3), 128, np.uint8))
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert picture.format == "JPEG" and picture.size == (224, 112)


def test_dots_are_where_their_values_are():
    one = {"value": 0.25, "low": 0.1, "high": 0.5, "queries": 1, "classes": 1, "undefined": 0}
    drawn = charts.track(one, charts.scale([one], PERCENT, mark=0.04), "good")
    assert '<svg x="25.00%"' in drawn and 'x1="10.00%" x2="50.00%"' in drawn and 'x1="4.00%" x2="4.00%"' in drawn
    below = one | {"low": -0.1}
    assert '<svg x="62.50%"' in charts.track(below, charts.scale([below], POINTS), "bad")


def test_dots_diamonds_and_squares_are_told_apart_by_shape_and_colour():
    one = {"value": 0.25, "low": None, "high": None}
    shapes = {"good": "<circle", "bad": 'd="M0-7 7 0 0 7-7 0Z"', "open": 'd="M-5-5H5V5H-5Z"'}
    for kind, shape in shapes.items():
        drawn = charts.track(one, charts.scale([one], PERCENT), kind)
        assert [other for other in shapes if shapes[other] in drawn] == [kind] and shape in drawn
        assert f".dot.{kind} {{ fill: var(--" in style.CSS and f'class="dot {kind}"' in drawn


MEASURE = """<script>addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth, page = innerWidth;
  const out = [...document.querySelectorAll("body *")].filter((one) =>
    !one.closest(".box, svg, details, .hidden") && one.getBoundingClientRect().right > page + 1);
  parent.postMessage(`measured ${page} ${wide} ${out.map((one) => one.tagName + "." + one.className)}`, "*");
});</script></head>"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
@pytest.mark.parametrize("width", [390, 900, 1280])
def test_a_browser_shows_it_without_horizontal_scrolling(write, tmp_path, width):
    found = audit()
    found["embedder"] = "onnx:" + "models/" * 30 + "net.onnx?mean=0.485,0.456,0.406"
    found["mask_doubt"]["flagged"]["tiny"] = ["x" * 300 + ".jpg"]
    html = write(found, rows("a" * 120, "b" * 300 + ".jpg"))
    html = re.sub(r"<meta http-equiv=[^>]*>", "", html).replace("</head>", MEASURE)  # it allows no script
    (tmp_path / "measured.html").write_text(html, encoding="utf-8")
    listen = '<script>addEventListener("message", (event) => { document.title = event.data })</script>'
    # a window is never as narrow as a phone, a frame is
    frame = f'<iframe src="measured.html" style="border:0;width:{width}px;height:900px"></iframe>'
    (tmp_path / "frame.html").write_text(f"<!DOCTYPE html><title></title>{listen}{frame}", encoding="utf-8")
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000", "--virtual-time-budget=4000"]
    command += ["--dump-dom", (tmp_path / "frame.html").as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    measured = re.search(r"<title>measured (\d+) (\d+) (.*?)</title>", dumped)
    assert measured and measured.groups() == (str(width), str(width), "")
