"""How much of the drop is recovered: the figures by hand, and of which photos it is learnt."""

import numpy as np
import pytest
import torch
from remedied import DRAWS, SEED, embedder, in_memory, random, split_of, swaps_of_other_photos, world
from torch.nn.functional import normalize

from bgbias.metrics import bootstrap
from bgbias.metrics.retrieval import per_query
from bgbias.models.embedder import embed
from bgbias.photos import views
from bgbias.remedies import passes, pictures, projection, recovery
from bgbias.remedies.passes import Split
from bgbias.remedies.pictures import PASSES, REMEDIES, Shown, averaged
from bgbias.remedies.recovery import Learnt, learn, measure
from bgbias.seeding import generator

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
    asked = {"": bootstrap.sums(after - before, tested.labels, clean - before)}
    value, low, high, *_ = bootstrap.estimates(asked, lambda: generator(SEED, "remedy intervals"))[""]
    assert found["whitened"]["recovered"]["map_at_r"] == pytest.approx({"value": value, "low": low, "high": high})


def test_the_criterion_is_the_mean_of_clean_and_swapped_map_at_r():
    tested, fix = world(200), lambda embeddings: embeddings
    clean, *swapped = [of_view["map_at_r"] for of_view in recovery.scores(REMEDIES[0], tested, fix)]
    expected = (clean.mean() + torch.stack(swapped).mean()) / 2
    assert recovery.criterion(REMEDIES[0], tested, fix) == pytest.approx(expected.item())


def test_a_remedy_for_queries_leaves_the_gallery_as_it_is():
    view = {name: normalize(random(12, 5, seed=number)) for number, name in enumerate(sorted(PASSES))}
    labels = torch.arange(12) % 3
    for remedy in REMEDIES:
        queries = averaged([view[name] for name in remedy.passes])
        gallery = view["as_is"] if remedy.sides == "query" else queries
        (found,) = recovery.scores(remedy, Split(labels, [view]), lambda embeddings: embeddings)
        assert torch.equal(found["map_at_r"], per_query(queries, gallery, labels, [1])["map_at_r"]), remedy.key


def test_queries_search_the_remedied_gallery_as_it_is_and_nothing_else(split_in_two):
    tested, size = split_in_two, split_in_two.gallery
    for remedy in (of for of in REMEDIES if of.fix == "none"):
        searched = averaged(
            [tested.views[0][name] for name in (remedy.passes if remedy.sides == "both" else ["as_is"])]
        )
        for view, found in zip(tested.views, recovery.scores(remedy, tested, lambda of: of), strict=True):
            queries = averaged([view[name] for name in remedy.passes])[-3:]
            nearest = [int(np.argmax([float(query @ one) for one in searched[:size]])) for query in queries]
            right = [float(tested.labels[row] == of) for row, of in zip(nearest, tested.labels[size:], strict=True)]
            assert found["recall_at_1"].tolist() == right and found["rows"].tolist() == [6, 7, 8], remedy.key


@pytest.fixture
def split_in_two():
    """Six photos that three others search, whose swapped view is there alone."""
    views = [
        {name: normalize(random(rows, 5, seed=100 * rows + place)) for place, name in enumerate(PASSES)}
        for rows in (9, 3)
    ]
    return Split(torch.arange(9) % 3, views, gallery=6)


# --- which photos are seen


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


def test_the_first_of_the_best_by_validation_is_chosen():
    measured = {"as_is": {"validation": 0.5}, "grey_both": {"validation": 0.75}, "crop_both": {"validation": 0.75}}
    learnt = Learnt(torch.eye(12)[:3], torch.eye(12), {"directions": {3: 0.5}}, {3: 1.0})
    assert recovery.described(measured, learnt) == {
        "chosen": "grey_both", "tried": learnt.tried, "movement": {3: 1.0}, "removed": 3, "dimensions": 12}  # fmt: skip


class Faint:
    """A pack of masks, some of them no brighter than a level."""

    def __init__(self, pack, levels):
        self.pack, self.levels, self.shapes = pack, levels, pack.shapes

    def __getitem__(self, image_id):
        return np.minimum(self.pack[image_id], self.levels.get(int(image_id), 255)).astype(np.uint8)


def test_photos_whose_masks_show_no_object_are_counted(photos):
    ids = photos.split("test")
    assert recovery.empty_masks(photos, ids) == 0
    photos.masks = Faint(photos.masks, {int(ids[0]): 127, int(ids[2]): 0, int(ids[3]): 128})
    assert recovery.empty_masks(photos, ids) == 2


