"""What remedies win in other places: by the definition, and with embedders whose answers are known."""

import json

import pandas as pd
import pytest
import torch
from audited_shop import EACH, KINDS, SETTINGS, SHOPS
from random_tensors import random
from remedied import SEED, nothing_learnt
from torch.nn.functional import normalize

from bgbias.documents import results
from bgbias.errors import InputError
from bgbias.metrics import bootstrap
from bgbias.metrics.places import by_place
from bgbias.remedies import elsewhere, recovery
from bgbias.remedies.passes import Split
from bgbias.remedies.pictures import PASSES, REMEDIES, averaged
from bgbias.remedies.recovery import measure
from bgbias.report import remedies as tables
from bgbias.seeding import generator
from stages import remedies

LABELS, PLACES = torch.arange(40) % 8, torch.arange(40) // 8 % 2


def split(seed, places=PLACES):
    views = [
        {name: normalize(random(40, 5, seed=100 * seed + 30 * view + number)) for number, name in enumerate(PASSES)}
        for view in range(2)
    ]
    return Split(LABELS, views, places=places)


def test_each_remedy_has_what_its_pictures_find_by_place(few_resamples):
    tested = split(1)
    found, clean = measure(tested, None, None, SEED), tested.views[0]
    before = by_place(clean["as_is"], LABELS, PLACES)
    for remedy in (of for of in REMEDIES if of.fix == "none"):
        queries = averaged([clean[name] for name in remedy.passes])
        gallery = queries if remedy.sides == "both" else clean["as_is"]
        after = by_place(queries, LABELS, PLACES, gallery)
        for which, name in (("same", "same_place"), ("other", "elsewhere")):
            values, without = (of[which]["recall_at_1"].numpy() for of in (after, before))
            labels = LABELS[after[which]["rows"]].numpy()
            asked = {name: bootstrap.sums(values, labels), f"change_{name}": bootstrap.sums(values - without, labels)}
            for key, estimate in bootstrap.estimates(asked, lambda: generator(SEED, "remedy intervals")).items():
                value, low, high, *_ = estimate
                assert found[remedy.key][key]["recall_at_1"] == pytest.approx(
                    {"value": value, "low": low, "high": high}
                )
    assert len({of["elsewhere"]["recall_at_1"]["value"] for of in found.values()}) > 8
    assert set(found["as_is"]["change_elsewhere"]["recall_at_1"].values()) == {0}


def test_what_is_learnt_is_applied_to_both_sides_of_a_search_by_place():
    tested, matrix = split(1), random(5, 5, seed=3)
    (query,) = (remedy for remedy in REMEDIES if remedy.key == "grey_query")
    found = elsewhere.score(query, tested, lambda embeddings: normalize(embeddings @ matrix))
    shown = (normalize(tested.views[0][name] @ matrix) for name in ("grey", "as_is"))
    expected = by_place(next(shown), LABELS, PLACES, next(shown))
    assert torch.equal(found["other"]["recall_at_1"], expected["other"]["recall_at_1"])


def test_for_other_places_the_best_there_is_chosen_and_the_choice_for_backgrounds_stays(few_resamples):
    tested, chosen_on, learnt = split(1), split(2), nothing_learnt(5)
    found = measure(tested, chosen_on, learnt, SEED)
    for remedy in REMEDIES:
        there = elsewhere.score(remedy, chosen_on, learnt.fixes()[remedy.fix])["other"]["recall_at_1"].mean()
        assert found[remedy.key]["validation_elsewhere"] == pytest.approx(there.item())
    chosen = recovery.described(found, learnt)
    assert chosen["chosen_elsewhere"] == max(found, key=lambda key: found[key]["validation_elsewhere"])
    without = measure(tested, split(2, None), learnt, SEED)
    assert chosen["chosen"] == recovery.described(without, learnt)["chosen"] != chosen["chosen_elsewhere"]
    assert "chosen_elsewhere" not in recovery.described(without, learnt)
    assert not [
        name for name in measure(split(1, None), None, None, SEED)["as_is"] if "place" in name or "else" in name
    ]


@pytest.fixture
def remedied(shops, tmp_path, monkeypatch):
    monkeypatch.chdir(shops)

    def run(name, **options):
        given = {"photos": "photos", "masks": "masks", "backgrounds": "backgrounds"} | options
        remedies.main(SETTINGS, f"python:drawn_embedders:{name}", tmp_path / "r.json", **given)
        return json.loads((tmp_path / "r.json").read_text())["r"]

    return run


def test_who_sees_the_ground_finds_products_elsewhere_where_these_alone_are_shown(remedied, shops, tmp_path, capsys):
    found = remedied("mixture", places=shops / "places.csv")
    as_is, grey = (found["remedies"][key] for key in ("as_is", "grey_both"))
    assert as_is["elsewhere"]["recall_at_1"]["value"] < 0.5 and as_is["same_place"]["recall_at_1"]["value"] == 1
    assert grey["elsewhere"]["recall_at_1"]["value"] == 1 and grey["change_elsewhere"]["recall_at_1"]["low"] > 0.4
    said = capsys.readouterr().out
    assert f"\nBy places {KINDS * SHOPS * EACH} of {KINDS * SHOPS * EACH} photos are compared: " in said
    assert "\n| remedy            |   sides |   passes |   mask |   own place |   elsewhere |" in said
    assert "Chosen by validation" not in said
    assert set(found["remedies"]["crop_query"]) >= {"same_place", "elsewhere"} and len(found["places"]) == 16
    assert "places" not in remedied("mixture") and "By places" not in capsys.readouterr().out
    table = results.remedies(tmp_path / "r.json", "4,5", "as_is,grey_both", of="recovered")
    assert list(table) == ["remedy", "Recall@1 clean", "Recall@1 swapped"]


