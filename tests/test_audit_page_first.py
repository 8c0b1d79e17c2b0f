"""The page's first screen: for everyone, before the figures; and what stands there of a quick audit."""

import re
from html import unescape
from itertools import pairwise

import numpy as np
import pytest
from audit_to_show import ABOUT, Reader, audit, masked, rows, text

from bgbias.audit.page import first, gallery
from bgbias.audit.verdict import places
from bgbias.audit.verdict.places import said as verdict_of

FULL_ONLY = (
    "gap pasting grey_gain conflict invariance variance worst_of_backgrounds attention background_only_against_clean "
    "mixed_other_against_clean"
).split()


def quick():
    found = {key: of for key, of in audit().items() if key not in FULL_ONLY}
    found["views"] = {view: found["views"][view] for view in ("clean", "swapped")}
    kept = ("flagged", "drop_without", "radius_px")
    return found | {"second_masks": None, "mask_doubt": {key: found["mask_doubt"][key] for key in kept}}


def test_sentence_grade_pictures_and_advice_come_before_all_figures(write):
    said = text(write(audit(), rows()))
    order = (
        "It sees the table.", "Grade  D", "D from a few.", "This photo", "The same on another background",
        "What to do", "Clear the table.", "rm 'a b'\nls", "Do the masks fit?", "For the engineer", "Recall@1, clean",
        "It looks at the table.", "For the reviewer",
    )  # fmt: skip
    places = [said.index(part) for part in order]
    assert places == sorted(places)


def test_who_gave_places_reads_of_them_first_in_the_words_of_the_verdict(write):
    found = audit()
    html = write(found, rows())
    first_said, then, interval = (
        text(html).index(one) for one in ("Among photos of", "It sees the table.", "That is ")
    )
    assert first_said < interval < then and '<a href="#places">In another place</a>' in html
    sentence, less = places.searched(found["places"])
    assert f"{sentence}. That is {less}. It sees the table." in text(html)
    assert f"{sentence}: {less}." in verdict_of(found)[0]
    del found["places"]
    html = write(found, rows())
    assert "Among photos of" not in text(html) and "#places" not in html


def test_of_places_nothing_is_claimed_that_is_not_shown(write):
    found = audit()
    drop = found["places"]["photos"]["drop"]
    drop |= {"value": 0.01, "low": -0.02, "high": 0.04}
    assert "That is 1.0 points less (95 % interval -2.0 to 4.0, " in text(write(found, []))
    assert "; no effect is shown). It sees the table." in text(write(found, []))
    drop |= {"classes": 4}
    assert "4 classes). 4 classes are too few to conclude anything" in text(write(found, []))


def test_the_strip_shows_what_the_worst_photo_finds_before_and_after(write):
    pictures = Reader(write(audit(), rows())).all("img")[:4]
    assert [picture["alt"] for picture in pictures] == [
        "This photo: blue mug", "It finds, right: blue mug",
        "The same on another background: blue mug", "It finds, wrong: blue mug",
    ]  # fmt: skip
    (row,) = rows()
    shown = row.clean, row.neighbours_clean[0][0], row.swapped, row.neighbours_swapped[0][0]
    assert [picture["src"] for picture in pictures] == [gallery.data_uri(one) for one in shown]


def test_the_head_names_all_masks_and_pools_that_the_sentence_rests_on(write):
    found = audit()
    said = text(write(found, rows()))
    assert "masks grabcut and rembg u2net backgrounds unsplash and walls date" in said
    found["second_masks"]["flagged"]["empty"] = found["photos"]  # no second opinion
    said = text(write(found | {"second_backgrounds": None}, rows()))
    assert "masks grabcut backgrounds unsplash date" in said


def test_where_nothing_was_lost_it_is_said(write):
    said = text(write(audit(), []))
    assert gallery.NOTHING_LOST in said
    assert "This photo" not in said


def test_the_sheet_shows_photo_mask_and_cut_out_side_by_side(write):
    images = Reader(write(audit(), [])).all("img")
    assert [image["alt"] for image in images] == ["Photo, mask and cut-out of blue mug/1.jpg"] * 2
    (one,) = masked(count=1)
    expected = gallery.data_uri(np.concatenate([one.photo, one.mask, one.cut_out], 1), gallery.SHEET_PX)
    assert images[0]["src"] == expected and "Photo, mask and cut-out of 2 photos at random." in text(write(audit(), []))


def test_masks_by_grabcut_have_a_plain_caveat(write):
    assert first.GRABCUT in text(write(audit(), rows())) and "--mask-method rembg" in first.GRABCUT
    assert first.GRABCUT not in text(write(audit() | {"masks": "given"}, rows()))
    assert "What to do" not in first.GRABCUT  # where no command may be


def test_title_date_version_and_machine_are_at_the_head(write):
    html = write(audit(), rows())
    said = text(html)
    assert (
        said.index("2026-11-25") < said.index("v1.2-3-gabc") < said.index("AMD EPYC; Python") < said.index("In short")
    )
    assert "<title>Background audit of torchvision:resnet50:imagenet</title>" in html
    html = write(audit(), rows(), about=ABOUT._replace(title="Our shop"))
    assert "<title>Our shop</title>" in html and "torchvision:resnet50:imagenet" in text(html)


def test_that_paths_are_shortened_is_said_where_there_are_commands(write):
    def said(found, shortened):
        return first.SHORTENED in text(write(found, [], about=ABOUT._replace(shortened=shortened)))

    no_commands = audit() | {"advice": [{"said": "Move.", "commands": []}]}
    assert said(audit(), True) and not said(audit(), False) and not said(no_commands, True)


def test_no_option_or_word_of_a_command_is_broken_and_a_command_is_copied_as_it_is(write):
    commands = ["ls 'a b' --long-option", "cd"]
    advice = [{"said": "Give it (--masks DIR), or -S a=b, by well-known ways.", "commands": commands}]
    html = write(audit() | {"advice": advice, "verdict": ["By --second-masks none."]}, rows())
    whole = re.findall('<span class="whole">(.*?)</span>', html)
    words = [word for command in commands for word in command.split(" ")]
    assert [unescape(one) for one in whole] == ["--masks", "-S", *words, "--mask-method", "--second-masks"]
    assert "\n".join(commands) in "".join(Reader(html).text)
    assert ".whole { white-space: nowrap; }\npre .whole { display: inline-block;" in html


def test_one_thing_to_do_is_not_called_the_cheapest(write):
    assert "The cheapest first." in text(write(audit(), []))
    assert "The cheapest first." not in text(write(audit() | {"advice": audit()["advice"][:1]}, []))


def test_a_quick_audit_has_the_sections_that_were_measured(write):
    read = Reader(write(quick(), rows()))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert ids == "short do sheet places figures matrix views photos sentences masks reading".split()
    assert [link["href"][1:] for link in read.all("a")] == ids
    assert " ".join(read.text).count("not measured") == 8  # the drop and how far it moves, with other masks


@pytest.mark.parametrize("found", [audit(), quick()])
def test_headings_leave_no_level_out(write, found):
    levels = [int(name[1]) for name, _ in Reader(write(found, rows())).tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(next_one <= level + 1 for level, next_one in pairwise(levels))