def test_the_subspace_sees_training_classes_alone(photos):
    read = watch(photos)
    swaps = passes.training_swaps(embedder("both"), photos, photos.split("train"), photos.pool("val"), SEED)
    assert read == set(photos.split("train"))
    assert swaps.shape == (12, passes.SWAPS, 15)
    assert all(len(of_photo.unique(dim=0)) > 2 for of_photo in swaps)


def test_the_choice_sees_validation_classes_alone(photos):
    read = watch(photos)
    split = split_of(photos, "both", "val")
    assert read == set(photos.split("val"))
    assert split.labels.tolist() == photos.table.class_id[photos.split("val")].tolist()


def test_of_many_training_photos_some_are_learnt_from(photos, monkeypatch):
    monkeypatch.setattr(passes, "PHOTOS", 5)
    read = watch(photos)
    swaps = passes.training_swaps(embedder("both"), photos, photos.split("train"), photos.pool("val"), SEED)
    assert len(swaps) == len(read) == 5 and read != set(photos.split("train")[:5])


def test_what_is_known_is_neither_embedded_nor_kept_again(photos):
    split, known = split_of(photos, "both"), np.ones((9, 15), np.float32)
    shown, swaps = Shown(photos, photos.pool("val"), SEED), passes.Swaps(photos.pool("test"), DRAWS, SEED)
    kept = []

    def keep(view, rows, make):
        kept.append((view, in_memory(view, rows, make).shape))
        return in_memory(view, rows, make)

    opened = {"clean": {"as_is": lambda: known, "grey": lambda: known}}
    again = passes.embedded(embedder("both"), photos, photos.split("test"), swaps, shown, keep, opened)
    assert kept == [("clean", (9, 25, 15)), *((f"swapped/{draw}", (9, 27, 15)) for draw in range(DRAWS))]
    assert np.shares_memory(again.views[0]["as_is"].numpy(), known)
    assert set(again.views[0]) == set(split.views[0]) == set(PASSES)
    assert len(again.views[0]) == len(PASSES)
    assert all(torch.equal(again.views[1][name], split.views[1][name]) for name in PASSES)
    for name in set(PASSES) - {"as_is", "grey"}:
        assert torch.equal(again.views[0][name], split.views[0][name])


def test_of_photos_that_others_search_no_swapped_view_is_embedded(photos):
    shown, swaps = Shown(photos, photos.pool("val"), SEED), passes.Swaps(photos.pool("test"), DRAWS, SEED)
    ids, whole = photos.split("test"), split_of(photos, "both")
    found = passes.embedded(embedder("both"), photos, ids, swaps, shown, in_memory, gallery=5)
    assert found.gallery == 5 and torch.equal(found.labels, whole.labels)
    for start, ours, of_all in zip((0, 5, 5), found.views, whole.views, strict=True):
        assert all(torch.equal(ours[name], of_all[name][start:]) for name in PASSES)


def test_whatever_is_embedded_has_the_name_of_its_photo(photos, monkeypatch):
    named = []
    monkeypatch.setattr(
        passes, "embed", lambda model, batches, names: named.append(names) or embed(model, batches, names)
    )
    monkeypatch.setattr(passes, "embed_photos", lambda model, seen, names: named.append(names) or torch.zeros(1))
    split_of(photos, "both")
    assert all(names == list(photos.table.path[photos.split("test")]) for names in named) and named
    named.clear()
    passes.training_swaps(embedder("both"), photos, photos.split("test"), photos.pool("val"), SEED)
    assert all(set(names) == set(photos.table.path[photos.split("test")]) for names in named) and named


def test_a_view_is_embedded_batch_by_batch_alike(photos, monkeypatch):
    whole = split_of(photos, "both")
    monkeypatch.setattr(views, "BATCH", 4)
    for by_batch, view in zip(split_of(photos, "both").views, whole.views, strict=True):
        assert all(torch.allclose(by_batch[name], view[name], atol=1e-5) for name in PASSES)


def test_photos_are_averaged_some_at_a_time_alike(monkeypatch):
    three = [random(50, 8, seed=seed) for seed in range(3)]
    whole = averaged(three)
    monkeypatch.setattr(pictures, "ROWS", 7)
    assert torch.equal(averaged(three), whole)


def test_the_swapped_views_are_those_of_the_stage_embed(photos):
    ids, pool = photos.split("test"), photos.pool("test")
    tested = split_of(photos, "both")
    assert len(tested.views) == 1 + DRAWS
    views = [photos.clean(ids), *(photos.swapped(photos.draw(ids, pool, SEED, "swapped", n), pool) for n in range(2))]
    for seen, batches in zip(tested.views, views, strict=True):
        assert torch.equal(seen["as_is"], embed(embedder("both"), batches, ids))
