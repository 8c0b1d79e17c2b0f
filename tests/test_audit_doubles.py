"""Queries that are photos of the gallery, saved anew: named, and what is found without them is said."""

import shutil

import numpy as np
import pytest
from PIL import Image
from sent_photos import COPIED, as_photos, audited, saved_anew, with_a_mirrored_one

from bgbias.audit.inputs import doubles, sample
from bgbias.audit.measures import embeddings
from bgbias.audit.verdict.wording import unshown
from bgbias.datasets import near_duplicates

pytestmark = pytest.mark.usefixtures("in_the_shop")


def about_doubles(found):
    return [sentence for sentence in found["verdict"] if "near-duplicate" in sentence]


def percent(estimates):
    return f"{100 * estimates['recall_at_1']['value']:.1f}"


PAIRS = [[f"sent/z{kind}_{number}.jpg", f"shop/{kind}_{number}.png"] for kind, number in COPIED]


@pytest.mark.parametrize("quick", [False, True])
def test_sent_photos_that_are_the_shops_are_named_with_the_figures_without_them(shop, sent, tmp_path, quick):
    found = audited(shop, sent, tmp_path / "all", quick=quick)
    without = audited(shop, sent, tmp_path / "less", lambda rows: rows[~rows.path.str.contains("/z")], quick=quick)
    near = found["near_duplicates"]
    assert (near["queries"], near["pair_count"], near["pairs"]) == (4, 4, PAIRS)
    assert near["clean_without"] == without["matrix"]["clean"]["clean"] and near["drop_without"] == without["drop"]
    assert near["clean_without"]["recall_at_1"]["value"] < found["matrix"]["clean"]["clean"]["recall_at_1"]["value"]
    none = {"queries": 0, "pair_count": 0, "pairs": [], "said": "", "clean_without": None, "drop_without": None}
    assert without["near_duplicates"] == none
    assert about_doubles(without) == []
    assert about_doubles(found) == [
        "4 of 19 queries have a near-duplicate in the gallery (recompressed, resized or slightly cropped; 4 pairs, "
        "such as sent/z0_0.jpg = shop/0_0.png), found by any model: leave these queries out. Without these queries, "
        f"Recall@1 of the photos as they are is {percent(near['clean_without'])} %, and swapping backgrounds costs "
        f"{percent(near['drop_without'])} points{unshown(('', near['drop_without']['recall_at_1']))}."
    ]
    assert f"<p>{about_doubles(found)[0][:60]}" in (tmp_path / "all/report.html").read_text()


def test_a_sent_photo_of_another_class_is_called_mislabelled(shop, sent, tmp_path):
    moved = audited(shop, sent, tmp_path, lambda rows: rows.replace({"class": {"class2": "class1"}}).assign(
        **{"class": rows["class"].where(rows.path != "sent/z2_3.jpg", "class1")}), quick=True)  # fmt: skip
    said = "leave these queries out. Of two classes, one of them wrong: 1 pair, such as sent/z2_3.jpg = shop/2_3.png."
    assert said in about_doubles(moved)[0]


def test_where_hardly_any_other_query_is_left_no_figure_without_them_is_said(shop, sent, tmp_path):
    found = audited(shop, sent, tmp_path, lambda rows: rows[~rows.path.str.match("sent/[1-4]_")], quick=True)
    assert found["near_duplicates"]["queries"] == 4 and found["near_duplicates"]["drop_without"] is None
    assert about_doubles(found)[0].endswith("leave these queries out. Without these queries, too few are left.")


def test_of_a_sample_those_with_another_in_the_gallery_are_named_as_among_all(shop, sent, tmp_path, monkeypatch):
    every = audited(shop, sent, tmp_path / "every", as_photos, quick=True)
    assert every["near_duplicates"]["pairs"] == PAIRS
    paths = sorted(sent[1].path)
    drawn = [number for number, path in enumerate(paths) if path.startswith("sent/") or path == "shop/0_1.png"]
    drawn.remove(paths.index("sent/z0_0.jpg"))

    def figures(folder, rows):
        monkeypatch.setattr(sample, "draw", lambda *given: np.array(rows))
        return audited(shop, sent, tmp_path / folder, as_photos, queries=len(rows))

    found = figures("some", drawn)
    near, doubled = found["near_duplicates"], {paths.index(path) for pair in PAIRS for path in pair}
    assert near["pairs"] == PAIRS[1:] and near["queries"] == 4  # of one pair both are drawn
    without = figures("less", [row for row in drawn if row not in doubled])
    assert near["clean_without"] == without["matrix"]["clean"]["clean"] and near["drop_without"] == without["drop"]
    assert about_doubles(without) == []
    said = (
        "4 of 19 queries have a near-duplicate in the gallery (recompressed, resized or slightly cropped; 3 pairs, such"
    )
    assert (
        about_doubles(found)[0].startswith(said) and "any model: keep one of each. Without" in about_doubles(found)[0]
    )


