"""Attention in an audit: which photos are explained, towards what, from which side, and that it is done once."""

import numpy as np
import pytest
import torch
from drawn_noise import noisy_photos
from torch import nn

from bgbias.attention.maps import Attention
from bgbias.attention.saliency import attention_map, attention_score
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.views import compose
from bgbias.audit.measures import explained
from bgbias.audit.measures.explained import SEEN, Explainer, columns
from bgbias.cache import Cache
from bgbias.config import params
from bgbias.metrics.bootstrap import estimate
from bgbias.metrics.retrieval import neighbours
from bgbias.models.cards import Card
from bgbias.models.embedder import Embedder, embed
from bgbias.seeding import generator

OPTIONS = params.Attention(method="grad_cam", copies=5, noise_share=0.15, steps=8, precision="fp32", max_images={})
PX, PHOTOS = 12, 10


class LeftHalf(nn.Module):
    """Sees the left half of a picture alone."""

    def __init__(self):
        """Draw its weights."""
        super().__init__()
        source = torch.Generator().manual_seed(0)
        self.register_buffer("weights", torch.randn(3 * PX * PX // 2, 8, generator=source) / 10)

    def forward(self, pictures):
        """Embed pictures."""
        return torch.tanh(pictures[..., : PX // 2].flatten(1) @ self.weights)


@pytest.fixture
def pictures(tmp_path):
    """Ten pictures whose objects are at ten places."""
    masks = np.zeros((PHOTOS, PX, PX, 1), dtype=np.uint8)
    for number, mask in enumerate(masks):
        mask[2:8, number // 2 : number // 2 + 5] = 255
    photos, pool = noisy_photos(tmp_path, masks, np.arange(PHOTOS) // 2)
    return Pictures(photos, np.arange(PHOTOS), pool, 1, Cache(tmp_path / "cache"))


@pytest.fixture
def explainer(pictures, tmp_path):
    card = Card("left half", 8, PX, "cosine", "RGB", (127.0,) * 3, (64.0,) * 3)
    embedder = Embedder(LeftHalf(), card, "left half")
    rows = np.arange(PHOTOS)
    embeddings = {
        view: embed(embedder, [compose(pictures, view, rows)], list(pictures.table.path)) for view in SEEN.values()
    }
    return Explainer(embedder, pictures, embeddings, OPTIONS, Cache(tmp_path / "cache"))


QUERIES, FOUND = np.array([0, 3, 4, 6, 8]), np.array([7, 1, 1, 2, 5])


@pytest.mark.parametrize("seen", SEEN)
def test_who_sees_the_left_half_finds_pairs_alike_in_the_left_halves(explainer, seen):
    for ends in ((QUERIES, FOUND), (FOUND, QUERIES)):
        left, right = explainer.maps("some", ends[0], seen, ends[1]).split(PX // 2, dim=2)
        assert (left > 0).any((1, 2)).all() and (right == 0).all()


def test_swapping_a_pair_swaps_its_maps(explainer):
    there = [explainer.maps("there", *ends) for ends in ((QUERIES, "swapped", FOUND), (FOUND, "swapped", QUERIES))]
    back = [explainer.maps("back", *ends) for ends in ((FOUND, "swapped", QUERIES), (QUERIES, "swapped", FOUND))]
    assert torch.equal(there[0], back[1]) and torch.equal(there[1], back[0])
    assert not torch.allclose(there[0], there[1], rtol=0.1)


def test_a_pair_is_explained_as_both_photos_are_in_the_view(explainer, pictures):
    embeddings = explainer.embeddings["swapped/0"]
    expected = explainer.paired.unscaled(compose(pictures, "swapped/0", QUERIES), QUERIES, embeddings[FOUND])
    assert torch.allclose(explainer.maps("some", QUERIES, "swapped", FOUND), expected, rtol=1e-3)
    assert (explainer.alone.options.copies, explainer.paired.options.copies) == (5, 3)


def test_maps_are_made_once_for_the_same_photos_and_the_same_others(explainer, monkeypatch):
    made, unscaled = [], Attention.unscaled
    monkeypatch.setattr(Attention, "unscaled", lambda *given: made.append(1) or unscaled(*given))
    asked = [(QUERIES, "clean"), (QUERIES, "clean", FOUND), (QUERIES, "clean", FOUND[::-1].copy())]
    first = [explainer.maps("some", *one) for one in asked]
    count = len(made)
    again = [explainer.maps("some", *one) for one in asked]
    assert len(made) == count and all(map(torch.equal, first, again))
    assert not torch.equal(first[1], first[2])
    for other in ((FOUND, "clean"), (QUERIES, "swapped")):
        assert not torch.equal(explainer.maps("some", *other), first[0])


def test_queries_of_a_gallery_are_explained_without_pairs(explainer, pictures):
    whole = explainer.scores()
    pictures.gallery = "a gallery"
    queries = Explainer(explainer.alone.embedder, pictures, explainer.embeddings, OPTIONS, explainer.cache)
    found = queries.scores()
    assert list(found["clean"]) == ["score", "rank_accuracy", "pointing_game"]
    assert all(found[seen][name] == whole[seen][name] for seen in SEEN for name in found[seen])
    of_queries = columns(queries, PHOTOS, pairs=False)
    assert set(of_queries) == {f"attention_{name}_{seen}" for name in found["clean"] for seen in SEEN}
    assert set(columns(None, PHOTOS, pairs=False)) == set(of_queries)


@pytest.mark.parametrize("seen", SEEN)
def test_pair_scores_are_of_each_query_and_its_nearest_photo_with_the_mask_of_either(explainer, pictures, seen):
    rows, embeddings = np.arange(PHOTOS), explainer.embeddings[SEEN[seen]]
    nearest = neighbours(embeddings, embeddings, 1)[:, 0].numpy()
    found = explainer.scores()[seen]
    for name, side, other in (("pair_score", rows, nearest), ("pair_score_retrieved", nearest, rows)):
        maps, masks = explainer.maps("again", side, seen, other), pictures.mask(side)[:, 0] / 255
        assert found[name]["value"] == pytest.approx(
            attention_score(attention_map(maps), masks).mean().item(), rel=1e-5
        )
        assert found[name]["low"] < found[name]["value"] < found[name]["high"] and found[name]["queries"] == PHOTOS


def test_of_many_photos_some_are_explained_at_random_and_the_others_have_no_value(explainer, pictures, monkeypatch):
    monkeypatch.setattr(explained, "PHOTOS", 4)
    drawn = set()
    for seed in range(4):
        pictures.seed = seed
        explainer.__dict__.pop("per_photo", None)
        drawn.add(tuple(explainer.per_photo[0]))
    assert len(drawn) > 2 and all(len(set(rows)) == 4 and list(rows) == sorted(rows) for rows in drawn)
    rows, table = np.array(explainer.per_photo[0]), columns(explainer, PHOTOS)
    masks = pictures.mask(rows)[:, 0] / 255
    for seen in SEEN:
        expected = attention_score(attention_map(explainer.maps("again", rows, seen)), masks)
        assert np.flatnonzero(~np.isnan(table[f"attention_score_{seen}"])).tolist() == rows.tolist()
        assert table[f"attention_score_{seen}"][rows] == pytest.approx(expected.numpy(), rel=1e-5)
        interval = estimate(expected.double().numpy(), pictures.labels[rows], generator(3, "audit intervals")).as_json()
        assert explainer.scores()[seen]["score"] == pytest.approx(interval, rel=1e-5)
    assert all(np.isnan(values).all() and len(values) == 7 for values in columns(None, 7).values())
