"""The audit as a whole: embedders that see the object alone, the background alone, or noise, have known figures.

Drawn photos: a disc whose colour is the class's, on a ground whose colour is the class's, too, as in a biased dataset.
"""

import colorsys
import dataclasses
import json
import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import disc
from PIL import Image

from bgbias.audit import embeddings, queries
from bgbias.config import read
from stages import audit, compare

CLASSES, PHOTOS, SIDE = 8, 6, 32
EMBEDDERS = """
import torch
from torch import nn

class Sees(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
    def forward(self, images):
        return self.function(images)

def expected(function):
    return lambda: (Sees(function), 32, (0, 0, 0), (1, 1, 1))

def noise_of(images):
    source = torch.Generator().manual_seed(0)
    weights = torch.randn(images[0].numel(), 64, generator=source).to(images)
    return torch.sin(1e4 * images.flatten(1) @ weights)

object_alone = expected(lambda images: images[:, :, 14:18, 14:18].mean((2, 3)) - 0.4)
background_alone = expected(lambda images: images[:, :, :3, :3].mean((2, 3)) - 0.4)
noise = expected(noise_of)
wrong_shape = expected(lambda images: images)
not_a_number = expected(lambda images: 1 / (images.mean((2, 3)) - images.mean((2, 3)).where(images.sum() > 0, -1)))
"""
ESTIMATE = {"value", "low", "high", "queries", "classes", "undefined"}
SETTINGS = read.load()
SETTINGS = dataclasses.replace(SETTINGS, attention=dataclasses.replace(SETTINGS.attention, copies=2))


def hue(place, brightness):
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(place, 0.9, brightness))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder with photos, masks and backgrounds, and the embedders' module."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(0)
    for kind in range(CLASSES):
        for number in range(PHOTOS):
            colours = np.array([hue(kind / CLASSES, 1), hue(0.5 + kind / CLASSES, 0.6)]) + rng.integers(-4, 5, (2, 3))
            size = (SIDE, SIDE + 6 * (number % 2))
            pictures = disc(size, *map(tuple, colours.clip(0, 255).tolist()))
            for part, picture in zip(("photos", "masks"), pictures, strict=True):
                path = folder / part / f"class{kind}" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
    (folder / "backgrounds").mkdir()
    for number in range(90):
        Image.new("RGB", (60, 50), hue(rng.random(), 0.3 + 0.7 * rng.random())).save(
            folder / f"backgrounds/{number}.png"
        )
    (folder / "drawn_embedders.py").write_text(EMBEDDERS)
    return folder


@pytest.fixture(autouse=True)
def in_the_shop(shop, monkeypatch):
    monkeypatch.chdir(shop)


def run(shop, out, name, **options):
    """The command's work; what it writes."""
    given = {"photos": "photos", "masks": "masks", "backgrounds": "backgrounds"} | options
    audit.main(SETTINGS, f"python:drawn_embedders:{name}", out, None, **given)
    return json.loads((out / "audit.json").read_text())


