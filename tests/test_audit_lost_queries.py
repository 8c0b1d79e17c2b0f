"""Queries of a gallery that lose most: chosen by what they lose, shown with what they find in it."""

import numpy as np
import pandas as pd
import pytest
import torch
from drawn_noise import noisy_photos
from torch.nn.functional import normalize

from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.views import QUICK_DRAWS, compose
from bgbias.audit.measures import lost_queries as lost
from bgbias.audit.measures.sampled import Sampled
from bgbias.cache import Cache

PX, PHOTOS, DRAWS = 12, 36, QUICK_DRAWS
LABELS = np.arange(PHOTOS) % 9
KINDS = {  # rows of the queries, how many are searched, each for itself
    "sample": (np.arange(0, PHOTOS, 2), PHOTOS, False),
    "others": (np.arange(18, PHOTOS), 18, False),
    "one each": (np.arange(1, PHOTOS), PHOTOS, True),
}
DOUBTFUL = 19  # this one's mask is empty


@pytest.fixture(params=KINDS)
def audited(request, tmp_path):
    """Pictures of queries, and embeddings: clean ones by class, swapped ones partly at random."""
    rows, size, one_each = KINDS[request.param]
    masks = np.zeros((PHOTOS, PX, PX, 1), dtype=np.uint8)
    masks[:, 4:8, 4:8] = 255
    masks[DOUBTFUL] = 0
    labels = np.arange(PHOTOS) if one_each else LABELS
    photos, pool = noisy_photos(tmp_path, masks, labels)
    drawn = np.stack(list(photos.photos))

    def photo(some):
        return torch.from_numpy(drawn[some]).permute(0, 3, 1, 2).contiguous()

    gallery = Gallery(photos.table, size, rows, photo, lambda some: drawn[some], "drawn", one_each)
    pictures = Pictures(photos, rows, pool, 1, Cache(tmp_path / "cache"), draws=DRAWS, gallery=gallery)
    source = torch.Generator().manual_seed(1)
    clean = normalize(
        torch.eye(PHOTOS)[torch.from_numpy(labels)] + 0.05 * torch.randn(PHOTOS, PHOTOS, generator=source)
    )
    embeddings = {"clean": clean}
    for draw in range(DRAWS):
        noise = torch.randn(len(rows), PHOTOS, generator=source)
        embeddings[f"swapped/{draw}"] = normalize(clean[torch.from_numpy(rows)] + 0.4 * noise)
    return pictures, embeddings


def scores_of(pictures, embeddings):
    return Sampled(pictures, embeddings, quick=True).scores


def found(pictures, queries, places):
    """Rows of the gallery by similarity, the own photo left out unless it is to be found."""
    gallery, order = pictures.gallery, []
    for query, place in zip(queries, places, strict=True):
        ranked = np.argsort(-(gallery_of(pictures) @ query), kind="stable")
        order.append([row for row in ranked if gallery.one_each or row != gallery.rows[place]])
    return order


def gallery_of(pictures):
    return pictures.searched[: pictures.gallery.size]


def test_those_that_lose_most_are_shown_with_what_they_find(audited):
    pictures, embeddings = audited
    pictures.searched = embeddings["clean"].double().numpy()
    scores = scores_of(pictures, embeddings)
    rows = lost.lost_queries(pictures, embeddings, scores)
    gallery, every = pictures.gallery, np.arange(len(pictures.gallery.rows))
    own = pictures.labels
    first = np.array([order[0] for order in found(pictures, embeddings["swapped/0"].double().numpy(), every)])
    as_it_is = np.array([order[0] for order in found(pictures, pictures.searched[gallery.rows], every)])
    labels = gallery.table.class_id.to_numpy()
    can_be = (labels[as_it_is] == own) & (labels[first] != own) & (gallery.rows != DOUBTFUL)
    drop = scores["drop"]["map_at_r"].numpy()
    expected = sorted(np.flatnonzero(can_be), key=lambda place: (-drop[place], place))[:6]
    assert [row.path for row in rows] == [f"{gallery.rows[place]}.png" for place in expected] and len(expected) > 2
    place, row = expected[0], rows[0]
    one = np.array([place])
    for view, shown, neighbours, asked in (
        ("clean", row.clean, row.neighbours_clean, pictures.searched[gallery.rows]),
        ("swapped/0", row.swapped, row.neighbours_swapped, embeddings["swapped/0"].double().numpy()),
    ):
        assert np.array_equal(shown, compose(pictures, view, one)[0].permute(1, 2, 0).numpy())
        nearest = found(pictures, asked[one], one)[0][:5]
        assert [right for *_, right in neighbours] == (labels[nearest] == own[place]).tolist()
        assert [name for _, name, _ in neighbours] == [f"class {labels[each]}" for each in nearest]
        for (picture, *_), each in zip(neighbours, nearest, strict=True):
            assert np.array_equal(picture, gallery.photo(np.array([each]))[0].permute(1, 2, 0).numpy())
    assert row.attention_clean is None and row.pair_swapped is None