def test_near_duplicates_in_one_place_and_in_two_are_said(remedied, shops, monkeypatch, capsys):
    pairs = [(0, 1), (0, 5), (0, 24)]  # of one shop, of two, and of two classes
    monkeypatch.setattr("bgbias.audit.inputs.pictures.near_duplicates.near_duplicates", lambda pack, **_: pairs)
    remedied("object_alone", places=shops / "places.csv")
    said = capsys.readouterr().out
    assert "\nOf near-duplicates 1 pair would lie in two places: correct the list of places, or keep one" in said
    assert "\n1 pair of near-duplicates of one class is of one place, where more is found for it: " in said
    remedied("object_alone")
    assert "of one place" not in capsys.readouterr().out


@pytest.fixture
def with_splits(shops, tmp_path):
    """The photos with splits by class, and a list of where those of some splits were taken."""

    def written(*splits):
        (tmp_path / "own").mkdir()
        (tmp_path / "own/photos").symlink_to(shops / "photos")
        taken = pd.read_csv(shops / "places.csv")
        taken["split"] = [("train", "val", "test")[int(path[5]) // 2] for path in taken.path]
        taken["class"], taken["mask"] = taken.path.str[:6], ""
        taken["path"] = "photos/" + taken.path
        taken[["path", "class", "split"]].to_csv(tmp_path / "own/photos.csv", index=False)
        taken[taken.split.isin(splits)][["path", "place"]].to_csv(tmp_path / "places.csv", index=False)
        (tmp_path / "masks").mkdir()
        (tmp_path / "masks/photos").symlink_to(shops / "masks")
        return {"photos": str(tmp_path / "own"), "masks": str(tmp_path / "masks"), "places": tmp_path / "places.csv"}

    return written


def test_validation_photos_of_known_places_choose_for_other_places(remedied, with_splits, capsys):
    found = remedied("mixture", **with_splits("val", "test"))
    by = {key: of["validation_elsewhere"] for key, of in found["remedies"].items()}
    assert by["as_is"] < by["grey_both"] == 1 == by[found["chosen_elsewhere"]]
    said = capsys.readouterr().out
    assert f"\nChosen by validation for other places: {found['chosen_elsewhere']}, by the last column.\n" in said
    assert "\nBy places, 2 classes are too few to conclude anything: " in said
    assert "\nOf the split val: By places 12 of 12 photos are compared: " in said
    assert "\nOf the split val: By places, 2 classes are too few to conclude anything: " in said


def test_validation_photos_of_too_few_places_are_refused_by_their_name(remedied, with_splits):
    given = with_splits("val", "test")
    lines = [line[:-1] + "A" if line[:13] == "photos/class2" else line for line in given["places"].read_text().split()]
    given["places"].write_text("\n".join(lines) + "\n")
    with pytest.raises(
        InputError, match="1 val classes have .* give val photos of more .* or list none of the val photos"
    ):
        remedied("mixture", **given)


def test_without_places_of_validation_photos_none_is_chosen_for_them(remedied, with_splits, capsys):
    given = with_splits("test")
    found = remedied("mixture", **given)
    assert "chosen" in found and "chosen_elsewhere" not in found
    assert "has no photo of the split val: none is chosen for searches in other places.\n" in capsys.readouterr().out
    lines = given["places"].read_text().splitlines()
    given["places"].write_text("\n".join([*lines, "photos/class0/0.png,Lund"]) + "\n")
    remedied("mixture", **given)
    assert "1 of 3 places has one photo alone, such as Lund: correct the list" in capsys.readouterr().out
    given["places"].write_text("\n".join([*lines, "photos/class2/0.png,A"]) + "\n")
    with pytest.raises(
        InputError, match="val photos without a place.*or list none of the val photos"
    ):  # 11 of the 12 of the split val
        remedied("mixture", **given)


def test_the_table_of_other_places_has_a_row_a_remedy():
    won = {"value": 0.125, "low": -0.01, "high": 0.25}
    remedy = {
        "name": "grey_crop", "sides": "both", "passes": 1, "needs_mask": True, "change_elsewhere": {"recall_at_1": won},
        "same_place": {"recall_at_1": {"value": 0.9}}, "elsewhere": {"recall_at_1": {"value": 0.5}}}  # fmt: skip
    table = tables.elsewhere({"grey_crop_both": remedy | {"validation_elsewhere": 0.75}})
    assert table.iloc[0].to_dict() == {
        "remedy": "grey crop", "sides": "both", "passes": "1", "mask": "yes", "own place": "90.0",
        "elsewhere": "50.0", "won elsewhere": "+12.5 (-1.0 to 25.0)", "validation": "75.0"}  # fmt: skip
    assert "validation" not in tables.elsewhere({"grey_crop_both": remedy})
