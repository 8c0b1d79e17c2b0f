"""The page of an audit: whole in itself, safe against names from outside, readable with parts missing."""

import base64
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import count

import numpy as np
import pytest
from PIL import Image

from bgbias.metrics import bootstrap
from bgbias.report import page as report_page
from bgbias.report.page import charts, gallery, measures, wording
from bgbias.report.page.wording import PERCENT, PLAIN, POINTS

EVIL = '<script>alert(1)</script>" onerror="alert(1)'
VIEWS = """clean swapped foreground_black foreground_grey foreground_mean background_silhouette background_box_blacked
    background_box_tiled mixed_same mixed_rand mixed_next""".split()


SHARE = {"low": 0.203, "high": 0.422, "queries": 7654, "classes": 321, "undefined": 0}


def audit() -> dict:
    """An audit in which every number is another one."""
    step = count(1)

    def one() -> dict:
        n = next(step)
        return {
            "value": 0.2 + n * 0.0041, "low": 0.1 + n * 0.0041, "high": 0.3 + n * 0.0041,
            "queries": 1000 + n, "classes": 200 + n, "undefined": 3000 + n,
        }  # fmt: skip

    def both() -> dict:
        return {"recall_at_1": one(), "map_at_r": one()}

    return {
        "embedder": "torchvision:resnet50:imagenet",
        "photos": 5421,
        "classes": 81,
        "masks": "grabcut",
        "backgrounds": "unsplash",
        "chance": {"recall_at_1": 0.0123, "map_at_r": 0.0057},
        "matrix": {query: {place: both() for place in ("clean", "swapped")} for query in ("clean", "swapped")},
        "drop": both(),
        "views": {view: both() for view in VIEWS},
        "background_only_against_clean": {view: both() for view in VIEWS if view.startswith("background")},
        "gap": both(),
        "conflict": one(),
        "worst_of_backgrounds": {"worst": one(), "mean": one(), "backgrounds": 7},
        "invariance": one(),
        "variance": {
            "photo": SHARE | {"value": 0.411, "low": 0.399}, "background": SHARE | {"value": 0.222, "high": 0.234},
            "rest": SHARE | {"value": 0.367}, "random": {"photo": 0.1987, "background": 0.0013, "rest": 0.8},
        },
        "attention": {
            view: {
                "score": one(), "rank_accuracy": one(), "pointing_game": one(),
                "pair_score": one(), "pair_score_retrieved": one(),
            }
            for view in ("clean", "swapped")
        },
        "mask_doubt": {
            "flagged": {"empty": ["a/1.jpg"], "full": ["b/2.jpg", "b/3.jpg"], "border": ["c/4.jpg"], "tiny": []},
            "drop_without": both(), "drop_eroded": both(), "drop_dilated": both(),
            "moved_eroded": both(), "moved_dilated": both(), "radius_px": 6,
        },
        "verdict": ["It looks at the table.", "By 40 points."],
    }  # fmt: skip


def rows(name: str = "blue mug", path: str = "blue mug/1.jpg", attention: bool = True) -> list[report_page.Row]:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (48, 64, 3), np.uint8)
    neighbours = [(photo, name, True), (photo, name, False)]
    seen = rng.random((48, 64)) if attention else None
    pair = (seen, seen) if attention else None
    return [report_page.Row(path, name, photo, photo, neighbours, neighbours[1:], seen, seen, pair, pair)]


@pytest.fixture
def write(tmp_path):
    def written(found: dict, shown: list[report_page.Row]) -> str:
        report_page.write(tmp_path / "page.html", found, shown)
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    return written


class Reader(HTMLParser):
    """Collects tags and text, and checks that every element that is opened is closed in its turn."""

    VOID = ("meta", "img")

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name, attributes):
        assert len(dict(attributes)) == len(attributes), "an attribute twice"
        self.tags.append((name, dict(attributes)))
        if name not in self.VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def all(self, name: str) -> list[dict]:
        return [attributes for found, attributes in self.tags if found == name]


def text(html: str) -> str:
    return " ".join(Reader(html).text).replace("\u00a0", " ")


def estimates(found) -> list[dict]:
    if not isinstance(found, dict):
        return []
    return [found] if "queries" in found else [one for inner in found.values() for one in estimates(inner)]


def test_the_page_needs_nothing_else(write):
    html = write(audit(), rows())
    read = Reader(html)
    names = {name for name, _ in read.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in read.all("img"))
    assert all(link["href"].startswith("#") for link in read.all("a"))
    assert "url(" not in html and "@import" not in html and "://" not in html
    assert not [key for _, attributes in read.tags for key in attributes if key.startswith("on")]
    assert any("default-src 'none'" in meta.get("content", "") for meta in read.all("meta"))


def test_links_lead_to_sections_and_ids_are_there_once(write):
    read = Reader(write(audit(), rows()))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) and {link["href"][1:] for link in read.all("a")} <= set(ids)


def test_names_from_outside_are_text(write):
    found = audit()
    for key in ("embedder", "masks", "backgrounds"):
        found[key] = EVIL
    found["verdict"] = [EVIL]
    found["mask_doubt"]["flagged"] = {kind: [EVIL] for kind in measures.MASKS}
    html = write(found, rows(EVIL, EVIL))
    honest = Reader(write(audit(), rows()))
    read = Reader(html)
    assert "<script" not in html and EVIL not in html
    assert {name for name, _ in read.tags} == {name for name, _ in honest.tags}
    keys = [{key for _, attributes in report_page.tags for key in attributes} for report_page in (read, honest)]
    assert keys[0] == keys[1]
    assert "".join(read.text).count(EVIL) == 4 + 1 + 4 + 2 + 3  # facts and title, verdict, masks, heading, neighbours


