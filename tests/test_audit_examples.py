"""The photos that lose most: chosen by the fall of their class in the ranking, shown as the embedder saw them."""

from functools import wraps
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_noise import noisy_photos
from torch.nn.functional import normalize

from bgbias.audit.inputs import mixed, views
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measures import examples
from bgbias.audit.measures.explained import SEEN, nearest
from bgbias.cache import Cache
from bgbias.metrics.retrieval import neighbours
from bgbias.photos.extent import grown

LABELS = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])


@pytest.fixture
def pictures(tmp_path):
    """Eight pictures with a square for an object, two of each class."""
    masks = np.zeros((8, 12, 12, 1), dtype=np.uint8)
    masks[:, 4:8, 4:8] = 255
    masks[5] = 0
    photos, pool = noisy_photos(tmp_path, masks, LABELS.numpy())
    return Pictures(photos, np.arange(8), pool, 1, Cache(tmp_path / "cache"))


@pytest.fixture
def embeddings():
    """Clean: by class. Swapped: at random."""
    clean = torch.eye(8)[LABELS]
    swapped = normalize(torch.randn(8, 8, generator=torch.Generator().manual_seed(3)), dim=1)
    return {"clean": clean, "swapped/0": swapped}


def test_the_largest_fall_comes_first_and_doubtful_masks_are_left_out(pictures, embeddings):
    rows = examples.worst_photos(pictures, embeddings, None)
    ranks = examples.first_ranks(embeddings["swapped/0"], LABELS)
    expected = sorted((row for row in range(8) if ranks[row] > 1 and row != 5), key=lambda row: (-ranks[row], row))[:6]
    assert [row.path for row in rows] == [f"{row}.png" for row in expected] and len(expected) > 2
    assert rows[0].attention_clean is None and rows[0].attention_swapped is None


def test_who_is_wrong_on_the_clean_photo_too_has_not_lost_it(pictures, embeddings):
    found = [row.path for row in examples.worst_photos(pictures, embeddings, None)]
    embeddings["clean"][7] = embeddings["clean"][0]  # so neither the last nor the one before is right
    kept = [row.path for row in examples.worst_photos(pictures, embeddings, None)]
    assert kept == [path for path in found if path not in ("6.png", "7.png")] != found


@pytest.mark.parametrize("at_once", [3, 256])
def test_ranks_are_those_of_a_sorted_list(embeddings, at_once, monkeypatch):
    monkeypatch.setattr(examples, "AT_ONCE", at_once)
    swapped = embeddings["swapped/0"]
    for query, rank in enumerate(examples.first_ranks(swapped, LABELS).tolist()):
        order = [row for row in (-(swapped @ swapped[query])).argsort().tolist() if row != query]
        assert [int(LABELS[row]) for row in order].index(int(LABELS[query])) + 1 == rank


def test_pictures_and_neighbours_are_as_the_embedder_saw_them(pictures, embeddings):
    row = examples.worst_photos(pictures, embeddings, None)[0]
    query = int(row.path.removesuffix(".png"))
    assert torch.equal(torch.from_numpy(row.clean).permute(2, 0, 1), pictures.photo(np.array([query]))[0])
    assert row.class_name == f"class {LABELS[query]}"
    assert np.array_equal(row.swapped[4:8, 4:8], row.clean[4:8, 4:8]) and not np.array_equal(row.swapped, row.clean)
    assert len(row.neighbours_clean) == len(row.neighbours_swapped) == 5
    assert [right for _, _, right in row.neighbours_clean] == [True] + 4 * [False]
    for picture, class_name, right in row.neighbours_clean + row.neighbours_swapped:
        assert right == (class_name == row.class_name) and picture.shape == (12, 12, 3)
    for view, shown in (("clean", row.neighbours_clean), ("swapped/0", row.neighbours_swapped)):
        rows = nearest(embeddings[view])[query]
        seen = views.compose(pictures, view, rows).permute(0, 2, 3, 1).numpy()
        assert [name for _, name, _ in shown] == [f"class {LABELS[row]}" for row in rows]
        assert all(np.array_equal(one, picture) for one, (picture, *_) in zip(seen, shown, strict=True))


def test_where_nothing_is_lost_nothing_is_shown(pictures, embeddings):
    assert examples.worst_photos(pictures, embeddings | {"swapped/0": embeddings["clean"]}, None) == []


