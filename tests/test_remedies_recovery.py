"""How much of the drop is recovered: by hand, of embedders whose answer is known, and of which photos it is learnt."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import normalize

from bgbias.metrics import bootstrap
from bgbias.metrics.retrieval import per_query
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder, embed
from bgbias.models.trained import new, save
from bgbias.photos.views import Photos
from bgbias.remedies import projection, recovery
from bgbias.remedies.pictures import REMEDIES, Shown, averaged
from bgbias.remedies.recovery import Learnt, Split, learn, measure
from bgbias.seeding import generator
from stages import remedies

SEED, DRAWS = 7, 2
PASSES = {name for remedy in REMEDIES for name in remedy.passes}


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Network(nn.Module):
    """A network that gives what a function makes of images, 0..255."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def middle(images):
    """The drawn object's colour, as a direction."""
    return normalize(images[:, :, 6:10, 6:10].mean((2, 3)) - 99.5)


def corners(images):
    """The background alone, as a direction."""
    return normalize(images[:, :, ::15, ::15].flatten(1) - 99.5)


EMBEDDERS = {
    "object": middle,
    "background": corners,
    "both": lambda images: torch.cat([middle(images), 3 * corners(images)], 1),
}


def embedder(name):
    return Embedder(Network(EMBEDDERS[name]), card(name, Input(16, (0,) * 3, (1 / 255,) * 3)), name)


@pytest.fixture
def photos(data, geometry):
    return Photos.prepared("drawn", geometry, data)


def split_of(photos, name, split="test"):
    shown = Shown(photos, photos.pool("val"), SEED)
    return recovery.embedded(embedder(name), photos, split, photos.pool("test"), DRAWS, SEED, shown)


def nothing_learnt(dimensions):
    return Learnt(torch.empty(0, dimensions), torch.eye(dimensions), {}, {})


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 50)


def measured(photos, name):
    tested = split_of(photos, name)
    return tested, measure(tested, tested, nothing_learnt(tested.views[0]["as_is"].shape[1]), SEED)


# --- embedders whose answer is known


def test_masking_queries_changes_nothing_for_an_embedder_that_sees_the_object_alone(photos, few_resamples):
    tested, found = measured(photos, "object")
    for name in PASSES:
        assert torch.allclose(tested.views[1][name], tested.views[0]["as_is"], atol=1e-3), name
    for key, remedy in found.items():
        assert remedy["clean"]["recall_at_1"] == remedy["swapped"]["recall_at_1"] == 1, key
        assert remedy["recovered"]["recall_at_1"] == {"value": None, "low": None, "high": None}, key  # no drop


def test_behind_every_photo_the_same_background_recovers_what_the_object_alone_gives(photos, few_resamples):
    _, found = measured(photos, "both")
    assert found["as_is"]["swapped"]["recall_at_1"] < 0.9
    for key in ("grey_both", "swaps_4_both", "swaps_16_both"):
        assert found[key]["swapped"]["recall_at_1"] == 1, key
    assert found["own_swaps_4_both"]["swapped"]["recall_at_1"] < 1


def test_an_embedder_that_sees_the_background_alone_has_nothing_to_be_recovered(photos):
    tested = split_of(photos, "background")
    for passes in tested.views:
        for name in ("grey", "same_3"):
            assert torch.allclose(passes[name], passes[name][:1].expand_as(passes[name]))


def two_parts(labels, backgrounds, seed):
    """Embeddings of an object part in 8 dimensions and a larger background part in 4."""
    objects = random(20, 8, seed=1)[labels] + 0.2 * random(len(labels), 8, seed=seed)
    return normalize(torch.cat([normalize(objects), 2 * normalize(backgrounds)], 1))


def world(seed):
    """A split whose classes have a background each on the clean photos, and random ones on the swapped."""
    labels = torch.arange(100) % 20
    own = two_parts(labels, random(20, 4, seed=3)[labels], seed)
    swapped = [two_parts(labels, random(100, 4, seed=seed + number), seed) for number in range(1, 4)]
    return Split(labels, [dict.fromkeys(PASSES, view) for view in (own, *swapped)])


def swaps_of_other_photos():
    objects = random(40, 1, 8, seed=50).expand(-1, 5, -1)
    parts = normalize(objects, dim=2), 2 * normalize(random(40, 5, 4, seed=51), dim=2)
    return normalize(torch.cat(parts, 2), dim=2)


def test_validation_chooses_to_remove_all_background_dimensions_and_all_of_the_drop_is_recovered(few_resamples):
    learnt = learn(swaps_of_other_photos(), world(100))
    assert list(learnt.tried["directions"]) == [0, 1, 2, 4] and len(learnt.directions) == 4
    assert learnt.matrix.shape == (12, 12) and list(learnt.tried["shrinkage"]) == list(projection.SHRINKAGES)
    assert learnt.movement[0] == 0 and learnt.movement[1] < learnt.movement[2] < learnt.movement[4]
    assert learnt.movement[4] == pytest.approx(1)
    found = measure(world(200), world(100), learnt, SEED)
    assert found["as_is"]["swapped"]["recall_at_1"] < 0.6
    assert found["removed"]["recovered"]["recall_at_1"]["value"] == pytest.approx(1, abs=0.03)
    assert found["whitened"]["recovered"]["recall_at_1"]["value"] > 0.9


