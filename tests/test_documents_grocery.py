"""What docs/places_trained.md, docs/places.md and README.md say of grocery in other places follows from studies."""

from test_documents_claims import ROOT, interval, page
from test_documents_places import STUDIES, sides

KINDS = ("grocery_places", "grocery_isnet_places")  # by masks of GrabCut, of ISNet


def test_on_grocery_no_cure_is_shown_to_help_elsewhere_by_masks_of_either_kind():
    cures = [f"{cure} - base" for cure in ("bgaugment", "bgconsistency", "rising")]
    found = {
        (kind, view): [interval(STUDIES[kind], cure, f"recall_at_1_{view}") for cure in cures]
        for kind in KINDS
        for view in ("elsewhere", "swapped", "same_place")
    }
    assert [sides(kind, "swapped", cures) for kind in KINDS] == [[1] * 3] * 2
    assert [sides(kind, "elsewhere", cures) for kind in KINDS] == [[0] * 3, [-1, -1, 0]]
    assert [sides(kind, "same_place", cures) for kind in KINDS] == [[0, -1, -1], [-1] * 3]
    won = [sorted(100 * value for value, *_ in found[kind, "swapped"]) for kind in KINDS]
    most = max(100 * high for kind in KINDS for *_, high in found[kind, "elsewhere"])
    told = (
        "they win {:.1f} to {:.1f} points by GrabCut's, {:.1f} to {:.1f} by ISNet's; elsewhere up to {:.1f} points more"
    )
    assert told.format(*(end for of in won for end in (of[0], of[-1])), most) in page("places_trained.md")
    lost, least = ([-100 * of[place] for of in found[KINDS[1], "elsewhere"][:2]] for place in (0, 2))
    told = "by {:.1f} and {:.1f} points, from {:.1f} and {:.1f} on. Of six"
    assert told.format(*lost, *least) in page("places_trained.md")
    swapped = [100 * value for value, *_ in found[KINDS[1], "swapped"][:2]]
    told = "win by swaps ({:.1f} and {:.1f} points), and elsewhere they find less than base ({:.1f} and {:.1f} points)"
    assert told.format(*swapped, *lost) in page("places.md")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "and win {:.1f} and {:.1f} points by swaps. Product by product".format(*swapped) in readme
    lost = [-100 * value for kind in KINDS for value, *_ in found[kind, "same_place"]]
    told = f"find less than base, by {min(lost):.1f} to {max(lost):.1f} points; of bgaugment with GrabCut's masks alone"
    assert told in page("places_trained.md")
    assert [sides(kind, "place_drop", cures) for kind in KINDS] == [[0] * 3] * 2
    further = [[100 * of for of in interval(STUDIES[kind], "rising - bgconsistency", "recall_at_1_elsewhere")]
               for kind in KINDS]  # fmt: skip
    told = "than bgconsistency, by {:.1f} points ({:.1f} to {:.1f}) by GrabCut's masks; by ISNet's that is not shown"
    assert further[1][1] < 0 < further[1][2]
    assert f"{told} ({{:.1f}}; {{:.1f}} to {{:.1f}}).".format(*further[0], *further[1]) in page("places_trained.md")
    bases = [STUDIES[kind]["regimes"]["base"] for kind in KINDS]
    assert all(bases[0][view] == bases[1][view] for view in ("clean", "same_place", "elsewhere", "place_drop"))
    alone = [100 * base["place_drop_objects"]["recall_at_1"] for base in bases]
    drop = 100 * bases[0]["place_drop"]["recall_at_1"]
    told = "Objects alone lose {:.1f} of the {:.1f} points that base loses, by ISNet's masks {:.1f}."
    assert told.format(alone[0], drop, alone[1]) in page("places_trained.md")
    of_packages = STUDIES["packages_places"]["regimes"]["base"]
    of_packages = [100 * of_packages[view]["recall_at_1"] for view in ("place_drop", "place_drop_objects")]
    figures = drop - alone[1], of_packages[0] - of_packages[1], 100 * found[KINDS[1], "elsewhere"][2][0]
    told = "ISNet's, grocery has {:.1f} points, as packages have ({:.1f}), and `rising` trained with them wins {:.1f}."
    assert told.format(*figures) in page("places.md")


def test_on_grocery_masks_of_either_kind_train_networks_that_are_not_shown_to_differ():
    pairs = [f"{cure}_grabcut - {cure}" for cure in ("bgaugment", "bgconsistency", "rising")]
    study = STUDIES["grocery_masks_places"]
    found = {
        view: [interval(study, pair, f"recall_at_1_{view}") for pair in pairs] for view in ("elsewhere", "swapped")
    }
    for view in ("elsewhere", "swapped", "same_place"):
        assert sides("grocery_masks_places", view, pairs) == [0] * 3
    more = [100 * value for value, *_ in found["elsewhere"]]
    assert f"GrabCut's masks find {min(more):.1f} to {max(more):.1f} points more" in page("places_trained.md")
    told = "ISNet's (`rising`: {:.1f} points; {:.1f} to {:.1f})"
    assert told.format(*(100 * end for end in found["swapped"][2])) in page("places_trained.md")
    swapped = [STUDIES[kind]["regimes"]["rising"]["swapped"]["recall_at_1"] for kind in KINDS]
    told = "Recall@1 of `rising` is {:.0f} % by GrabCut's masks and {:.0f} % by ISNet's"
    assert told.format(*(100 * of for of in swapped)) in page("places_trained.md")
    soft = [STUDIES[kind]["audits"]["doubtful"]["soft"] for kind in KINDS]
    assert f"ISNet's masks of {soft[1]} test photos are" in page("places_trained.md") and soft[0] == 0
