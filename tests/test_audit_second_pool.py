"""A second pool of backgrounds beside the first: what each gives, and nothing said that one of them does not allow."""

import pytest
from audit_found import changed, e, r
from audited_shop import CLASSES, PHOTOS, run
from PIL import Image
from test_audit_advice import ASKED
from test_audit_sensitivity import by_second
from test_audit_verdict import one, said

from bgbias.audit.measures import comparable, queries
from bgbias.audit.verdict import advice
from bgbias.audit.verdict.grade import summary
from bgbias.errors import InputError

OWN = {"second_backgrounds": "photos"}


def on_second(drop=0.21, swapped=0.7, conflict=0.2, moved=-0.131, kept=0.66):
    figures = {"drop": r(drop), "swapped": r(swapped), "moved": r(moved), "kept": e(kept), "conflict": e(conflict)}
    return {"second_backgrounds": {"backgrounds": "90 of meadows", "conflict_moved": e(-0.21)} | figures}


@pytest.fixture(scope="module")
def two_pools(shop, tmp_path_factory):
    """One who leans on known grounds: the photos' own disturb it less than other ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        folder = tmp_path_factory.mktemp("pools")
        patch.setenv("DVC_ROOT", str(folder / "checkout"))
        return run(shop, folder / "out", "startled", **OWN) | {"folder": folder / "out"}


def test_the_photos_own_backgrounds_disturb_who_knows_them_less(audits, two_pools):
    second, alone = two_pools["second_backgrounds"], audits["startled"]
    assert second["backgrounds"] == f"{CLASSES * PHOTOS} of the photos, objects painted over"
    assert two_pools["drop"] == alone["drop"] and two_pools["conflict"] == alone["conflict"]
    drop, other, moved = (of["recall_at_1"] for of in (alone["drop"], second["drop"], second["moved"]))
    assert drop["low"] > 0.3 and other["value"] < 0.05 and moved["high"] < 0
    assert moved["value"] == pytest.approx(other["value"] - drop["value"], abs=2e-6)
    assert second["conflict_moved"]["value"] == pytest.approx(
        second["conflict"]["value"] - alone["conflict"]["value"], abs=2e-6
    )
    assert two_pools["advice"][0]["said"].startswith("See which pool is like the places where photos are searched")
    assert two_pools["summary"]["grade"].startswith("A or ")
    assert "By a second" not in (two_pools["folder"] / "report.html").read_text()
    assert "On backgrounds of a second pool" in (two_pools["folder"] / "report.html").read_text()


def test_only_the_views_of_drop_and_conflict_are_embedded_for_a_second_pool(shop, in_the_shop, tmp_path, checkout):
    run(shop, tmp_path / "one", "mixture", no_attention=True)
    before = set(checkout.rglob("*.npy"))
    run(shop, tmp_path / "two", "mixture", no_attention=True, **OWN)
    made = {path for path in set(checkout.rglob("*.npy")) - before if path.name != "shapes.npy"}
    views = {f"{path.parent.name}/{path.stem}" for path in made if "pool" in path.parts}
    assert len(made) == 9
    assert views == {*(f"swapped/{draw}" for draw in range(5)), *(f"grid/{number}" for number in range(4))}


def test_a_folder_as_the_second_pool_gives_what_it_gives_as_the_first(shop, in_the_shop, tmp_path):
    for number in range(20):
        path = tmp_path / f"grey/{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (60, 50), (10 * number,) * 3).save(path)
    grey = str(tmp_path / "grey")
    first = run(shop, tmp_path / "a", "leaning", backgrounds=grey, no_attention=True)
    run(shop, tmp_path / "other", "leaning", no_attention=True, **OWN)  # whose views are not taken for those of grey
    second = run(shop, tmp_path / "b", "leaning", second_backgrounds=grey, no_attention=True)["second_backgrounds"]
    for name in ("drop", "kept", "conflict"):
        assert second[name] == first[name]
    assert second["swapped"] == first["views"]["swapped"]


def test_sentences_give_the_range_over_two_pools_and_the_difference():
    found = said(on_second())
    assert found[0] == (
        "Swapping backgrounds costs 21.0 to 34.1 points of Recall@1 (depending on "
        "which backgrounds are believed: 95 % intervals "
        "31.0 to 37.2 on 100 of walls, 18.0 to 24.0 on 90 of meadows, 40 classes). Recall@1 is then 60.0 to 70.0 %."
    )
    assert found[1] == (
        "On a second pool of backgrounds, 90 of meadows, the swap costs 13.1 points less than on the first (95 % "
        "interval 10.1 to 16.1, 40 classes), and the background comes first in the conflict 21.0 points less often "
        "than on the first (95 % interval 18.0 to 24.0, 40 classes); by the first masks, query by query."
    )
    assert ", 40 classes: not shown to differ)" in said(on_second(moved=0.01))[1]
    left = {"second_backgrounds.swapped": r(0.02, 0.01, 0.03)}
    assert said(on_second() | left)[0].endswith("not shown to be better than guessing on 90 of meadows.")


def test_the_verdict_is_as_strong_as_both_pools_allow():
    weak = changed({"drop": r(0.3)} | on_second(drop=0.01, kept=0.95))
    assert summary(weak)["grade"] == "A or C"
    assert summary(weak)["said"].endswith(" do: whether it loses depends on which backgrounds are believed.")
    (step,) = advice.steps(weak, ASKED, 7, rendered=True)  # no second pool is advised where there is one
    assert step["said"] == advice.BELIEVE["backgrounds"]
    (few,) = advice.steps(changed({"drop": r(0.0)} | on_second()) | {}, ASKED, 7)
    assert few["said"] == advice.BELIEVE["backgrounds"]
    assert "on 100 of walls, the object outweighs the background; on 90 of meadows, the background outweighs" in one(
        "In 41.0 to 90.0 % of trials", on_second(conflict=0.9)
    )


def test_masks_of_two_kinds_and_two_pools_are_said_together():
    first = said(by_second() | on_second(drop=0.15))[0]
    assert (
        "15.0 to 34.1 points of Recall@1 (depending on which masks and backgrounds are believed: 95 % intervals 31.0 "
        in first
    )
    on_both = "by given, 18.0 to 24.0 by isnet, 12.0 to 18.0 on 90 of meadows, 40 classes; backgrounds: 100 of walls)"
    assert on_both in first
    doubted = said(by_second(flagged=201) | on_second())[0]
    assert (
        "21.0 to 34.1 points of Recall@1 (depending on which backgrounds are believed: 95 % intervals 31.0 " in doubted
    )
    (step,) = advice.steps(changed(by_second(drop=0.0) | on_second(drop=0.0)), ASKED, 7)
    assert step["said"] == f"{advice.BELIEVE['masks']} {advice.BELIEVE['backgrounds']}"
    (step,) = advice.steps(changed(by_second() | on_second(drop=0.0)), ASKED, 7)
    assert step["said"] == advice.BELIEVE["backgrounds"]


def test_other_second_pools_are_not_compared(audits, two_pools):
    folders = [audits["startled"]["folder"], two_pools["folder"]]
    tables = [queries.read(folder) for folder in folders]
    assert "recall_at_1_drop_pool" in tables[1] and "conflict_moved_pool" in tables[1]
    alone, both = comparable.tables(tables, folders)
    assert list(both) == list(alone)
    assert "recall_at_1_drop_pool" in comparable.tables(tables[1:] * 2, folders[1:] * 2)[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"second_backgrounds": "backgrounds"}, "second_backgrounds backgrounds: the first are the same"),
        ({"second_backgrounds": "./backgrounds"}, "./backgrounds: backgrounds holds the same pictures: give others"),
        (
            {"second_backgrounds": "photos/class3"},
            "photos/class3: audited photos among the backgrounds, with their obj",
        ),
        (
            {"backgrounds": "photos/class3"},
            "photos/class3: audited photos among the backgrounds, .*: photos/class3/0.png",
        ),
        ({"backgrounds": None, "second_backgrounds": "rendered"}, "rendered: the first are the same"),
        ({"quick": True, **OWN}, "--second-backgrounds photos: --quick measures on one pool"),
        ({"second_backgrounds": "nowhere"}, "nowhere is no folder: give a folder of background pictures"),
    ],
)
def test_a_second_pool_that_cannot_be_one_is_refused(shop, in_the_shop, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        run(shop, tmp_path, "noise", **options)