def test_a_file_name_that_is_no_utf_8_can_be_written(write):
    assert "caf?.jpg" in write(audit(), rows(path="caf\udce9.jpg"))


def test_every_number_is_there_with_its_interval_queries_and_classes(write):
    found = audit()
    said = text(write(found, rows()))
    of_points = [*estimates(found["gap"]), *estimates(found["drop"]), *estimates(found["mask_doubt"])]
    plain = [found["invariance"]]
    plain += [one for of in found["attention"].values() for name, one in of.items() if "score" in name]
    for one in estimates(found):
        unit = POINTS if one in of_points else PLAIN if one in plain else PERCENT
        assert wording.value(one, unit).replace("\u00a0", " ") in said
        assert wording.interval(one, unit) in said
        assert wording.counts(one).replace("\u00a0", " ") in said
    for number in (
        "5,421",
        "81",
        "chance 1.2",
        "of MAP@R it is 0.6 %",
        "41.1 %",
        "22.2 %",
        "36.7 %",
        "19.9 %",
        "0.1 %",
        "80.0 %",
        "6 px",
    ):
        assert number in said


def test_names_paths_and_verdict_are_there(write):
    said = text(write(audit(), rows()))
    for expected in ("torchvision:resnet50:imagenet", "blue mug/1.jpg", "It looks at the table.", "b/3.jpg"):
        assert expected in said
    assert "Nearly full: 2" in said and "4 masks are suspect, of 5,421" in said


def test_right_and_wrong_are_told_by_sign_and_text_too(write):
    html = write(audit(), rows())
    alts = [image["alt"] for image in Reader(html).all("img")]
    assert "Neighbour 1, right: blue mug" in alts and "Neighbour 2, wrong: blue mug" in alts
    assert text(html).count("✓") == 1 and text(html).count("✗") == 2
    assert "Clean: 1 of 2 right" in text(html) and "Swapped: 0 of 1 right" in text(html)


def test_tables_have_captions_and_headers_with_scope(write):
    read = Reader(write(audit(), rows()))
    assert len(read.all("caption")) == len(read.all("table")) == 7
    assert all(header["scope"] in ("col", "row", "rowgroup") for header in read.all("th"))
    assert read.all("html")[0]["lang"] == "en"


def test_missing_parts_read_well(write):
    found = audit()
    nothing = {"value": None, "low": None, "high": None, "queries": 0, "classes": 0, "undefined": 9}
    found["attention"] = None
    found["conflict"] = nothing
    found["gap"]["recall_at_1"] |= {"low": None, "high": None, "classes": 1}
    found["matrix"]["clean"]["clean"]["recall_at_1"] = nothing
    found["variance"] |= dict.fromkeys(("photo", "background", "rest"), nothing)
    found["mask_doubt"] |= {"drop_without": None, "flagged": {kind: [] for kind in measures.MASKS}}
    found["views"] = {"clean": found["views"]["clean"]}
    found["background_only_against_clean"] = {}
    found["classes"] = 1
    html = write(found, [])
    said = text(html)
    for expected in (
        "Attention maps need gradients at the pictures", "No photos were given to show", "not defined",
        "no interval", "not measured", "0 masks are suspect", "0 queries, 0 classes; 9 left out", "Only 1 class was",
    ):  # fmt: skip
        assert expected in said
    assert "None" not in said and "nan" not in said and "Backgrounds alone, in clean photos" not in said


def test_few_classes_are_warned_of_as_the_intervals_say(write):
    assert "narrow: simulated" not in text(write(audit(), rows()))
    assert "84 of 100 cases for 5 classes, in 92 for 20" in text(write(audit() | {"classes": 5}, rows()))
    stated = " ".join(bootstrap.estimate.__doc__.split())
    assert "in 84 of 100 samples of 5 classes" in stated and "in 92 of 20" in stated


def test_rows_without_attention_have_no_overlay(write):
    with_maps, without = (Reader(write(audit(), rows(attention=shown))).all("img") for shown in (True, False))
    assert len(with_maps) == len(without) + 2 * 3


def test_what_makes_a_pair_alike_is_shown_in_the_query_and_in_its_first_neighbour(write):
    (row,) = rows()
    shown, other = row.clean, np.zeros((40, 30, 3), np.uint8)
    left, low = np.zeros((48, 64)), np.zeros((40, 30))
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


def test_an_unknown_view_is_refused(write):
    found = audit()
    found["views"]["inverted"] = found["views"]["clean"]
    with pytest.raises(ValueError, match="unknown views inverted: describe them"):
        write(found, [])


def test_a_doubt_of_an_unknown_kind_is_listed_all_the_same(write):
    found = audit()
    found["mask_doubt"]["flagged"]["two objects"] = ["d/5.jpg"]
    said = text(write(found, []))
    assert "two objects: 1" in said and "d/5.jpg" in said and "5 masks are suspect" in said


def test_attention_of_another_size_is_refused(write):
    with pytest.raises(ValueError, match=r"attention \(7, 7\) of a photo \(48, 64\): enlarge it"):
        write(audit(), [rows()[0]._replace(attention_clean=np.zeros((7, 7)))])


def test_an_overlay_shines_where_the_attention_is_in_photos_of_any_shape():
    attention = np.zeros((48, 64))
    attention[:, 32:] = 1
    shown = gallery.overlay(np.full((48, 64, 3), 100, np.uint8), attention).astype(int).sum(2)
    assert shown.shape == (48, 64) and shown[:, 40:].min() > shown[:, :24].max()


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


def test_the_page_is_the_same_to_the_byte(write):
    assert write(audit(), rows()) == write(audit(), rows())


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
