"""The page of an audit: whole in itself, safe against names from outside, readable with parts missing."""

import re

import numpy as np
import pytest
from audit_to_show import ABOUT, EVIL, Reader, audit, estimates, masked, rows, text

from bgbias.audit.about import About
from bgbias.audit.measures.examples import Row
from bgbias.audit.page import gallery, masks, measures, places, wording
from bgbias.audit.page.style import CSS
from bgbias.audit.page.wording import PERCENT, PLAIN, POINTS
from bgbias.metrics import bootstrap

MAP = np.zeros((2, 2))


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
    found["mask_doubt"]["flagged"] = {kind: [EVIL] for kind in masks.MASKS}
    found["summary"] = {"said": EVIL, "grade": EVIL, "graded": EVIL}
    found["advice"] = [{"said": EVIL, "commands": [EVIL]}, {"said": EVIL, "commands": []}]
    html = write(found, rows(EVIL, f"{EVIL}!"), masked(EVIL), About(EVIL, EVIL, EVIL, EVIL, False))
    honest = Reader(write(audit(), rows(), about=ABOUT._replace(title="A shop")))
    read = Reader(html)
    assert "<script" not in html and EVIL not in html
    assert {name for name, _ in read.tags} == {name for name, _ in honest.tags}
    keys = [{key for _, attributes in report_page.tags for key in attributes} for report_page in (read, honest)]
    assert keys[0] == keys[1]
    counts = {"facts and titles": 8, "short": 3, "advice": 3, "before and after": 2, "pools": 2, "verdict": 1}
    counts |= {"masks": 5, "heading": 2, "neighbours": 3, "first of two pools": 4}
    expected = sum(counts.values())
    assert "".join(read.text).count(EVIL) == expected


def test_a_file_name_that_is_no_utf_8_can_be_written(write):
    assert "caf?.jpg" in write(audit(), rows(path="caf\udce9.jpg"))


def test_every_number_is_there_with_its_interval_queries_and_classes(write):
    found = audit()
    said = text(write(found, rows()))
    of_points = [one for key in ("gap", "pasting", "drop", "mask_doubt", "grey_gain") for one in estimates(found[key])]
    of_second = {name: one for name, one in found["second_masks"].items() if "drop" in name or name == "moved"}
    of_points += estimates(of_second)
    plain = [found["invariance"], found["second_masks"]["agreement"]]
    plain += [one for of in found["attention"].values() for name, one in of.items() if "score" in name]
    of_points += estimates({name: found["second_backgrounds"][name] for name in ("drop", "moved", "conflict_moved")})
    of_points += [found["places"]["beyond_objects"], *(found["places"][part]["drop"] for part in places.PARTS)]
    for place in (found, found["second_masks"], found["second_backgrounds"]):
        place.pop("kept")  # is in the sentence on the grade
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
    assert "Nearly full: 2" in said and "4 masks are in doubt, of 5,421" in said
    assert "What it does on new photos, if it was trained on these" in said


def test_right_and_wrong_are_told_by_sign_and_text_too(write):
    html = write(audit(), rows())
    alts = [image["alt"] for image in Reader(html).all("img")]
    assert "Neighbour 1, right: blue mug" in alts and "Neighbour 2, wrong: blue mug" in alts
    assert text(html).count("✓") == 1 + 1 and text(html).count("✗") == 2 + 1  # and before and after
    assert "Clean: 1 of 2 right" in text(html) and "Swapped: 0 of 1 right" in text(html)


def test_tables_have_captions_and_headers_with_scope(write):
    read = Reader(write(audit(), rows()))
    assert len(read.all("caption")) == len(read.all("table")) == 13
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
    found["mask_doubt"] |= {"drop_without": None, "drop_eroded": None, "flagged": {kind: [] for kind in masks.MASKS}}
    found["views"] = {"clean": found["views"]["clean"]}
    found["background_only_against_clean"] = {}
    found["classes"] = 1
    html = write(found, [])
    said = text(html)
    for expected in (
        "Attention maps need gradients at the pictures", "There are no photos to show", "not defined",
        "no interval", "not measured", "0 masks are in doubt", "0 queries; 9 left out", "Only 1 class was",
    ):  # fmt: skip
        assert expected in said
    assert "None" not in said and "nan" not in said and "Backgrounds alone, in clean photos" not in said
    assert "Without those in doubt" in text(write(audit(), [])) and "Without those in doubt" not in said


def test_few_classes_are_warned_of_as_the_intervals_say(write):
    assert "narrow: simulated" not in text(write(audit(), rows()))
    assert "92 of 100 cases for 5 classes, in 94 for 10 or more" in text(write(audit() | {"classes": 5}, rows()))
    fewer = text(write(audit() | {"classes": 4}, rows()))
    assert "Only 4 classes were audited, too few to conclude anything" in fewer and "a little too narrow" not in fewer
    stated = " ".join(bootstrap.estimate.__doc__.split())
    assert "in 92 of 100 samples of 5 classes, in 94 of 10 or more" in stated


def test_searches_with_swapped_photos_are_not_called_searches_in_other_places(write):
    said = text(write(audit(), rows()))
    assert "known pictures, the gallery on other backgrounds" in said and "picture elsewhere" not in said