def test_they_are_looked_for_once_and_an_interrupted_search_goes_on(shop, sent, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doubles, "PIECE", 8)
    looked, find = [], near_duplicates.near_duplicates_of

    def watched(queries):
        one = find(queries)
        return lambda batch: looked.append((len(queries), len(batch))) or one(batch)

    monkeypatch.setattr(doubles, "near_duplicates_of", watched)
    write = doubles.Doubles._write

    def broken(self, rows, *given):
        if rows[0] == 16:
            raise KeyboardInterrupt
        write(self, rows, *given)

    monkeypatch.setattr(doubles.Doubles, "_write", broken)
    with pytest.raises(KeyboardInterrupt):
        audited(shop, sent, tmp_path / "one", quick=True)
    asked = 19 + 90 + 19  # queries, backgrounds, and the queries mirrored
    assert looked == [(1, 8), (asked, 8), (asked, 8)]  # the first for the time that is announced
    assert "near-duplicates of queries looked for among 20 photos: about" in capsys.readouterr().out
    monkeypatch.setattr(doubles.Doubles, "_write", write)
    found = audited(shop, sent, tmp_path / "one", quick=True)
    assert looked[3:] == [(1, 8), (asked, 4)] and found["near_duplicates"]["pairs"] == PAIRS
    said = " px, and near-duplicates of queries looked for among 4 photos: about "
    assert said in capsys.readouterr().out
    audited(shop, sent, tmp_path / "two", name="leaning", quick=True)
    assert len(looked) == 5 and "looked for" not in capsys.readouterr().out  # whatever the model


@pytest.mark.parametrize(
    ("change", "queries", "which"),
    [
        (as_photos, None, "2 of 35 photos are near-duplicates of others' mirror images"),
        (as_photos, 4, "1 of 4 queries have a near-duplicate of their mirror image in the gallery"),
        (lambda rows: rows, None, "1 of 15 queries have a near-duplicate of their mirror image in the gallery"),
    ],
    ids=["photos", "sample", "roles"],
)
def test_mirrored_copies_are_named(shop, sent, tmp_path, monkeypatch, change, queries, which):
    folder, rows = with_a_mirrored_one(sent, tmp_path / "shop")
    monkeypatch.setattr(sample, "draw", lambda *given: np.arange(4))  # sent/0_0.png to sent/1_0.png
    found = audited(shop, (folder, change(rows)), tmp_path / "out", quick=True, queries=queries)
    one, other = sorted(["sent/0_0.png", "shop/0_0.png"])
    assert about_doubles(found) == [
        f"{which} (recompressed, resized or slightly cropped; 1 pair, such as {one} = {other}), found by any model "
        "that has learnt with flips: keep one of each. All figures hold them."
    ]


def test_other_photos_of_the_gallery_or_other_queries_are_looked_through_anew(shop, sent, tmp_path):
    first = audited(shop, sent, tmp_path / "first", quick=True)
    less = audited(shop, sent, tmp_path / "less", lambda rows: rows[rows.path != "shop/2_3.png"], quick=True)
    other = audited(shop, sent, tmp_path / "other", lambda rows: rows[rows.path != "sent/z0_0.jpg"], quick=True)
    pairs = [found["near_duplicates"]["pairs"] for found in (first, less, other)]
    assert pairs == [PAIRS, [pair for pair in PAIRS if "2_3" not in pair[1]], PAIRS[1:]]


@pytest.mark.parametrize("change", [lambda rows: rows, as_photos])
def test_photos_of_the_gallery_saved_anew_are_no_backgrounds(shop, sent, tmp_path, monkeypatch, change):
    rows = change(sent[1])
    unasked = [place for place, path in enumerate(sorted(rows.path)) if path != "shop/1_2.png"]
    monkeypatch.setattr(sample, "draw", lambda *given: np.array(unasked))
    asked = {} if "role" in rows else {"queries": len(unasked)}
    walls = {"backgrounds": str(shutil.copytree("backgrounds", tmp_path / "walls")), "quick": True}
    audited(shop, sent, tmp_path / "one", change, **walls, **asked)
    saved_anew(Image.open(sent[0] / "photos/shop/1_2.png"), tmp_path / "walls/wall.jpg")
    monkeypatch.setattr(embeddings, "_made", lambda *given: pytest.fail("embedded first"))
    message = "^audited photos among the backgrounds, with their objects; .*: .*walls/wall.jpg = shop/1_2.png$"
    with pytest.raises(ValueError, match=message):
        audited(shop, sent, tmp_path / "two", change, **walls, **asked)
