"""A leaderboard by places: what each row finds of a class in its own place, and elsewhere."""

import json
import shutil

import pandas as pd
import pytest
from audited_shop import EACH, KINDS, SETTINGS, SHOPS, run
from drawn_board import ROWS
from ruamel.yaml import YAML
from spoils import figures

from bgbias.errors import InputError
from bgbias.leaderboard import rows, shown
from stages import leaderboard

COLUMNS = ["own place", "elsewhere", "lost elsewhere"]


@pytest.fixture(scope="module")
def audits(shops, tmp_path_factory):
    """Folders of audits by places, and the first of them without."""
    out, current = tmp_path_factory.mktemp("audits"), pytest.MonkeyPatch()
    with current.context() as there:
        there.chdir(shops)
        given = {"no_attention": True, "second_masks": "none"}
        for name in ("background_alone", "object_alone"):
            run(shops, out / name, name, places=shops / "places.csv", **given)
        run(shops, out / "without", "background_alone", **given)
    return out


def test_the_board_has_what_is_found_elsewhere_and_how_much_more_than_the_first_row(audits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    leaderboard.main(SETTINGS, "mine", [audits / "background_alone", audits / "object_alone"])
    found = json.loads((tmp_path / "metrics/leaderboard/mine.json").read_text())["mine"]["leaderboard"]
    blind, seen = found["rows"]["background_alone"], found["rows"]["object_alone"]
    assert [blind[name]["value"] for name in ("same_place", "elsewhere", "place_drop")] == [1, 0, 1]
    assert [seen[name]["value"] for name in ("same_place", "elsewhere", "place_drop")] == [1, 1, 0]
    assert seen["less_first"]["elsewhere"]["difference"] == 1 and found["places"] == SHOPS
    table = shown.table(found).set_index("embedder")
    assert table.loc["background_alone", COLUMNS].tolist() == ["100.0", "0.0 (0.0 to 0.0)", "100.0 (100.0 to 100.0)"]
    assert table["elsewhere less background_alone"].to_dict() == {
        "object_alone": "+100.0 (100.0 to 100.0)", "background_alone": ""}  # fmt: skip
    text = (tmp_path / "plots/leaderboard/mine/table.md").read_text()
    assert f"Recall@1 of {KINDS * SHOPS * EACH} photos as they are, of {KINDS} classes in {SHOPS} places, among" in text


def test_a_table_with_places_is_not_replaced_unasked_by_one_without(audits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    leaderboard.main(SETTINGS, "mine", [audits / "background_alone"])
    added = [audits / "background_alone", audits / "without"]
    with pytest.raises(
        InputError, match=f"mine.json holds what this table does not; .*: places {SHOPS} instead of None"
    ):
        leaderboard.main(SETTINGS, "mine", added)
    leaderboard.main(SETTINGS, "mine", added, replace=True)
    leaderboard.main(SETTINGS, "mine", [*added, audits / "object_alone"])


@pytest.mark.parametrize("order", [1, -1])
def test_where_a_row_has_no_places_none_has_and_the_board_says_so(audits, order):
    folders = {name: audits / name for name in ("without", "object_alone")[::order]}
    found = rows.board(folders, 7)
    assert found["places"] is None and "The places are not the same: what they show is left out." in found["doubt"]
    assert not set(COLUMNS) & set(shown.table(found)) and "own place" not in shown.notes(found)
    assert "elsewhere" not in found["rows"][[*folders][1]]["less_first"]


def test_few_classes_by_places_and_near_duplicates_are_said(audits, tmp_path):
    folders = {name: tmp_path / name for name in ("background_alone", "object_alone")}
    for name, folder in folders.items():
        shutil.copytree(audits / name, folder)
        figures(lambda found: found["places"]["photos"]["drop"].update(classes=3))(folder / "audit.json")
        figures(lambda found: found["places"].update(doubles=2, alike=1))(folder / "audit.json")
    doubt = rows.board(folders, 7)["doubt"]
    assert "By places, 3 classes are too few to conclude anything: " in doubt
    assert "Of near-duplicates 2 pairs would lie in two places: correct the list" in doubt
    assert "1 pair of near-duplicates of one class is of one place, where more is found for it: " in doubt
    assert "By places" not in rows.board({name: audits / name for name in folders}, 7)["doubt"]


def test_a_row_of_the_pipeline_has_places_and_is_measured_anew_where_their_list_has_changed(
    board_place, run_stage, capsys
):
    table = pd.read_csv("data/prepared/drawn/images.csv", keep_default_na=False)
    tested = table[table.split == "test"]
    taken = tested.groupby("class_id").cumcount().map({0: "A", 1: "A", 2: "B"})
    pd.DataFrame({"path": tested.path, "place": taken}).to_csv("places.csv", index=False)
    settings = YAML().load(board_place / "params.yaml")
    settings["leaderboard"]["datasets"] = {"drawn": {"places": "places.csv", "no_attention": True}}
    YAML().dump(settings, board_place / "params.yaml")
    for row in ROWS:
        run_stage("leaderboard_rows", "drawn", row)
    assert "drawn, object: 1 of" not in capsys.readouterr().out
    run_stage("leaderboard", "drawn")
    found = json.loads((board_place / "metrics/leaderboard/drawn.json").read_text())["drawn"]["leaderboard"]
    assert found["places"] == 2 and found["rows"]["object"]["elsewhere"]["value"] == 1
    assert found["rows"]["object"]["place_drop"]["queries"] == 6  # the third of each class is alone in its place
    (board_place / "places.csv").write_text((board_place / "places.csv").read_text().replace(",B", ",C"))
    with pytest.raises(SystemExit, match="error: row object: changed since it was measured; .*: places.csv"):
        run_stage("leaderboard", "drawn")