class Marked:
    """Explains a photo by the pixel of its row, and a pair by that of both rows."""

    def __init__(self, embeddings):
        self.embeddings = embeddings

    def nearest(self, seen):
        return nearest(self.embeddings[SEEN[seen]])

    def maps(self, name, rows, seen, others=None):
        """Row: the first photo's; column: the second's, or the last."""
        found = torch.zeros(len(rows), 12, 12)
        found[torch.arange(len(rows)), torch.as_tensor(rows), torch.as_tensor(11 if others is None else others)] = 3
        return found


def test_maps_are_of_the_query_and_of_its_pair_with_the_first_neighbour_in_that_view(pictures, embeddings):
    for row in examples.worst_photos(pictures, embeddings, Marked(embeddings)):
        query = int(row.path.removesuffix(".png"))
        for view, alone, pair in (
            ("clean", row.attention_clean, row.pair_clean),
            ("swapped/0", row.attention_swapped, row.pair_swapped),
        ):
            first = int(neighbours(embeddings[view], embeddings[view], 1)[query, 0])
            assert np.argwhere(alone).tolist() == [[query, 11]] and alone.max() == 1
            assert [np.argwhere(one).tolist() for one in pair] == [[[query, first]], [[first, query]]]


def test_whose_background_a_photo_gets_is_drawn_once_for_all_batches(pictures, monkeypatch):
    drawn = []
    for draw in mixed.DRAWS:
        counted = wraps(draw)(lambda *asked, draw=draw: drawn.append(draw) or draw(*asked))
        monkeypatch.setattr(mixed, "DRAWS", tuple(counted if one is draw else one for one in mixed.DRAWS))
    behind = pictures.donors["mixed_same"]
    for row in (0, 4):
        seen = views.compose(pictures, "mixed_same", np.array([row]))[0]
        donor = behind[list(pictures.probed).index(row)]
        alone = (row, donor) == (4, -1)  # the other one's mask is empty
        assert alone or (donor != row and LABELS[donor] == LABELS[row])
        expected = pictures.emptied(np.array([donor if donor >= 0 else row]))[0]
        assert torch.equal(seen[:, 0, 0], expected[:, 0, 0])
    assert len(drawn) == 3


def test_the_sheet_shows_photos_at_random_with_their_masks_and_the_objects_on_grey(pictures, monkeypatch):
    every = examples.mask_sheet(pictures)
    assert [one.path for one in every] == [f"{row}.png" for row in range(8)]
    for row, one in enumerate(every):
        assert np.array_equal(one.photo, pictures.photo(np.array([row]))[0].permute(1, 2, 0))
        inside = one.mask == 255
        assert inside.sum() == (0 if row == 5 else 3 * 4 * 4) and one.mask.shape == one.photo.shape
        assert np.array_equal(one.cut_out, np.where(inside, one.photo, 128))
    monkeypatch.setattr(examples, "SHEET", 3)
    drawn = set()
    for seed in range(5):
        pictures.seed = seed
        paths = [one.path for one in examples.mask_sheet(pictures)]
        assert paths == [one.path for one in examples.mask_sheet(pictures)] and len(paths) == 3
        drawn.add(tuple(paths))
    assert len(drawn) > 2


def test_what_is_put_back_is_the_photo_but_for_what_was_painted_over_and_a_mirrored_background(pictures):
    rows = pictures.probed
    photos, cut = pictures.photo(rows), pictures.mask(rows)[0, 0] == 255
    painted = grown(pictures.mask(rows), pictures.margin_px)[0, 0] > 0
    back, mirrored = (views.compose(pictures, view, rows) for view in views.PASTED)
    for seen in (back, mirrored):
        assert torch.equal(seen[:, :, cut], photos[:, :, cut])
    assert torch.equal(back[:, :, ~painted], photos[:, :, ~painted])
    assert not torch.equal(back[:, :, painted & ~cut], photos[:, :, painted & ~cut])
    assert torch.equal(mirrored[:, :, ~cut], pictures.emptied(rows).flip(3)[:, :, ~cut])


def test_as_many_views_are_embedded_as_the_texts_say():
    full, by_one, quick = (len(views.names(5, **how)) for how in ({"second_kind": True}, {}, {"quick": True}))
    stage, page = (" ".join(Path(name).read_text().split()) for name in ("stages/audit.py", "docs/audit.md"))
    assert f"{quick} views of {full}, by masks of one kind" in stage
    assert f"none: {by_one} views are embedded, not {full}" in stage.replace('" "', "")
    assert f"{quick} of a full audit's {full} views" in page and f"the other {full - quick} views only" in page
    assert f"beside the {by_one} by one kind" in page and f"beside the {full}. " in page
