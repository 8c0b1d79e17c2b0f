"""An audit whose queries are not in the gallery, such as customers' photos against a shop's: roles in photos.csv."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from audited_shop import CLASSES, PHOTOS, SETTINGS, SIDE, run
from own_photos import OPTIONS
from PIL import Image

from bgbias import files
from bgbias.audit.inputs import folder as audit_folder
from bgbias.datasets import folder
from bgbias.datasets.listed import NO_ROLES
from bgbias.errors import InputError
from bgbias.external import spec
from bgbias.models.embedder import embed
from bgbias.photos.pack import crop, read_photo
from bgbias.remedies import passes as remedies_passes
from bgbias.remedies import recovery
from stages import compare, remedies

pytestmark = pytest.mark.usefixtures("in_the_shop")
ASKED = 2  # photos of a class that are queries; the others are the gallery,
LONE = f"class{CLASSES - 1}"  # but of this one, all are queries


def listed(shop, to, change=lambda rows: rows):
    """The shop's photos with a list of their roles."""
    to.mkdir()
    for kind in range(CLASSES):
        (to / f"class{kind}").symlink_to(shop / f"photos/class{kind}")
    numbered = [(f"class{kind}", number) for kind in range(CLASSES) for number in range(PHOTOS)]
    rows = [(f"{name}/{number}.png", name, "query" if number < ASKED or name == LONE else "gallery")
            for name, number in numbered]  # fmt: skip
    change(pd.DataFrame(rows, columns=["path", "class", "role"])).to_csv(to / "photos.csv", index=False)
    return str(to)


@pytest.fixture(scope="module")
def audited(shop, tmp_path_factory):
    """Audits of 14 queries in a gallery of 28 photos, by name of the embedder."""
    made = tmp_path_factory.mktemp("roles")
    photos = listed(shop, made / "shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        return {
            name: run(shop, made / name, name, photos=photos) | {"folder": made / name} for name in ("noise", "mixture")
        }


def embedded(numbers):
    """Embeddings, classes and paths of these photos of each class but the lone one."""
    paths = [f"class{kind}/{number}.png" for kind in range(CLASSES - 1) for number in numbers]
    cut = np.stack([crop(read_photo(f"photos/{path}"), SIDE) for path in paths])
    pictures = torch.from_numpy(cut).permute(0, 3, 1, 2).contiguous()
    found = embed(spec.load("python:drawn_embedders:noise"), [pictures], paths)
    return found.double().numpy(), np.repeat(range(CLASSES - 1), len(numbers)), paths


def test_queries_search_the_gallery_alone(audited):
    queries, of, paths = embedded(range(ASKED))
    gallery, known, _ = embedded(range(ASKED, PHOTOS))
    hits = known[np.argsort(-queries @ gallery.T, axis=1)][:, : PHOTOS - ASKED] == of[:, None]
    precision = (hits.cumsum(1) / np.arange(1, PHOTOS - ASKED + 1) * hits).mean(1)
    found = audited["noise"]
    table = pd.read_csv(found["folder"] / "queries.csv").set_index("path")
    assert sorted(table.index) == sorted(paths) and found["photos"] == 14 and found["gallery"] == 28
    assert table.loc[paths].recall_at_1_clean.tolist() == hits[:, 0].tolist()
    assert table.loc[paths].map_at_r_clean.tolist() == pytest.approx(precision.tolist(), abs=1e-6)
    assert 0 < hits[:, 0].mean() < 1
    assert found["chance"]["recall_at_1"] == pytest.approx(4 / 28)


def test_a_model_of_the_background_loses_swapped_queries(audited):
    found = audited["mixture"]
    assert found["matrix"]["clean"]["clean"]["recall_at_1"]["value"] == 1 and found["drop"]["recall_at_1"]["low"] > 0.5


def test_the_verdict_and_the_page_say_who_is_searched(audited):
    said = "Audited are 14 queries. Each searches the gallery of 28 other photos as they are, once as it is and once"
    found = audited["mixture"]
    assert any(sentence.startswith(said) for sentence in found["verdict"])
    assert "6 of 20 queries have no photo of their class in the gallery, and are left out." in found["verdict"]
    assert any(sentence.startswith("14 queries: one of them is 7.1 points") for sentence in found["verdict"])
    page = (found["folder"] / "report.html").read_text()
    assert "<dt>queries</dt><dd>14</dd>" in page and "<dt>gallery</dt><dd>28</dd>" in page