def test_a_random_embedder_is_left_at_chance(few_resamples):
    def split(seed):
        views = [normalize(random(200, 12, seed=seed + number)) for number in range(3)]
        return Split(torch.arange(200) % 20, [dict.fromkeys(PASSES, view) for view in views])

    learnt = learn(normalize(random(50, 5, 12, seed=1), dim=2), split(10))
    for key, remedy in measure(split(20), split(10), learnt, SEED).items():
        assert remedy["swapped"]["recall_at_1"] == pytest.approx(9 / 199, abs=0.035), key


def test_every_fix_that_is_learnt_is_a_remedy():
    assert nothing_learnt(3).fixes().keys() == {remedy.fix for remedy in REMEDIES}


def test_what_would_leave_nothing_of_an_embedding_is_not_tried():
    swaps = normalize(torch.cat([random(30, 5, 4), torch.zeros(30, 5, 4)], 2), dim=2)
    embeddings = normalize(torch.cat([random(9, 4, seed=1), torch.zeros(9, 4)], 1))
    split = Split(torch.arange(9) % 3, [dict.fromkeys(PASSES, embeddings)] * 2)
    assert list(learn(swaps, split).tried["directions"]) == [0, 1, 2]


# --- the figures


def test_recovered_equals_a_plain_loop(few_resamples):
    tested, chosen_on = world(200), world(100)
    learnt = Learnt(torch.eye(12)[3:11], torch.eye(12), {}, {})  # takes some of the object away, too
    found = measure(tested, chosen_on, learnt, SEED)["removed"]
    labels = tested.labels

    def plain(embeddings):
        return [
            float(labels[max((row for row in range(100) if row != q), key=lambda row: embeddings[q] @ embeddings[row])])
            == labels[q]
            for q in range(100)
        ]

    before = np.array([plain(view["as_is"]) for view in tested.views], dtype=float)
    after = np.array(
        [plain(projection.removed(view["as_is"], learnt.directions)) for view in tested.views], dtype=float
    )
    gain, drop = after[1:].mean() - before[1:].mean(), before[0].mean() - before[1:].mean()
    assert found["recovered"]["recall_at_1"]["value"] == pytest.approx(gain / drop)
    assert found["change_swapped"]["recall_at_1"]["value"] == pytest.approx(gain)
    assert found["change_clean"]["recall_at_1"]["value"] == pytest.approx(after[0].mean() - before[0].mean())
    assert after[0].mean() < before[0].mean()  # the drop is the one without a remedy
    assert found["swapped"]["recall_at_1_sd"] == pytest.approx(after[1:].mean(1).std(ddof=1))


def test_recovered_has_the_interval_of_a_ratio_of_the_means_over_draws(few_resamples):
    tested = world(200)
    learnt = learn(swaps_of_other_photos(), tested)
    found = measure(tested, tested, learnt, SEED)

    def scores(fix):
        views = [fix(view["as_is"]) for view in tested.views]
        return [per_query(view, view, tested.labels, [1])["map_at_r"].double() for view in views]

    clean, *before = scores(lambda embeddings: embeddings)
    _, *after = scores(lambda embeddings: projection.whitened(embeddings, learnt.matrix))
    before, after = sum(before) / 3, sum(after) / 3
    rng = generator(SEED, "remedy intervals")
    value, low, high, *_ = bootstrap.ratio(after - before, clean - before, tested.labels, rng)
    assert found["whitened"]["recovered"]["map_at_r"] == pytest.approx({"value": value, "low": low, "high": high})


def test_the_criterion_is_the_mean_of_clean_and_swapped_map_at_r():
    tested, fix = world(200), lambda embeddings: embeddings
    clean, *swapped = [recovery.score(REMEDIES[0], view, tested.labels, fix)["map_at_r"] for view in tested.views]
    expected = (clean.mean() + torch.stack(swapped).mean()) / 2
    assert recovery.criterion(REMEDIES[0], tested, fix) == pytest.approx(expected.item())


def test_a_remedy_for_queries_leaves_the_gallery_as_it_is():
    view = {name: normalize(random(12, 5, seed=number)) for number, name in enumerate(sorted(PASSES))}
    labels = torch.arange(12) % 3
    for remedy in REMEDIES:
        queries = averaged([view[name] for name in remedy.passes])
        gallery = view["as_is"] if remedy.sides == "query" else queries
        found = recovery.score(remedy, view, labels, lambda embeddings: embeddings)
        assert torch.equal(found["map_at_r"], per_query(queries, gallery, labels, [1])["map_at_r"]), remedy.key


def test_the_first_of_the_best_by_validation_is_chosen():
    measured = {"as_is": {"validation": 0.5}, "grey_both": {"validation": 0.75}, "crop_both": {"validation": 0.75}}
    learnt = Learnt(torch.eye(12)[:3], torch.eye(12), {"directions": {3: 0.5}}, {3: 1.0})
    assert recovery.described(measured, learnt) == {
        "chosen": "grey_both", "tried": learnt.tried, "movement": {3: 1.0}, "removed": 3, "dimensions": 12}  # fmt: skip


