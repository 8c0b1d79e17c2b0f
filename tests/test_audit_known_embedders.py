"""The audit as a whole: embedders that see the object alone, the background alone, or noise, have known figures."""

import pytest
from audited_shop import CLASSES, ESTIMATE, PHOTOS

from bgbias.audit.measures import queries
from bgbias.audit.page import masks

pytestmark = pytest.mark.usefixtures("in_the_shop")


def test_who_sees_the_object_alone_loses_nothing(audits):
    found = audits["object_alone"]
    for cell in (found["matrix"][seen][gallery] for seen in found["matrix"] for gallery in found["matrix"]):
        assert cell["recall_at_1"]["value"] == 1
    assert found["drop"]["recall_at_1"]["value"] == found["gap"]["recall_at_1"]["value"] == 0
    assert found["conflict"]["value"] == 0 and found["worst_of_backgrounds"]["worst"]["value"] == 1
    assert found["invariance"]["value"] == pytest.approx(1, abs=1e-4)
    assert found["variance"]["photo"]["value"] == pytest.approx(1, abs=1e-4)
    for of in found["attention"].values():
        assert of["pair_score"]["value"] == of["pair_score_retrieved"]["value"] == 1
    assert "no effect is shown." in found["verdict"][0]
    assert found["advice"][0]["said"].startswith("Audit more photos")  # 8 classes
    assert found["kept"]["value"] == 1 and found["summary"]["grade"] == "A"
    assert found["grey_gain"]["recall_at_1"]["value"] == 0


def test_who_sees_the_background_alone_falls_to_guessing(audits):
    found = audits["background_alone"]
    clean, swapped = (found["matrix"][view][view]["recall_at_1"] for view in ("clean", "swapped"))
    assert clean["value"] == 1
    assert swapped["value"] == pytest.approx(found["chance"]["recall_at_1"], abs=0.06)
    assert found["drop"]["recall_at_1"]["low"] > 0.6 and found["gap"]["recall_at_1"]["low"] > 0.6
    assert found["conflict"]["value"] == 1
    assert found["worst_of_backgrounds"]["worst"]["value"] == 0
    assert found["invariance"]["value"] == pytest.approx(0, abs=0.05)
    assert found["variance"]["background"]["value"] == pytest.approx(1, abs=0.01)
    for view in ("background_silhouette", "background_box_blacked", "background_box_tiled"):
        assert found["background_only_against_clean"][view]["recall_at_1"]["value"] == 1
    assert (
        found["attention"]["clean"]["score"]["high"] < 0 and found["attention"]["clean"]["pointing_game"]["value"] == 0
    )
    for of in found["attention"].values():
        assert of["pair_score"]["high"] < 0 and of["pair_score_retrieved"]["high"] < 0
    assert found["verdict"][0].startswith("Swapping backgrounds costs ")
    assert "the background outweighs the object" in " ".join(found["verdict"])
    assert found["advice"][-1]["said"].startswith("Train with random backgrounds")
    assert found["kept"]["value"] == pytest.approx(0, abs=0.08) and found["summary"]["grade"] == "E"


def test_of_noise_nothing_is_concluded(audits):
    found = audits["noise"]
    chance = found["chance"]["recall_at_1"]
    assert chance == pytest.approx((PHOTOS - 1) / (CLASSES * PHOTOS - 1), abs=1e-6)
    assert found["conflict"]["value"] == pytest.approx(0.5, abs=0.03)
    assert found["variance"]["photo"]["value"] == pytest.approx(found["variance"]["random"]["photo"], abs=0.05)
    clean = found["matrix"]["clean"]["clean"]["recall_at_1"]
    assert clean["low"] <= chance <= clean["high"]
    assert "not shown to be better than guessing" in " ".join(found["verdict"])
    assert found["advice"][0]["said"].startswith("First see that the model finds the classes")
    assert found["summary"]["grade"] is None


