"""Photos of known places: what embedders whose answers are known find elsewhere, and what is said of it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audited_shop import EACH, KINDS, SETTINGS, SHOPS, run
from PIL import Image

from bgbias import files
from bgbias.audit.inputs import places, views
from bgbias.audit.measures import comparable, queries
from stages import compare


def at(folder, out, name, monkeypatch, **options):
    monkeypatch.chdir(folder)
    given = {"places": folder / "places.csv", "no_attention": True, "second_masks": "none"}
    return run(folder, out, name, **given | options)


def test_who_sees_the_ground_alone_finds_nothing_elsewhere(shops, tmp_path, monkeypatch):
    found = at(shops, tmp_path, "background_alone", monkeypatch)["places"]
    assert (found["places"], found["left_out"]) == (SHOPS, 0)
    photos, objects, grounds = (found[part] for part in ("photos", "objects", "backgrounds"))
    assert photos["same"]["value"] == grounds["same"]["value"] == 1
    assert photos["elsewhere"]["value"] == 0 and grounds["elsewhere"]["value"] == 0
    assert photos["drop"]["value"] == photos["drop"]["low"] == 1 and photos["drop"]["queries"] == KINDS * SHOPS * EACH
    beyond = photos["drop"]["value"] - objects["drop"]["value"]
    assert found["beyond_objects"]["value"] == pytest.approx(beyond, abs=2e-6)
    gain = objects["elsewhere"]["value"] - photos["elsewhere"]["value"]
    assert found["gain_objects"]["value"] == pytest.approx(gain, abs=2e-6)
    table = queries.read(tmp_path)
    assert table.recall_at_1_elsewhere_gain_objects.mean() == pytest.approx(gain, abs=2e-6)
    assert table.recall_at_1_same_place_photos.mean() == 1 and table.recall_at_1_elsewhere_photos.mean() == 0
    drawn = (
        (tmp_path / "report.html").read_text().partition("In another place")[2].partition("Drop in another place")[0]
    )
    assert "dot open" in drawn and "dot good" not in drawn  # a background that finds its class is not good


def test_who_sees_the_object_alone_finds_it_anywhere(shops, tmp_path, monkeypatch):
    found = at(shops, tmp_path, "object_alone", monkeypatch)
    for part in ("photos", "objects"):
        assert found["places"][part]["elsewhere"]["value"] == 1 and found["places"][part]["drop"]["value"] == 0
    assert any("0.0 points less" in sentence and "no effect is shown" in sentence for sentence in found["verdict"])


def test_a_quick_audit_compares_photos_as_they_are(shops, tmp_path, monkeypatch):
    found = at(shops, tmp_path / "quick", "mixture", monkeypatch, quick=True)["places"]
    whole = at(shops, tmp_path / "full", "mixture", monkeypatch)["places"]
    assert set(found) == {"places", "left_out", "doubles", "alike", "photos"} and found["photos"] == whole["photos"]
    assert found["photos"]["drop"]["value"] > 0


def test_objects_alone_are_searched_by_masks_of_either_kind(shops, tmp_path, monkeypatch):
    """The first masks leave a corner of the ground, so what is left on grey tells the place; GrabCut's do not."""
    for path in (shops / "masks").rglob("*.png"):
        target = tmp_path / "leaky" / path.relative_to(shops / "masks")
        target.parent.mkdir(parents=True, exist_ok=True)
        mask = np.asarray(Image.open(path)).copy()
        mask[:6, :6] = 255
        Image.fromarray(mask).save(target)
    leaky = str(tmp_path / "leaky")
    options = {"second_masks": "grabcut", "masks": leaky}
    found = at(shops, tmp_path / "a", "background_alone", monkeypatch, **options)
    right = at(shops, tmp_path / "right", "background_alone", monkeypatch)["places"]
    first, second = (found["places"][of]["drop"]["value"] for of in ("objects", "objects_second"))
    assert first == 1 > second == right["objects"]["drop"]["value"]
    assert found["places"]["beyond_objects_second"] == right["beyond_objects"]
    assert found["places"]["gain_objects_second"] == right["gain_objects"] != found["places"]["gain_objects"]
    table = queries.read(tmp_path / "a")
    assert table.recall_at_1_place_drop_objects_second.mean() == pytest.approx(second, abs=2e-6)
    assert "Objects alone, second masks" in (tmp_path / "a/report.html").read_text()
    other = at(shops, tmp_path / "b", "background_alone", monkeypatch, masks=leaky)
    assert other["places"] == {name: of for name, of in found["places"].items() if not name.endswith("_second")}
    left = comparable.tables([table, queries.read(tmp_path / "b")], [tmp_path / "a", tmp_path / "b"])
    assert "recall_at_1_place_drop_objects" in left[0] and not [name for name in left[0] if name.endswith("_second")]
    without = run(shops, tmp_path / "c", "background_alone", no_attention=True, **options)
    assert "places" not in without and without["second_masks"] == found["second_masks"]


