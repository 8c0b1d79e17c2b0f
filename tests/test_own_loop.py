"""The cure and the measures in a loop that is not ours: docs/own_loop.md, run as it stands."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from bgbias.own_loop import BackgroundPair, on_backgrounds
from bgbias.training.consistency import disagreement, weight

CURE, MEASURE = re.findall(r"```python\n(.*?)```", Path("docs/own_loop.md").read_text(), re.S)
RED = torch.tensor([255, 0, 0], dtype=torch.uint8)[:, None, None].expand(3, 50, 70)


@pytest.fixture
def shop():
    """Photos of four products, each a grey square on grounds that tell nothing, in random order."""
    torch.manual_seed(0)
    labels = torch.arange(4).repeat(8)
    photos = torch.randint(0, 256, (32, 3, 1, 1), dtype=torch.uint8).repeat(1, 1, 16, 16)
    photos[:, :, 4:12, 4:12] = (labels * 60 + 30).to(torch.uint8)[:, None, None, None]
    masks = torch.zeros(32, 1, 16, 16, dtype=torch.uint8)
    masks[:, :, 4:12, 4:12] = 255
    return photos, masks, labels


def names(shop, model):
    photos, masks, labels = shop
    return {
        "torch": torch, "functional": functional, "model": model, "photos": photos, "masks": masks, "labels": labels,
        "normalise": lambda pictures: pictures.float() / 127.5 - 1,
        "backgrounds": list(torch.randint(0, 256, (20, 3, 1, 1), dtype=torch.uint8).repeat(1, 1, 20, 20)),
        "other_backgrounds": photos.roll(1, 0)[:, :, :1, :1].expand_as(photos),
    }  # fmt: skip


def measured(known):
    def embed(pictures):
        with torch.no_grad():
            return functional.normalize(known["model"](known["normalise"](pictures)))

    known["embed"] = embed
    exec(MEASURE, known)
    return known["scores"]["swapped"]["recall_at_1"], known["drop"]


def test_the_loop_of_the_page_learns_to_find_objects_on_swapped_backgrounds(shop):
    known = names(shop, nn.Sequential(nn.Flatten(), nn.Linear(768, 32), nn.ReLU(), nn.Linear(32, 8)))
    before, _ = measured(known)
    classifier = nn.Linear(8, 4, bias=False)
    known["optimizer"] = torch.optim.Adam([*known["model"].parameters(), *classifier.parameters()], 0.01)
    known["criterion"] = lambda embeddings, labels: functional.cross_entropy(10 * classifier(embeddings), labels)
    known["loader"] = [shop] * 150
    exec(CURE, known)
    after, drop = measured(known)
    assert before < 0.75 < 0.95 < after and abs(drop) < 0.05
    assert not known["model"].training  # else batch norm takes its statistics from the swapped batch


def test_one_picture_is_the_photo_and_the_other_its_object_on_a_background(shop):
    photo, mask = shop[0][3], shop[1][3]
    first, second = BackgroundPair([RED], replace_first=0.0)(photo, mask)
    assert torch.equal(first, photo)
    assert torch.equal(second[:, 4:12, 4:12], photo[:, 4:12, 4:12]) and (second[0, 0] == 255).all()
    assert second[1:, 0].max() == 0


def test_masks_of_0_and_1_mean_what_those_of_0_and_255_do(shop):
    pairs = []
    for mask in (shop[1][3], shop[1][3] // 255):
        torch.manual_seed(0)
        pairs.append(torch.stack(BackgroundPair([RED], replace_first=1.0)(shop[0][3], mask)))
    assert torch.equal(*pairs)


@pytest.mark.parametrize("turned", [lambda of: of // 255 * 2, lambda of: (of / 256).byte()])
def test_masks_that_never_show_an_object_stop_the_training(shop, turned):
    """Of masks of a class's number both pictures were backgrounds, and a network learnt these without a word."""
    photo, mask = shop[0][3], shop[1][3]
    pair, wrong = BackgroundPair([RED]), turned(mask)
    for _ in range(3):  # a crop without an object is no such mask
        for _ in range(99):
            pair(photo, wrong)
        pair(photo, mask)
    for _ in range(99):
        pair(photo, wrong)
    message = f"100 masks in a row have no object, this one reaches {wrong.max()} of 255, so no object would be seen"
    with pytest.raises(ValueError, match=message):
        pair(photo, wrong)


