"""Objects of the demo in other rooms: moved by the renderer, and swapped by their masks."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from test_datasets_demo import SMALL
from torch import nn

from bgbias.config import read
from bgbias.datasets import demo
from bgbias.external import spec
from bgbias.models.embedder import embed
from bgbias.moves import measured, moves, remarks
from bgbias.render.camera import crop
from bgbias.render.scenes import scene
from bgbias.seeding import generator
from stages import moves as stage

OPTIONS = dataclasses.replace(SMALL, test_classes=4, backgrounds=5, background_correlation=1.0)
EMBEDDER = "baseline:colour_histogram?input_px=32"


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkout") / "data/raw/demo"
    demo.fetch(folder, OPTIONS)
    return folder


@pytest.fixture(scope="module")
def made(raw):
    return moves(raw, OPTIONS, 3)


def test_the_test_photos_come_with_their_masks_and_classes(raw, made):
    table = demo.image_table(raw)
    table = table[table.split == "test"]
    assert made.paths == list(table.path) and made.labels.tolist() == list(table.class_id)
    assert made.photos.shape == (12, 32, 32, 3) and made.masks.shape == (12, 32, 32, 1)
    assert made.moved.shape == made.rooms.shape == (3, 12, 32, 32, 3)


def test_a_moved_object_is_the_same_and_has_another_room_behind_it_and_its_shadow_there(made):
    inside, outside = (np.broadcast_to(made.masks == level, made.photos.shape) for level in (255, 0))
    for moved, room in zip(made.moved, made.rooms, strict=True):
        assert np.array_equal(moved[inside], made.photos[inside])
        darker = room.astype(int) - moved
        assert darker[outside].min() >= 0 and (darker[outside] == 0).mean() > 0.3  # a shadow only takes light
        assert all((one.max() > 5) for one in np.where(outside, darker, 0))
        assert all((one != other).any() for one, other in zip(room, made.photos, strict=True))


def test_each_photo_s_rooms_differ_and_no_photo_was_taken_there(raw, made, monkeypatch):
    painted, shown = [], []
    monkeypatch.setattr("bgbias.moves.scene", lambda number, *rest: painted.append(number) or scene(number, *rest))
    monkeypatch.setattr("bgbias.moves.crop", lambda room, *rest: shown.append(id(room)) or crop(room, *rest))
    again = moves(raw, OPTIONS, 3)
    assert all(np.array_equal(*pair) for pair in zip(made, again, strict=True))
    taken = OPTIONS.train_scenes + OPTIONS.val_scenes + OPTIONS.test_scenes
    assert {number for number in painted if number >= taken} == set(range(taken, taken + 5))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert all((room != again.rooms[other, row]).any() for row, room in enumerate(made.rooms[one]))
    assert len({tuple(shown[photo + 1 : photo + 4]) for photo in range(0, 48, 4)}) > 3  # not the same for all photos


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 2}, "is not what params.yaml's data.demo renders"),
        ({"test_photos": 2}, "photos.csv: is not"),
        ({"train_scenes": 4}, "scenes.csv: is not"),  # its first rooms that no photo shows were photographed
        ({"size_px": 48}, r"_00.png: is not"),
        ({"backgrounds": 2}, "at least 3"),
    ],
)
def test_photos_by_other_options_and_too_few_rooms_are_refused(raw, changed, message):
    with pytest.raises(ValueError, match=message):
        moves(raw, dataclasses.replace(OPTIONS, **changed), 3)


def test_each_photo_may_get_every_room(raw):
    assert len(moves(raw, OPTIONS, OPTIONS.backgrounds).rooms) == 5


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("photos.csv", lambda table: table[:-1]),
        ("photos.csv", lambda table: table.assign(split="test")),
        ("photos.csv", lambda table: table.assign(**{"class": table["class"].where(table.split != "test", "all")})),
        ("scenes.csv", lambda table: table[:-1]),
        ("scenes.csv", lambda table: pd.concat([table, table[-1:]])),
    ],
)
def test_lists_that_were_edited_are_refused(raw, tmp_path, file, change):
    shutil.copytree(raw, tmp_path / "demo")
    table = pd.read_csv(raw / file)
    change(table).to_csv(tmp_path / "demo" / file, index=False)
    with pytest.raises(ValueError, match=r"\.csv: is not what params.yaml's data.demo renders: remove .*demo and run"):
        moves(tmp_path / "demo", OPTIONS, 3)


@pytest.mark.parametrize("kind", ["photos", "masks"])
def test_a_photo_or_mask_that_was_changed_is_refused(raw, tmp_path, kind):
    shutil.copytree(raw, tmp_path / "demo")
    file = sorted((tmp_path / "demo" / kind).rglob("*.png"))[-1]
    Image.fromarray(255 - np.asarray(Image.open(file))).save(file)
    with pytest.raises(ValueError, match=f"{kind}/.*{file.name}: is not what params.yaml's data.demo renders"):
        moves(tmp_path / "demo", OPTIONS, 3)


class Dropping(nn.Module):
    """Gives a photo another embedding at each call."""

    def forward(self, photos):
        return nn.functional.dropout(photos.flatten(1)[:, :512], 0.5)


class Alike(nn.Module):
    """Gives all photos nearly the same embedding."""

    def forward(self, photos):
        return 1 + 1e-4 * photos.flatten(1)[:, :512]


@pytest.mark.parametrize(
    ("network", "message"), [(Dropping(), "other embeddings at each call"), (Alike(), "nearly the same embedding")]
)
def test_models_that_are_no_function_of_the_photo_or_tell_none_apart_are_refused(made, network, message):
    model = spec.load(EMBEDDER)
    model.network = network
    with pytest.raises(ValueError, match=message):
        measured(model, made, 1)


def test_intervals_are_drawn_by_the_seed_of_params(made, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("bgbias.moves.generator", lambda *key: asked.append(key) or generator(*key))
    monkeypatch.setattr("bgbias.moves.moves", lambda *given: made)
    settings = read.load(Path(__file__).parents[1] / "params.yaml")
    stage.main(dataclasses.replace(settings, seed=5), EMBEDDER, tmp_path / "moves.json")
    assert set(asked) == {(5, "moves intervals")}


@pytest.mark.parametrize(("swap", "ends"), [
    (0.3, "30.0 points (95 % interval 25.0 to 35.0, 4 classes) where they are swapped: 20.0 points more (95 % interval "
    "15.0 to 25.0, 4 classes).\n"),
    (0.05, "5.0 points (95 % interval 0.0 to 10.0, 4 classes) where they are swapped: 5.0 points fewer (95 % interval "
    "0.0 to 10.0, 4 classes).\n"),
])  # fmt: skip
def test_the_stage_prints_what_a_move_costs_and_a_swap_beyond_it(made, monkeypatch, tmp_path, capsys, swap, ends):
    costs = {"drop_moved": 0.1, "drop_swapped": swap, "beyond": swap - 0.1}
    found = {
        name: {"recall_at_1": {"value": cost, "low": cost - 0.05, "high": cost + 0.05, "queries": 8, "classes": 4}}
        for name, cost in costs.items()
    }
    monkeypatch.setattr("bgbias.moves.moves", lambda *given: made)
    monkeypatch.setattr("bgbias.moves.measured", lambda *given: found)
    stage.main(read.load(Path(__file__).parents[1] / "params.yaml"), EMBEDDER, tmp_path / "moves.json")
    assert capsys.readouterr().out == (
        f"{EMBEDDER}: in other rooms photos lose 10.0 points of Recall@1 (95 % interval 5.0 to 15.0, 4 classes) where "
        f"objects are moved there, {ends}"
    )


def test_the_stage_writes_recall_of_photos_moves_and_swaps_and_the_differences(raw, made, monkeypatch, capsys):
    monkeypatch.chdir(raw.parents[2])
    settings = read.load(Path(__file__).parents[1] / "params.yaml")
    settings = dataclasses.replace(settings, data=settings.data | {"demo": OPTIONS})
    stage.main(settings, EMBEDDER, Path("moves.json"), Path("moves.png"))
    found, model = json.loads(Path("moves.json").read_text()), spec.load(EMBEDDER)

    def scores(pictures):
        embeddings = embed(model, [torch.from_numpy(pictures).permute(0, 3, 1, 2)], made.paths).double()
        nearest = (embeddings @ embeddings.T - 2 * torch.eye(len(embeddings))).argsort(1, descending=True).numpy()
        right = made.labels[nearest[:, :2]] == made.labels[:, None]  # each photo has two others of its class
        return np.array([right[:, 0].mean(), (right[:, 0] + right[:, 1] * right.mean(1)).mean() / 2])

    share = made.masks / 255
    swapped = [np.round(share * made.photos + (1 - share) * room).astype(np.uint8) for room in made.rooms]
    expected = {"clean": scores(made.photos), "moved": np.mean([scores(moved) for moved in made.moved], 0)}
    expected["swapped"] = np.mean([scores(pictures) for pictures in swapped], 0)
    expected |= {f"drop_{view}": expected["clean"] - expected[view] for view in ("moved", "swapped")}
    expected["beyond"] = expected["moved"] - expected["swapped"]
    assert expected["beyond"][1] > 0.001  # else its sign were not seen
    for name, of_each in expected.items():
        values = [found[name][metric]["value"] for metric in ("recall_at_1", "map_at_r")]
        assert values == pytest.approx(of_each, abs=1e-6), name
    assert all(found[name]["map_at_r"]["queries"] == found["photos"] == 12 for name in expected)
    assert (found["embedder"], found["rooms"]) == (EMBEDDER, 3)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(Image.open("moves.png")), (32, 32, 3))
    for pictures in (made.photos, made.moved[0], swapped[0]):
        assert (windows == pictures[-1]).all((-3, -2, -1)).any()
    assert f"{100 * expected['drop_moved'][0]:.1f} points of Recall@1" in capsys.readouterr().out


def test_what_was_guessed_of_the_model_is_printed_before_its_figures(made, monkeypatch, tmp_path, capsys):
    class Pooled(nn.Module):
        def forward(self, photos):
            return nn.functional.avg_pool2d(photos, 4).flatten(1)

    torch.jit.trace(Pooled(), torch.zeros(1, 3, 32, 32)).save(tmp_path / "net.pt")
    monkeypatch.setattr("bgbias.moves.moves", lambda *given: made)
    settings, model = read.load(Path(__file__).parents[1] / "params.yaml"), f"torchscript:{tmp_path}/net.pt?input_px=32"
    stage.main(settings, model, tmp_path / "moves.json")
    guessed, *_, said = capsys.readouterr().out.splitlines()
    assert guessed.startswith("The model's file does not tell how pictures are normalised: ImageNet's mean=0.485,")
    assert "On 12 photos of 4 classes MAP@R is" in guessed and said.startswith(f"{model}: in other rooms photos lose")
    stage.main(settings, f"{model}&mean=0&sd=1", tmp_path / "moves.json")
    assert "normalised" not in capsys.readouterr().out


def test_photos_that_the_model_was_trained_on_are_counted(raw, made, monkeypatch):
    own = raw.parent / "own"
    shutil.copytree(raw / "photos", own)
    paths = [path.removeprefix("photos/") for path in made.paths]
    table = pd.DataFrame(
        {"path": paths, "class_id": 0, "class_name": "all", "mask_path": "", "split": ["train"] * 9 + ["test"] * 3}
    )
    prepared = raw.parents[1] / "prepared/own"
    (prepared / "photos").mkdir(parents=True)
    table.rename_axis("image_id").to_csv(prepared / "images.csv")
    np.save(prepared / "photos/shapes.npy", np.full((12, 3), 32, dtype=np.int32))
    monkeypatch.setenv("DVC_ROOT", str(raw.parents[2]))
    model = spec.load(EMBEDDER)
    assert remarks(model, made, raw, 1) == []
    model.name, model.files = "model:models/own/base/42", [Path("models/own/base/42")]
    said = "9 of the 12 photos are among those that the model was trained on, and it finds these better than new ones."
    assert remarks(model, made, raw, 1) == [said]