# --- which photos are seen


def test_photos_whose_masks_show_no_object_are_counted(photos):
    ids = photos.split("test")
    assert recovery.empty_masks(photos, ids) == 0
    photos.masks = Faint(photos.masks, {int(ids[0]): 127, int(ids[2]): 0, int(ids[3]): 128})
    assert recovery.empty_masks(photos, ids) == 2


class Faint:
    """A pack of masks, some of them no brighter than a level."""

    def __init__(self, pack, levels):
        self.pack, self.levels, self.shapes = pack, levels, pack.shapes

    def __getitem__(self, image_id):
        return np.minimum(self.pack[image_id], self.levels.get(int(image_id), 255)).astype(np.uint8)


class Watched:
    """A pack that notes which photos are read."""

    def __init__(self, pack, read):
        self.pack, self.read, self.shapes = pack, read, pack.shapes

    def __getitem__(self, image_id):
        self.read.add(int(image_id))
        return self.pack[image_id]


def watch(photos):
    read = set()
    photos.photos, photos.masks = Watched(photos.photos, read), Watched(photos.masks, read)
    return read


def test_the_subspace_sees_training_classes_alone(photos):
    read = watch(photos)
    swaps = recovery.training_swaps(embedder("both"), photos, photos.pool("val"), SEED)
    assert read == set(photos.split("train"))
    assert swaps.shape == (12, recovery.SWAPS, 15)


def test_the_choice_sees_validation_classes_alone(photos):
    read = watch(photos)
    split = split_of(photos, "both", "val")
    assert read == set(photos.split("val"))
    assert split.labels.tolist() == photos.table.class_id[photos.split("val")].tolist()


def test_of_many_training_photos_some_are_learnt_from(photos, monkeypatch):
    monkeypatch.setattr(recovery, "PHOTOS", 5)
    read = watch(photos)
    assert len(recovery.training_swaps(embedder("both"), photos, photos.pool("val"), SEED)) == len(read) == 5


def test_the_swapped_views_are_those_of_the_stage_embed(photos):
    ids, pool = photos.split("test"), photos.pool("test")
    tested = split_of(photos, "both")
    assert len(tested.views) == 1 + DRAWS
    views = [photos.clean(ids), *(photos.swapped(photos.draw(ids, pool, SEED, "swapped", n), pool) for n in range(2))]
    for passes, batches in zip(tested.views, views, strict=True):
        assert torch.equal(passes["as_is"], embed(embedder("both"), batches, ids))


# --- the command


@pytest.fixture
def workplace(data, tmp_path, monkeypatch):
    """A folder with params.yaml for the drawn photos, and a model."""
    yaml = YAML()
    settings = yaml.load(Path("params.yaml"))
    for block in ("data", "images", "masks", "backgrounds", "train", "evaluate"):
        settings[block]["drawn"] = settings[block]["own"]
    settings["attention"]["max_images"]["drawn"] = 10
    settings["images"]["drawn"] |= {"short_side_px": 24, "crop_px": 20, "input_px": 20}
    settings["evaluate"]["drawn"]["draws"] = 2
    yaml.dump(settings, tmp_path / "params.yaml")
    torch.manual_seed(0)
    model = new("small_resnet", 8, 16, "euclidean")
    save(model, tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["remedies", *map(str, arguments)])
    runpy.run_path(remedies.__file__, run_name="__main__")


def test_the_command_writes_all_remedies_and_directions_that_can_be_used_elsewhere(workplace, monkeypatch, capsys):
    run(monkeypatch, "drawn", "model:model", "--out", "metrics/mine.json", "--save", "fixes/mine.safetensors")
    found = json.loads((workplace / "metrics/mine.json").read_text())["mine"]
    assert set(found["remedies"]) == {remedy.key for remedy in REMEDIES}
    assert found["chosen"] in found["remedies"] and found["empty_masks"] == 0
    assert (found["dataset"], found["embedder"], found["dimensions"]) == ("drawn", "model:model", 8)
    saved = load_file(workplace / "fixes/mine.safetensors")
    assert len(saved["directions"]) == found["removed"] and saved["matrix"].shape == (8, 8)
    mine = normalize(random(5, 8))
    assert (
        projection.removed(mine, saved["directions"]).shape
        == projection.whitened(mine, saved["matrix"]).shape
        == (5, 8)
    )
    printed = capsys.readouterr().out
    assert len([line for line in printed.splitlines() if line.startswith("| ")]) == 1 + len(REMEDIES)
    assert f"Chosen by validation: {found['chosen']}" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("paintings", "model:model"), "error: unknown dataset 'paintings'"),
        (("drawn", "model:nowhere"), "error: model:nowhere: nowhere: no model here"),
    ],
)
def test_a_mistake_is_one_line(workplace, monkeypatch, arguments, message):
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, *arguments, "--out", "found.json")
    assert str(caught.value).startswith(message) and not (workplace / "found.json").exists()