@pytest.fixture(scope="module")
def audits(shop, tmp_path_factory):
    """The audits of three embedders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        names = ("object_alone", "background_alone", "noise")
        folders = {name: tmp_path_factory.mktemp(name) for name in names}
        return {name: run(shop, folder, name) | {"folder": folder} for name, folder in folders.items()}


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
    assert found["verdict"][-1].startswith("What to do: nothing against backgrounds")


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
    assert found["verdict"][-1].startswith("What to do: train with random backgrounds")


def test_of_noise_nothing_is_concluded(audits):
    found = audits["noise"]
    chance = found["chance"]["recall_at_1"]
    assert chance == pytest.approx((PHOTOS - 1) / (CLASSES * PHOTOS - 1), abs=1e-6)
    assert found["conflict"]["value"] == pytest.approx(0.5, abs=0.03)
    assert found["variance"]["photo"]["value"] == pytest.approx(found["variance"]["random"]["photo"], abs=0.05)
    clean = found["matrix"]["clean"]["clean"]["recall_at_1"]
    assert clean["low"] <= chance <= clean["high"]
    assert "not shown to be better than guessing" in found["verdict"][1]
    assert found["verdict"][-1].startswith("What to do: first see that the model finds the classes")


def test_the_figures_have_known_keys(audits):
    found = audits["background_alone"]
    assert set(found) - {"folder"} == set(
        "embedder photos classes masks backgrounds made_with chance matrix drop views background_only_against_clean "
        "gap conflict worst_of_backgrounds invariance variance attention mask_doubt verdict".split()
    )
    assert (found["photos"], found["classes"], found["masks"]) == (CLASSES * PHOTOS, CLASSES, "masks")
    assert found["embedder"] == "python:drawn_embedders:background_alone"
    assert set(found["views"]) == set(
        "clean swapped foreground_black foreground_grey foreground_mean background_silhouette background_box_blacked "
        "background_box_tiled mixed_same mixed_rand "
        "mixed_next".split()
    )
    several = [*found["views"].values(), *found["background_only_against_clean"].values(), found["drop"], found["gap"]]
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
    assert doubt["flagged"] == {"empty": [], "full": [], "border": [], "tiny": []} and doubt["drop_without"] is None
    measured = {"score", "rank_accuracy", "pointing_game", "pair_score", "pair_score_retrieved"}
    assert set(found["attention"]["swapped"]) == measured


def test_every_figure_is_the_mean_of_a_column_of_the_queries(audits):
    found, table = audits["background_alone"], queries.read(audits["background_alone"]["folder"])
    assert len(table) == CLASSES * PHOTOS and set(table["class"]) == {f"class{kind}" for kind in range(CLASSES)}
    in_clean = {f"{view}_in_clean": of for view, of in found["background_only_against_clean"].items()}
    several = found["views"] | in_clean | {"drop": found["drop"], "background_gap": found["gap"]}
    several |= {"swapped_in_clean": found["matrix"]["swapped"]["clean"]}
    figures = {f"{metric}_{name}": of[metric] for name, of in several.items() for metric in of}
    figures |= {name: found[name] for name in ("conflict", "invariance")}
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


def test_two_audits_are_compared_query_by_query(audits, tmp_path, capsys):
    folders = [audits[name]["folder"] for name in ("background_alone", "object_alone")]
    compare.main(SETTINGS, *folders, tmp_path / "compared.md")
    said = capsys.readouterr().out
    assert (tmp_path / "compared.md").read_text() == said
    drop = 100 * audits["background_alone"]["drop"]["recall_at_1"]["value"]
    assert said.startswith(f"{folders[1]} loses {drop:.1f} points of Recall@1 less to swapped backgrounds than ")
    assert re.search(rf"Recall@1 drop +\| +{drop:.1f} \| +0.0 \| +-{drop:.1f} \(-", said)


def test_audits_with_other_masks_are_not_compared(shop, audits, tmp_path):
    shutil.copytree(shop / "masks", tmp_path / "masks")
    Image.new("L", (SIDE, SIDE), 255).save(tmp_path / "masks/class0/0.png")
    run(shop, tmp_path, "object_alone", masks=str(tmp_path / "masks"))
    with pytest.raises(ValueError, match="differ in masks: audit both with the same --masks"):
        compare.main(SETTINGS, audits["noise"]["folder"], tmp_path, None)


def test_audits_of_other_photos_are_not_compared(shop, audits, tmp_path):
    shutil.copytree(shop / "photos", tmp_path / "photos")
    (tmp_path / "photos/class0/0.png").unlink()
    run(shop, tmp_path / "out", "object_alone", photos=str(tmp_path / "photos"))
    with pytest.raises(ValueError, match="different photos: 47 in common of 48 and 47, class0/0.png only in .*: comp"):
        compare.main(SETTINGS, audits["noise"]["folder"], tmp_path / "out", None)


def test_an_interrupted_audit_goes_on_and_a_repeated_one_embeds_nothing(shop, tmp_path, monkeypatch):
    made, embed = [], embeddings.embedders.embed

    def counted(embedder, batches, names):
        made.append(names[0])
        if len(made) == 6:
            raise KeyboardInterrupt
        return embed(embedder, batches, names)

    monkeypatch.setattr(embeddings.embedders, "embed", counted)
    with pytest.raises(KeyboardInterrupt):
        run(shop, tmp_path, "object_alone")
    first = {
        name for name in made[:5] if name.endswith(")")
    }  # "class0/0.png (clean)"; else a sample, to know the model
    found = run(shop, tmp_path, "object_alone")
    assert first and not first & set(made[6:])
    made[:] = made[:6]
    assert run(shop, tmp_path, "object_alone") == found
    assert not [name for name in made[6:] if name.endswith(")")]


def test_another_model_behind_the_same_name_is_embedded_anew(shop, tmp_path):
    module = sys.modules["drawn_embedders"]
    first = run(shop, tmp_path, "object_alone")["drop"]["recall_at_1"]["value"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "object_alone", module.background_alone)
        assert run(shop, tmp_path, "object_alone")["drop"]["recall_at_1"]["value"] > first


def test_nothing_is_written_outside_of_out(shop, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*") if "__pycache__" not in path.parts}
    run(shop, tmp_path / "out", "object_alone", masks=None, backgrounds=None)  # GrabCut, rendered backgrounds
    assert {path: path.stat().st_mtime_ns for path in shop.rglob("*") if "__pycache__" not in path.parts} == before
    with pytest.raises(ValueError, match="--out photos/out lies in photos, which is read: choose another folder"):
        run(shop, Path("photos/out"), "object_alone")


def test_where_no_folder_can_be_made_it_is_said_at_once(shop, tmp_path):
    (tmp_path / "file").write_text("a file")
    for out in (tmp_path / "file", tmp_path / "file/deep"):
        with pytest.raises(ValueError, match=r"--out .*file.*: no folder can be made there .*: choose another"):
            run(shop, out, "object_alone")
    assert (tmp_path / "file").read_text() == "a file"


def test_doubtful_masks_are_named_and_left_out_of_the_probes(shop, tmp_path):
    masks = tmp_path / "masks"
    for path in (shop / "masks").rglob("*.png"):
        (masks / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.open(path).save(masks / path.relative_to(shop / "masks"))
    size = Image.open(masks / "class0/0.png").size
    Image.new("L", size).save(masks / "class0/0.png")
    Image.new("L", size, 255).save(masks / "class1/0.png")
    found = run(shop, tmp_path / "out", "object_alone", masks=str(masks))
    assert found["mask_doubt"]["flagged"] == {
        "empty": ["class0/0.png"],
        "full": ["class1/0.png"],
        "border": [],
        "tiny": [],
    }
    assert found["drop"]["recall_at_1"]["value"] > 0 == found["mask_doubt"]["drop_without"]["recall_at_1"]["value"]
    assert found["views"]["background_silhouette"]["recall_at_1"]["queries"] == CLASSES * PHOTOS - 2
    said = " ".join(found["verdict"])
    assert "2 of 48 masks are in doubt (1 empty, 1 full); without their photos the swap costs 0.0 points." in said
    assert "2 of 48 photos are left out where the object is taken away" in said


def test_the_command_ends_a_mistake_in_one_line(shop, tmp_path, monkeypatch):
    (shop / "params.yaml").write_text((Path(__file__).parent.parent / "params.yaml").read_text())
    for spec, complaint in (
        ("python:drawn_embedders:wrong_shape", "gives .2, 3, 32, 32., expected .N, D."),
        ("python:drawn_embedders:not_a_number", "the embedding of class0/0.png is not finite"),
        ("torchvision:resnt18", "close to it are resnet18"),
    ):
        monkeypatch.setattr(
            sys, "argv", ["audit", "--photos", "photos", "--masks", "masks", "--embedder", spec, "--out", str(tmp_path)]
        )
        with pytest.raises(SystemExit, match=complaint) as stopped:
            runpy.run_path(audit.__file__, run_name="__main__")
        assert str(stopped.value).startswith("error: ") and "\n" not in str(stopped.value)
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--mask_method", "grabcut"])  # as DVC writes an entry of params.yaml
    with pytest.raises(SystemExit, match="error: options: masks and mask_method: give one of the two"):
        runpy.run_path(audit.__file__, run_name="__main__")
    (shop / "params.yaml").unlink()