def test_those_whose_masks_are_in_doubt_are_left_out(audited):
    pictures, embeddings = audited
    scores = scores_of(pictures, embeddings)
    first, *others = (row.path for row in lost.lost_queries(pictures, embeddings, scores))
    pictures.doubts = ["tiny" if path == first else "" for path in pictures.table.path]
    assert [row.path for row in lost.lost_queries(pictures, embeddings, scores)][: len(others)] == others


def test_all_are_looked_through_until_enough_are_found(audited, monkeypatch):
    pictures, embeddings = audited
    scores = scores_of(pictures, embeddings)
    whole = [row.path for row in lost.lost_queries(pictures, embeddings, scores)]
    monkeypatch.setattr(lost, "AT_ONCE", 2)
    assert [row.path for row in lost.lost_queries(pictures, embeddings, scores)] == whole
    nothing = {name: of for name, of in embeddings.items() if name == "clean"}
    nothing |= {f"swapped/{draw}": embeddings["clean"][pictures.gallery.rows] for draw in range(DRAWS)}
    assert lost.lost_queries(pictures, nothing, scores_of(pictures, nothing)) == []


@pytest.mark.parametrize(("size", "one_each", "shown"), [(4, False, 3), (7, False, 5), (4, True, 4), (7, True, 5)])
def test_a_query_of_a_small_gallery_is_shown_all_but_itself_and_itself_where_it_is_to_be_found(size, one_each, shown):
    table, rows = pd.DataFrame({"class_id": range(size), "class_name": "a"}), np.array([1, 3])
    gallery = Gallery(table, size, rows, None, None, "", one_each)
    embeddings = {"clean": torch.eye(size), "swapped/0": torch.eye(size)[rows]}
    for seen in ("clean", "swapped"):
        found = lost._found(gallery, embeddings, np.arange(2), seen)
        assert found.shape == (2, shown) and [row in of for row, of in zip(rows, found, strict=True)] == [one_each] * 2


@pytest.mark.parametrize(("size", "shown"), [(2, 2), (5, 5), (6, 5)])
def test_a_query_that_a_small_gallery_does_not_hold_is_shown_all_of_it(size, shown):
    table, rows = pd.DataFrame({"class_id": range(size + 2), "class_name": "a"}), np.array([size, size + 1])
    gallery = Gallery(table, size, rows, None, None, "")
    embeddings = {"clean": torch.eye(size + 2), "swapped/0": torch.eye(size + 2)[rows]}
    assert lost._found(gallery, embeddings, np.arange(2), "swapped").shape == (2, shown)


class Marked:
    """Explains a photo by the pixel of its row and view."""

    def maps(self, name, rows, seen):
        found = torch.zeros(len(rows), PX, PX)
        found[torch.arange(len(rows)), torch.as_tensor(rows) % PX, 1 + (seen == "clean")] = 3
        return found


def test_maps_are_of_the_query_as_it_is_and_swapped(audited):
    pictures, embeddings = audited
    for row in lost.lost_queries(pictures, embeddings, scores_of(pictures, embeddings), Marked()):
        place = list(pictures.table.path).index(row.path)
        assert np.argwhere(row.attention_clean).tolist() == [[place % PX, 2]]
        assert np.argwhere(row.attention_swapped).tolist() == [[place % PX, 1]] and row.pair_clean is None