def test_some_queries_are_drawn(shop, tmp_path, audited):
    found = run(shop, tmp_path / "few", "noise", photos=listed(shop, tmp_path / "shop"), queries=9, quick=True)
    ours, whole = (
        pd.read_csv(each / "queries.csv").set_index("path") for each in (tmp_path / "few", audited["noise"]["folder"])
    )
    assert len(ours) == 9 and ours.recall_at_1_clean.equals(whole.recall_at_1_clean[ours.index])
    assert found["sample"]["of"] == 14 and "Audited are 9 of 14 queries, drawn by the seed" in found["sample"]["said"]
    assert "in proportion to their queries, so their mean" in found["sample"]["said"]
    assert "Each searches the gallery of 28 other photos" in found["sample"]["said"]
    assert any(sentence.startswith("9 queries: one of them is 11.1 points") for sentence in found["verdict"])


def test_audits_are_compared_where_the_queries_are_the_same(shop, tmp_path, audited):
    compare.main(SETTINGS, audited["mixture"]["folder"], audited["noise"]["folder"], tmp_path / "compared.md")
    whole, less = audited["mixture"]["folder"], lambda rows: rows.iloc[1:]
    run(shop, tmp_path / "other", "noise", photos=listed(shop, tmp_path / "shop", less), quick=True)
    with pytest.raises(InputError, match="different samples of queries"):
        compare.main(SETTINGS, whole, tmp_path / "other", None)
    redrawn = Path(listed(shop, tmp_path / "redrawn"))
    (redrawn / "class6").unlink()
    shutil.copytree(shop / "photos/class6", redrawn / "class6")
    Image.new("RGB", (SIDE, SIDE), "red").save(redrawn / f"class6/{PHOTOS - 1}.png")  # of the gallery
    run(shop, tmp_path / "after", "noise", photos=str(redrawn), quick=True)
    with pytest.raises(InputError, match="different samples of queries"):
        compare.main(SETTINGS, whole, tmp_path / "after", None)


def only(role):
    return lambda rows: rows.assign(role=role)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (only("query"), "0 classes of a query and a photo of the gallery, and an audit needs 2"),
        (only("gallery"), "0 classes of a query and a photo of the gallery, and an audit needs 2"),
        (only("customer"), "photos.csv: unknown role; there are query, gallery: customer"),
        (lambda rows: rows.assign(role=rows.role.where(rows.index > 0, "")), "photos without a role; .*: class0/0.png"),
        (lambda rows: rows[rows["class"].isin([LONE, "class0"])], "1 classes of a query and a photo of the gallery"),
    ],
)
def test_what_is_no_list_of_roles_is_refused(shop, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        run(shop, tmp_path / "audit", "mixture", photos=listed(shop, tmp_path / "shop", change))


def test_copies_of_the_gallery_are_no_backgrounds(shop, tmp_path):
    photos, rng = listed(shop, tmp_path / "shop"), np.random.default_rng(0)
    (tmp_path / "shop/class0").unlink()
    shutil.copytree(shop / "photos/class0", tmp_path / "shop/class0")
    (tmp_path / "walls").mkdir()
    for number in range(ASKED, PHOTOS):  # they look like no query
        picture = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
        picture.save(tmp_path / f"shop/class0/{number}.png")
        shutil.copy(tmp_path / f"shop/class0/{number}.png", tmp_path / f"walls/{number}.png")
    message = r"walls: audited photos among the backgrounds, with their objects; .*walls/2.png"
    with pytest.raises(ValueError, match=message):
        run(shop, tmp_path / "audit", "mixture", photos=photos, backgrounds=str(tmp_path / "walls"), quick=True)


def test_a_second_pool_needs_whole_galleries(shop, tmp_path):
    asked = {"photos": listed(shop, tmp_path / "shop"), "second_backgrounds": "photos"}
    with pytest.raises(InputError, match=r"--second-backgrounds photos: puts whole galleries there, and roles in"):
        run(shop, tmp_path / "audit", "mixture", **asked)


def remedied(photos, out, name):
    given = {"photos": photos, "masks": "masks", "backgrounds": "backgrounds"}
    remedies.main(SETTINGS, f"python:drawn_embedders:{name}", out, **given)
    return json.loads(out.read_text())[out.stem]


def test_remedies_of_queries_start_from_the_figures_of_their_audit(shop, tmp_path, audited, capsys):
    found = remedied(listed(shop, tmp_path / "shop"), tmp_path / "r.json", "mixture")
    audit, as_is = audited["mixture"]["matrix"], found["remedies"]["as_is"]
    for view in ("clean", "swapped"):
        for metric in ("recall_at_1", "map_at_r"):
            assert as_is[view][metric] == pytest.approx(audit[view]["clean"][metric]["value"], abs=1e-6)
    assert as_is["swapped"]["recall_at_1"] < 0.5 < found["remedies"]["grey_both"]["swapped"]["recall_at_1"]
    said = capsys.readouterr().out
    assert found["gallery"] == 28
    assert "\n14 queries search the gallery of 28 other photos; only the queries are swapped.\n" in said
    assert "\n14 queries: one of them is 7.1 points" in said
    assert f"as remedies show them, test photos: {27 * (42 + 5 * 14):,} pictures of " in said


def test_remedies_of_queries_are_chosen_by_queries_and_learnt_from_all_photos(shop, tmp_path, monkeypatch):
    splits = dict(
        zip((f"class{kind}" for kind in range(CLASSES)), ["test"] * 3 + ["val"] * 2 + ["train"] * 3, strict=True)
    )
    learnt_from, chosen_on = [], []
    swaps, learn = remedies_passes.training_swaps, recovery.learn
    monkeypatch.setattr(remedies_passes, "training_swaps", lambda *of: learnt_from.append(of[2]) or swaps(*of))
    monkeypatch.setattr(recovery, "learn", lambda of, split: chosen_on.append(split) or learn(of, split))
    photos = listed(shop, tmp_path / "shop", lambda rows: rows.assign(split=rows["class"].map(splits)))
    found = remedied(photos, tmp_path / "r.json", "mixture")
    assert [len(of) for of in learnt_from] == [3 * PHOTOS] and found["chosen"] in found["remedies"]
    (split,) = chosen_on
    assert split.gallery == 2 * (PHOTOS - ASKED) and len(split.labels) == 2 * PHOTOS
    assert [len(view["as_is"]) for view in split.views] == [2 * PHOTOS, 2 * ASKED]


def test_what_is_left_out_of_the_photos_that_remedies_are_chosen_by_is_said(shop, tmp_path, capsys):
    splits = ["test"] * 3 + ["train"] * 2 + ["val"] * 3  # with the class of which all photos are queries
    photos = listed(shop, tmp_path / "shop", lambda rows: rows.assign(split=np.repeat(splits, PHOTOS)))
    remedied(photos, tmp_path / "r.json", "mixture")
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines.count("Of the split val: 6 of 10 queries have no photo of their class in the gallery, and are left out.")
        == 1
    )
    assert not [line for line in lines if line.startswith("Of the split") and "6 of 10" not in line]