def test_the_figures_have_known_keys(audits):
    found = audits["background_alone"]
    assert set(found) - {"folder"} == set(
        "embedder embedder_mark photos classes masks backgrounds made_with chance matrix drop views gap pasting "
        "background_only_against_clean conflict worst_of_backgrounds invariance variance attention mask_doubt "
        "near_duplicates verdict mixed_other_against_clean kept grey_gain summary advice second_masks "
        "second_backgrounds normalisation known_photos finder input_px".split()
    )
    assert (found["photos"], found["classes"], found["masks"]) == (CLASSES * PHOTOS, CLASSES, "masks")
    assert found["embedder"] == "python:drawn_embedders:background_alone"
    assert set(found["views"]) == set(
        "clean swapped foreground_black foreground_grey foreground_mean background_silhouette background_box_blacked "
        "background_box_tiled mixed_same mixed_rand pasted_back pasted_mirrored".split()
    )
    several = [*found["views"].values(), *found["background_only_against_clean"].values(), found["drop"], found["gap"]]
    several += [found["mixed_other_against_clean"], found["grey_gain"], *found["pasting"].values()]
    several += [found["second_masks"][name] for name in ("swapped", "drop", "moved")]
    several += [row for rows in found["matrix"].values() for row in rows.values()]
    assert set(found["variance"]) == {"photo", "background", "rest", "random"}
    assert all(set(found["variance"][part]) == ESTIMATE for part in ("photo", "background", "rest"))
    doubt = found["mask_doubt"]
    of_changes = {f"{what}_{change}" for what in ("drop", "moved") for change in ("eroded", "dilated")}
    several += [doubt[name] for name in of_changes]
    for estimates in several:
        assert set(estimates) == {"recall_at_1", "map_at_r"}
        assert all(set(estimate) == ESTIMATE for estimate in estimates.values())
    assert set(doubt) == {"flagged", "drop_without", "radius_px"} | of_changes
    assert doubt["flagged"] == {"empty": [], "full": [], "border": [], "tiny": [], "soft": []}
    assert doubt["drop_without"] is None
    measured = {"score", "rank_accuracy", "pointing_game", "pair_score", "pair_score_retrieved"}
    assert set(found["attention"]["swapped"]) == measured
    assert set(found["second_masks"]) == set(
        "kind mark flagged agreement unlike_share unlike swapped drop moved kept conflict drop_agreed classes "
        "second_drop_agreed".split()
    )


def test_every_figure_is_the_mean_of_a_column_of_the_queries(audits):
    found, table = audits["background_alone"], queries.read(audits["background_alone"]["folder"])
    assert len(table) == CLASSES * PHOTOS and set(table["class"]) == {f"class{kind}" for kind in range(CLASSES)}
    in_clean = {f"{view}_in_clean": of for view, of in found["background_only_against_clean"].items()}
    in_clean["mixed_other_in_clean"] = found["mixed_other_against_clean"]
    several = found["views"] | in_clean | {"drop": found["drop"], "background_gap": found["gap"]}
    several |= {f"lost_{view}": of for view, of in found["pasting"].items()}
    several |= {"swapped_in_clean": found["matrix"]["swapped"]["clean"]}
    figures = {f"{metric}_{name}": of[metric] for name, of in several.items() for metric in of}
    figures |= {name: found[name] for name in ("conflict", "invariance")}
    second = found["second_masks"]
    figures |= {
        f"{metric}_{name}_second": second[name][metric] for name in ("swapped", "drop") for metric in found["drop"]
    }
    figures |= {"conflict_second": second["conflict"], "mask_agreement": second["agreement"]}
    figures |= {"right_on_all": found["worst_of_backgrounds"]["worst"]}
    figures |= {f"attention_{name}_{seen}": of[name] for seen, of in found["attention"].items() for name in of}
    for name, figure in figures.items():
        assert table[name].mean() == pytest.approx(figure["value"], abs=1e-5), name
        assert table[name].count() == figure["queries"], name


def test_changed_masks_are_compared_on_the_same_backgrounds(audits):
    found = audits["background_alone"]  # the edge of a mask is nothing to it, the draw of a background much
    for change in ("eroded", "dilated"):
        assert found["mask_doubt"][f"drop_{change}"]["map_at_r"]["value"] != found["drop"]["map_at_r"]["value"]
        moved = found["mask_doubt"][f"moved_{change}"]["map_at_r"]
        assert (moved["value"], moved["low"], moved["high"]) == (0, 0, 0)
        assert audits["noise"]["mask_doubt"][f"moved_{change}"]["map_at_r"]["value"] != 0
    for found in audits.values():  # whole masks on these backgrounds lose the same, whatever they are compared with
        doubt = {
            name: of["recall_at_1"]["value"]
            for name, of in found["mask_doubt"].items()
            if name.endswith(("_eroded", "_dilated"))
        }
        whole = [100 * (doubt[f"drop_{change}"] - doubt[f"moved_{change}"]) for change in ("eroded", "dilated")]
        assert whole[0] == pytest.approx(whole[1], abs=1e-3)
        assert f"(Recall@1: {whole[1]:.1f} points)" in str(masks.section(found))


def test_what_is_kept_is_swapped_less_chance_as_a_share_of_clean_less_chance(audits):
    for found in audits.values():
        level = found["chance"]["recall_at_1"]
        clean, swapped = (found["matrix"][view][view]["recall_at_1"]["value"] - level for view in ("clean", "swapped"))
        assert found["kept"]["value"] == pytest.approx(swapped / clean, abs=1e-4)
        assert found["grey_gain"]["recall_at_1"]["value"] == pytest.approx(
            found["views"]["foreground_grey"]["recall_at_1"]["value"] - swapped - level, abs=1e-5
        )