def test_with_places_an_audit_by_two_kinds_of_masks_embeds_one_view_more():
    """As docs/places.md says."""
    without = views.names(5, second_kind=True)
    assert views.names(5, second_kind=True, places=True) == [*without, views.SECOND_ALONE] and len(without) == 32


def test_audits_are_compared_by_places_where_they_are_the_same(shops, tmp_path, monkeypatch, capsys):
    at(shops, tmp_path / "a", "background_alone", monkeypatch, quick=True)
    at(shops, tmp_path / "b", "object_alone", monkeypatch, quick=True)
    table = pd.read_csv(shops / "places.csv")
    other = tmp_path / "other.csv"
    table.assign(place=np.roll(table.place, 1)).to_csv(other, index=False)
    same = tmp_path / "same.csv"
    table[::-1].assign(place=table.place.map({"A": "Lund", "B": "Kiruna"})).to_csv(same, index=False)
    run(shops, tmp_path / "c", "object_alone", places=other, no_attention=True, quick=True)
    run(shops, tmp_path / "d", "object_alone", no_attention=True, quick=True)
    run(shops, tmp_path / "e", "object_alone", places=same, no_attention=True, quick=True)
    capsys.readouterr()
    for alike in ("b", "e"):
        compare.main(SETTINGS, tmp_path / "a", tmp_path / alike, None)
        told = capsys.readouterr().out
        assert re.search(r"elsewhere photos +\| +0.0 +\| +100.0 +\| +\+?100.0", told)
        assert "\nAmong photos of other places its Recall@1 is 100.0 points higher (95 % interval 100.0 to" in told
    unlike = {"c": "The places are not the same: what they", "d": f"{tmp_path / 'd'} has no places: what these"}
    for other, why in unlike.items():
        compare.main(SETTINGS, tmp_path / "a", tmp_path / other, None)
        told = capsys.readouterr().out
        assert f"{why} show is left out." in told and "elsewhere" not in told


def test_audits_that_an_earlier_version_made_by_places_are_compared_by_what_both_hold(shops, tmp_path, monkeypatch):
    at(shops, tmp_path / "a", "mixture", monkeypatch)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    found, folders = files.read_json(tmp_path / "a/audit.json"), [tmp_path / "a", tmp_path / "b"]
    assert not comparable.left_out(folders)
    del found["places"]["gain_objects"]
    files.write_json(tmp_path / "b/audit.json", found)
    table = queries.read(tmp_path / "a")
    earlier = table.drop(columns="recall_at_1_elsewhere_gain_objects")
    both = comparable.tables([table, earlier], folders)
    assert list(both[0]) == list(both[1]) == list(earlier)
    assert comparable.left_out(folders) == [comparable.OF_EARLIER.format("gain_objects")]


@pytest.mark.parametrize("column", ["recall_at_1_elsewhere_photos", "recall_at_1_place_drop_beyond_objects"])
def test_a_column_of_places_that_was_changed_is_refused(shops, tmp_path, monkeypatch, column):
    at(shops, tmp_path, "mixture", monkeypatch)
    table = queries.read(tmp_path)
    assert list(comparable.tables([table], [tmp_path])[0]) == list(table)
    with pytest.raises(ValueError, match=f"its mean {column} is 2.000000, that of audit.json"):
        comparable.tables([table.assign(**{column: 2.0})], [tmp_path])


def test_near_duplicates_in_one_place_and_in_two_are_counted(shops, tmp_path, monkeypatch):
    pairs = [(0, 1), (0, 5), (0, 24)]  # of one shop, of two, and of two classes
    monkeypatch.setattr("bgbias.audit.inputs.pictures.near_duplicates.near_duplicates", lambda pack, **_: pairs)
    found = at(shops, tmp_path, "object_alone", monkeypatch, quick=True)
    assert found["places"]["doubles"] == found["places"]["alike"] == 1
    for sentence in (
        "Of near-duplicates 1 pair would lie in two places: correct the list of places, or keep one photo of each.",
        "1 pair of near-duplicates of one class is of one place, where more is found for it: keep one photo of each.",
    ):
        assert sentence in found["verdict"]


