"""What docs/leaderboard.md says in words follows from the leaderboards."""

from test_documents_claims import ROOT, page

from bgbias import files


def test_by_what_a_colour_histogram_finds_packages():
    """As docs/leaderboard.md says: by the object alone on grey, beside what it finds of clean photos."""
    found = files.read_json(ROOT / "metrics/leaderboard/packages.json", "packages", "leaderboard", "rows")
    histogram = found["colour_histogram"]
    alone = histogram["clean"]["value"] - histogram["remedy"]["value"]
    assert f"(alone on grey the histogram finds {100 * alone:.1f})" in page("leaderboard.md")


def test_elsewhere_the_order_of_packages_is_not_that_by_swaps():
    """As docs/leaderboard.md says."""
    found = files.read_json(ROOT / "metrics/leaderboard/packages.json", "packages", "leaderboard", "rows")
    there, swapped = (
        {name: 100 * row[what]["value"] for name, row in found.items()} for what in ("elsewhere", "swapped")
    )
    networks = [f"efficientnet_lite{number}" for number in range(3)]
    of = [there[name] for name in networks]
    told = (
        f"find {min(of):.1f} to {max(of):.1f} %, the histogram {there['colour_histogram']:.1f}, HOG {there['hog']:.1f}."
    )
    assert told in page("leaderboard.md")
    more = [found[name]["less_first"]["elsewhere"] for name in networks]
    won, low = ([100 * one[end] for one in more] for end in ("difference", "low"))
    told = (
        f"shown of none: {min(won):.1f} to {max(won):.1f} points, intervals from {min(low):.1f} to {max(low):.1f} on."
    )
    assert told in page("leaderboard.md") and max(low) < 0
    cure, augmented, base = ("bgconsistency", "bgaugment", "base")
    assert swapped[cure] > swapped[augmented] > swapped[base] and there[augmented] > there[base] > there[cure]
    for of in (swapped, there):
        assert f"({of[cure]:.1f}; bgaugment {of[augmented]:.1f}, base {of[base]:.1f}" in page("leaderboard.md")


def test_no_network_is_shown_to_find_more_packages_as_they_are_than_a_colour_histogram():
    found = files.read_json(ROOT / "metrics/leaderboard/packages.json", "packages", "leaderboard", "rows")
    more = [found[f"efficientnet_lite{number}"]["less_first"]["clean"] for number in range(3)]
    assert all(one["low"] <= 0 <= one["high"] for one in more)
    assert f"{100 * max(one['high'] for one in more):.1f} points more are not excluded" in page("leaderboard.md")


def test_at_96_px_the_network_off_the_shelf_loses_about_what_it_loses_at_224():
    found = files.read_json(ROOT / "metrics/audits/packages_lite0_96px_places.json")
    drop, clean = (100 * of["recall_at_1"]["value"] for of in (found["drop"], found["views"]["clean"]))
    told = f"at 96 px it is [{drop:.1f}](places.md#on-real-photos). Clean Recall@1 falls from 98.8 to 95.6, but off "
    assert f"{told}the shelf at 96 px it is {clean:.1f}." in page("leaderboard.md")