def test_swapped_test_photos_show_their_objects_whatever_a_mask_is_counted_in(shop):
    photos, masks, _ = shop
    for counted in (masks, masks // 255):
        swapped = on_backgrounds(photos, counted, photos.roll(1, 0))
        assert torch.equal(swapped[:, :, 4:12, 4:12], photos[:, :, 4:12, 4:12])
        assert torch.equal(swapped[:, :, :4], photos.roll(1, 0)[:, :, :4])


@pytest.mark.parametrize(
    ("name", "turned", "message"),
    [
        ("photos", lambda of: of / 255, r"photos are float32 \(32, 3, 16, 16\), expected uint8 \(32, 3, 16, 16\)"),
        ("photos", lambda of: of[0], r"photos are uint8 \(3, 16, 16\), expected"),
        ("masks", lambda of: of > 0, r"masks are bool \(32, 1, 16, 16\), expected uint8 \(32, 1, 16, 16\)"),
        ("masks", lambda of: of[:, 0], r"masks are uint8 \(32, 16, 16\), expected"),
        ("masks", lambda of: of[:, :, :1, :1], r"masks are uint8 \(32, 1, 1, 1\), expected"),
        ("masks", lambda of: of // 255 * 2, "masks reach 2 of 255, so no object would be seen: give 255, or 1, where"),
        ("masks", lambda of: of // 2, "masks reach 127 of 255"),
        ("masks", lambda of: (of / 256).byte(), "masks reach 0 of 255, so no object .* multiply floats by 255 before"),
        ("masks", lambda of: (of // 255).index_fill(2, torch.tensor([3]), 255), "masks of class numbers, and of 255"),
        ("backgrounds", list, r"backgrounds are a list, expected uint8 \(32, 3, 16, 16\): bring it to bytes"),
        ("backgrounds", lambda of: of[:1], r"backgrounds are uint8 \(1, 3, 16, 16\), expected uint8 \(32, 3"),
    ],
)
def test_swapped_test_photos_of_other_tensors_are_refused(shop, name, turned, message):
    given = {"photos": shop[0], "masks": shop[1], "backgrounds": shop[0]}
    with pytest.raises(ValueError, match=message):
        on_backgrounds(**given | {name: turned(given[name])})


def test_a_single_photo_may_have_no_object():
    photo, background = torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.ones(1, 3, 4, 4, dtype=torch.uint8)
    assert torch.equal(on_backgrounds(photo, photo[:, :1], background), background)


def test_embeddings_that_are_no_pairs_of_length_1_are_refused():
    embeddings = functional.normalize(torch.randn(6, 8))
    with pytest.raises(ValueError, match=r"of length 3 to 3, expected 1: divide each by its length first"):
        disagreement(3 * embeddings)
    with pytest.raises(ValueError, match="embeddings of length"):
        disagreement(torch.cat([2 * embeddings[:1], embeddings[1:]]))  # a single one
    with pytest.raises(ValueError, match="3 embeddings are no pairs"):
        disagreement(embeddings[:3])
    assert 0 < disagreement(embeddings.half()) < 2


def test_both_are_replaced_as_often_as_asked(shop):
    pair = BackgroundPair([RED], replace_first=0.5)
    kept = [torch.equal(pair(shop[0][3], shop[1][3])[0], shop[0][3]) for _ in range(200)]
    assert 70 < sum(kept) < 130


def test_the_same_seed_gives_the_same_pair(shop):
    pair = BackgroundPair(list(torch.randint(0, 256, (5, 3, 30, 40), dtype=torch.uint8)))
    drawn = []
    for seed in (7, 7, 8):
        torch.manual_seed(seed)
        drawn.append(torch.stack(pair(shop[0][0], shop[1][0])))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(
    ("photo", "mask", "message"),
    [
        ((3, 4, 4), (4, 4), r"mask is uint8 \(4, 4\), expected uint8 \(1, 4, 4\)"),
        ((3, 4, 4), (1, 4, 5), r"mask is uint8 \(1, 4, 5\), expected"),
        ((4, 4, 3), (1, 4, 3), r"photo is uint8 \(4, 4, 3\), expected uint8 \(3, 4, 3\)"),
    ],
)
def test_other_shapes_are_refused(photo, mask, message):
    with pytest.raises(ValueError, match=message):
        BackgroundPair([RED])(torch.zeros(photo, dtype=torch.uint8), torch.zeros(mask, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("background", "message"),
    [
        (RED / 255, r"float32 \(3, 50, 70\), expected uint8"),
        (RED[:1], r"uint8 \(1, 50, 70\), expected uint8 \(3, 50, 70\)"),
    ],
)
def test_backgrounds_of_other_tensors_are_refused(shop, background, message):
    with pytest.raises(ValueError, match=rf"BackgroundPair: background is {message}"):
        BackgroundPair([background])(shop[0][0], shop[1][0])


def test_floats_and_empty_pools_and_no_probabilities_are_refused(shop):
    with pytest.raises(ValueError, match=r"photo is float32 \(3, 16, 16\), expected uint8"):
        BackgroundPair([RED])(shop[0][0] / 255, shop[1][0])
    with pytest.raises(ValueError, match="no backgrounds"):
        BackgroundPair([])
    with pytest.raises(ValueError, match=r"replace_first is 1.5: a probability"):
        BackgroundPair([RED], replace_first=1.5)


def test_without_a_rise_the_consistency_has_its_whole_weight_from_the_first_step():
    regime = SimpleNamespace(consistency=8.0, consistency_rise=0.0)
    options = SimpleNamespace(max_epochs=4, batches_per_epoch=10)
    assert weight(regime, options, 1, 0) == weight(regime, options, 4, 9) == 8