def test_the_pipeline_says_that_roles_do_not_count_and_keeps_them_for_audits(shop, tmp_path, capsys):
    own = files.root() / "data/sources/own"
    own.parent.mkdir(parents=True)
    own.symlink_to(listed(shop, tmp_path / "shop"))
    folder.fetch(tmp_path / "own", dataclasses.replace(OPTIONS, follow_links=True))
    said = capsys.readouterr().out
    assert f"own: {NO_ROLES.format(raw='data/raw/own')}" in said and "`stages.audit --photos data/raw/own`" in said
    assert list(folder.image_table(tmp_path / "own")) == ["path", "class_name", "split", "mask_path", "class_id"]
    kept = folder.read(tmp_path / "own")
    assert kept.role.value_counts().to_dict() == {"gallery": 28, "query": 20} and set(kept.split) == {
        "train",
        "val",
        "test",
    }


def test_that_an_audit_will_refuse_the_test_photos_is_said_before_anything_is_trained(shop, tmp_path, capsys):
    def said_of(searched, name):
        def roles(rows):
            asked = rows.path.isin([f"class{kind}/0.png" for kind in searched])
            split = rows["class"].map(lambda of: ("train", "val", "test")[int(of[-1]) // 3])
            return rows.assign(role=asked.map({True: "query", False: "gallery"}), split=split)

        own = files.root() / "data/sources" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(listed(shop, tmp_path / f"shop_{name}", roles))
        folder.fetch(tmp_path / name, dataclasses.replace(OPTIONS, follow_links=True))
        return capsys.readouterr().out

    few = "few: 1 test classes have a query and a photo of the gallery, and an audit of data/raw/few needs 2: name a "
    assert few + "split for every photo in photos.csv, test for more such classes\n" in said_of([0, 1, 6], "few")
    with pytest.raises(ValueError, match="1 classes of a query and a photo of the gallery, and an audit needs 2"):
        audit_folder.read(tmp_path / "few")
    assert "test classes have a query" not in said_of([6, 7], "enough")