def test_places_that_are_spelt_almost_alike_are_said(shops, tmp_path, monkeypatch):
    table = pd.read_csv(shops / "places.csv")
    places_named = table.place.where(table.index % 3 < 2, table.place.str.lower())
    table.assign(place=places_named).to_csv(tmp_path / "list.csv", index=False)
    monkeypatch.chdir(shops)
    found = run(shops, tmp_path / "out", "object_alone", places=tmp_path / "list.csv", quick=True)
    told = "Places that differ by case, punctuation or leading zeros alone count as others, such as A and a: write"
    assert found["places"]["places"] == 2 * SHOPS and any(sentence.startswith(told) for sentence in found["verdict"])


def refused(shops, tmp_path, text, message, **options):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(shops, tmp_path / "out", "object_alone", places=tmp_path / "list.csv", quick=True, **options)
    assert not (tmp_path / "out/audit.json").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[1:], "photos without a place; add them, as path,place, relative to the photos' folder: c"),
        (
            lambda table: table.replace("class0/0.png", "class0/O.png"),
            r"without a place \(nearest of the list's other paths: class0/O.png\); add them.*: class0/0.png$",
        ),
        (
            lambda table: table.assign(path="/home/ann/shop/" + table.path),
            r"without a place \(nearest of the list's other paths: /home/ann/shop/class0/0.png\); add",
        ),
        (lambda table: pd.concat([table, table[:1]]), "listed twice; list each photo once: class0/0.png"),
        (lambda table: table.assign(place="A"), "0 classes have a photo with another one in its place and one in"),
        (lambda table: table.assign(place=table.path), "0 classes have a photo"),
        (lambda table: table.assign(place=table.place.where(table.path < "class1", "A")), "1 classes have a photo"),
        (
            lambda table: table.rename(columns={"place": "shop"}),
            "its first line is 'path,shop': name the columns pa",
        ),
        (lambda table: table.assign(place=table.place.where(table.index > 0, "")), "rows without a place; fill or rem"),
    ],
)
def test_lists_that_do_not_tell_places_are_refused(shops, tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(shops)
    refused(shops, tmp_path, change(pd.read_csv(shops / "places.csv")).to_csv(index=False), message)


def test_a_list_is_refused_before_anything_is_made(shops, tmp_path, monkeypatch, checkout):
    monkeypatch.chdir(shops)
    with pytest.raises(FileNotFoundError, match="nowhere.csv: no such file"):
        run(shops, tmp_path / "out", "object_alone", places=tmp_path / "nowhere.csv")
    text = (shops / "places.csv").read_text()
    refused(shops, tmp_path, text, "every photo searches the others, and by --queries some do", queries=4)
    refused(shops, tmp_path, text, "the others, and by --one-each each searches for itself", one_each=True)
    assert not checkout.exists()


def test_roles_are_refused(shops, tmp_path, monkeypatch):
    paths = [f"class{kind}/{number}.png" for kind in range(KINDS) for number in range(SHOPS * EACH)]
    rows = [f"photos/{path},{path[:6]},{'query' if path.endswith('0.png') else 'gallery'}" for path in paths]
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/photos").symlink_to(shops / "photos")
    (tmp_path / "shop/photos.csv").write_text("\n".join(["path,class,role", *rows]))
    monkeypatch.chdir(shops)
    listed = "path,place\n" + "\n".join(f"photos/{path},{number % 2}" for number, path in enumerate(paths))
    refused(shops, tmp_path, listed, "by roles some do", photos=str(tmp_path / "shop"), masks=None)


def test_names_of_paths_and_places_are_read_in_one_form(tmp_path):
    (tmp_path / "list.csv").write_text("path,place\n./a\u0308.jpg,  Lund  1\nb.jpg,Lund 1\n", encoding="utf-8-sig")
    assert places.read(tmp_path / "list.csv").to_dict() == {"\u00e4.jpg": "Lund 1", "b.jpg": "Lund 1"}


def test_the_list_is_an_option_of_remedies_too(shops, tmp_path, monkeypatch):
    found = at(shops, tmp_path, "background_alone", monkeypatch, quick=True)
    commands = [command for step in found["advice"] for command in step["commands"]]
    with_list = {stage: [stage in one and "--places" in one for one in commands] for stage in ("remedies", "audit")}
    assert sum(with_list["remedies"]) == 1
    assert sum(with_list["audit"]) == 2  # before and after training


def test_places_are_those_of_their_photos_whatever_the_order_of_photos_and_list():
    listed = pd.Series(list("AABAAB"), index=list("cabfde"))
    found = places.numbered(listed, pd.Series(list("bacedf")), np.array([0, 0, 0, 1, 1, 1]), Path("places.csv"))
    assert found.tolist() == [0, 1, 1, 0, 1, 1]
