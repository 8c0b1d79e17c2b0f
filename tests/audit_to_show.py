"""An audit in which every number is another one, and a reader of the page that shows it."""

import re
from html.parser import HTMLParser
from itertools import count

import numpy as np
import pytest

from bgbias.audit import page as report_page
from bgbias.audit.about import About
from bgbias.audit.measures.examples import Masked
from bgbias.audit.page import places

EVIL = '<script>alert(1)</script>" onerror="alert(1)'
VIEWS = """clean swapped foreground_black foreground_grey foreground_mean background_silhouette background_box_blacked
    background_box_tiled mixed_same mixed_rand pasted_back pasted_mirrored""".split()
ABOUT = About(None, "2026-11-25", "v1.2-3-gabc", "AMD EPYC; Python 3.11.7, torch 2.12.1", False)
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
        "mixed_other_against_clean": both(),
        "gap": both(),
        "pasting": {view: both() for view in VIEWS if view.startswith("pasted")},
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
        "kept": one(),
        "grey_gain": both(),
        "summary": {"said": "It sees the table.", "grade": "D", "graded": "It keeps little. D from a few."},
        "advice": [{"said": "Clear the table.", "commands": ["rm 'a b'", "ls"]}, {"said": "Move.", "commands": []}],
        "second_backgrounds": {
            "backgrounds": "walls", "drop": both(), "swapped": both(), "moved": both(),
            "kept": one(), "conflict": one(), "conflict_moved": one(),
        },
        "second_masks": {
            "kind": "rembg u2net", "flagged": {"empty": 0}, "agreement": one(), "unlike_share": 0.4,
            "unlike": [["d/6.jpg", 0.0123], ["d/7.jpg", 0.45]],
            "swapped": both(), "drop": both(), "moved": both(), "conflict": one(), "kept": one(),
            "drop_agreed": both(), "second_drop_agreed": both(),
            "classes": [
                {"class": f"kind {n}", "queries": 40 + n, "drop": 0.9 - n / 100, "drop_second": 0.801 - n / 100,
                 "agreement": n / 30} for n in range(21)
            ],
        },
        "places": {
            "places": 4, "left_out": 5, "doubles": 0, "beyond_objects": one(),
            **{part: {key: one() for key in ("same", "elsewhere", "drop")} for part in places.PARTS},
        },
        "verdict": ["It looks at the table.", "By 40 points."],
    }  # fmt: skip


def masked(path: str = "blue mug/1.jpg", count: int = 2) -> list[Masked]:
    shown = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), np.uint8)
    return [Masked(path, *shown)] * count


def rows(name: str = "blue mug", path: str = "blue mug/1.jpg", attention: bool = True) -> list[report_page.Row]:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (64, 64, 3), np.uint8)
    neighbours = [(photo, name, True), (photo, name, False)]
    seen = rng.random((64, 64)) if attention else None
    pair = (seen, seen) if attention else None
    return [report_page.Row(path, name, photo, photo, neighbours, neighbours[1:], seen, seen, pair, pair)]


@pytest.fixture
def write(tmp_path):
    def written(found: dict, shown: list[report_page.Row], sheet=None, about: About = ABOUT) -> str:
        report_page.write(tmp_path / "page.html", found, shown, masked() if sheet is None else sheet, about)
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
    whole = re.sub('<span class="whole">(.*?)</span>', r"\1", html)  # these words stand in their sentence
    return " ".join(Reader(whole).text).replace("\u00a0", " ")


def estimates(found) -> list[dict]:
    if not isinstance(found, dict):
        return []
    return [found] if "queries" in found else [one for inner in found.values() for one in estimates(inner)]