def test_the_large_numbers_shrink_with_the_window_before_a_word_has_to_break():
    (rule,) = re.findall(r"^\.strip-of-numbers b \{[^}]*", CSS, re.M)
    assert re.search(r"font-size: clamp\([\d.]+rem, [\d.]+vw, [\d.]+rem\)", rule)


@pytest.mark.parametrize(
    ("maps", "kind", "query", "found"),
    [
        ({}, "alone", 1, 5),
        ({"attention_clean": MAP}, "strip", 2, 5),
        ({"attention_clean": MAP, "pair_clean": (MAP, MAP)}, "explained", 3, 6),
    ],
)
def test_there_are_as_many_columns_as_pictures_of_a_query_and_of_what_it_finds(maps, kind, query, found):
    picture = np.zeros((2, 2, 3), np.uint8)
    neighbours = [(picture, "a", True)] * 5
    html = str(gallery.row(Row("a.png", "a", picture, picture, neighbours, neighbours, **maps)))
    strip = html.split('<div class="strip')[1]
    parts = strip.split('class="found"')
    assert kind in f"strip{strip}".partition('"')[0] and [part.count("<img") for part in parts] == [query, found]
    (rule,) = re.findall(rf"^\.{kind} \{{([^}}]*)", CSS, re.M)
    assert f"--query: {query};" in rule and (found == 5 or f"--found: {found};" in rule)


def test_an_unknown_view_is_refused(write):
    found = audit()
    found["views"]["inverted"] = found["views"]["clean"]
    with pytest.raises(ValueError, match="unknown views inverted: describe them"):
        write(found, [])


def test_a_doubt_of_an_unknown_kind_is_listed_all_the_same(write):
    found = audit()
    found["mask_doubt"]["flagged"]["two objects"] = ["d/5.jpg"]
    said = text(write(found, []))
    assert "two objects: 1" in said and "d/5.jpg" in said and "5 masks are in doubt" in said


def test_the_classes_that_drive_the_drop_and_the_masks_that_do_not_agree_are_listed(write):
    said = text(write(audit(), rows()))
    for row in ("kind 0 40 90.0 points 80.1 points 0.00", "kind 20 60 70.0 points 60.1 points 0.67"):
        assert row in said
    assert "the 1 between them are not shown" in said and "kind 9 " in said and "kind 10 " not in said
    assert "kind 11 " in said
    assert "Masks that do not agree: 2 of 5,421" in said and "d/6.jpg (0.01)" in said and "d/7.jpg (0.45)" in said
    found = audit()
    found["second_masks"]["classes"].pop()
    found["second_masks"]["unlike"] = [["e", 0.2]] * 101
    said = text(write(found, rows()))
    assert "between them are not shown" not in said and "kind 10 " in said
    assert said.count("e (0.20)") == 100 and "and 1 more; audit.json lists them all" in said


def test_without_second_masks_nothing_of_them_is_drawn(write):
    found = audit() | {"second_masks": None}
    assert "second kind" not in text(write(found, rows())).partition("Masks Every figure")[2].partition("How to")[0]
    found = audit()
    found["second_masks"] |= {"drop_agreed": None, "second_drop_agreed": None, "unlike": []}
    said = text(write(found, rows()))
    assert "By masks of a second kind" in said and "do not agree" not in said and "on which both agree" not in said


def test_second_masks_most_of_which_are_in_doubt_are_said_to_be_no_second_opinion(write):
    found, said = audit(), "Masks of a second kind, rembg u2net, are no second opinion: 5421 of its 5421 masks are in"
    before = text(write(found, rows()))
    found["second_masks"]["flagged"]["empty"] = found["photos"]
    doubted = text(write(found, rows()))
    assert said not in before and said in doubted.partition("By masks of a second kind")[2]
    assert "Objects alone, second masks" in before and "Objects alone, second masks" not in doubted  # by places


def test_the_page_is_the_same_to_the_byte(write):
    assert write(audit(), rows()) == write(audit(), rows())


def test_of_many_doubtful_masks_a_hundred_of_a_kind_are_listed(write):
    found = audit()
    found["mask_doubt"]["flagged"] = {"empty": [f"a/{n}.jpg" for n in range(101)], "full": ["b"] * 100}
    read = Reader(write(found, []))
    said = " ".join(read.text)
    assert "Empty: 101" in said and "a/99.jpg" in said and "a/100.jpg" not in said
    assert said.count("more; audit.json lists them all") == 1 and "and 1 more; audit.json" in said
    assert len([line for line in read.text if line.startswith("a/")]) == read.text.count("b") == 100


def test_what_pasting_costs_stands_beside_where_objects_were_put_back():
    found, lines = audit(), []
    charts_line = measures.Line
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "Line", lambda *given: lines.append(given) or charts_line(*given))
        measures.single(found)
    costs = {where: cost for where, _, cost in lines if where.startswith("Recall@1, on the")}
    back, mirrored = (found["pasting"][f"pasted_{how}"]["recall_at_1"] for how in ("back", "mirrored"))
    assert costs == {"Recall@1, on their own backgrounds": back, "Recall@1, on these mirrored": mirrored}
