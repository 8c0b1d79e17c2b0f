"""Each view of an audit, pixel by pixel: which object is before which background, of photos that are some of many."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from bgbias import ablations
from bgbias.audit.inputs import views
from bgbias.audit.inputs.packs import square
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.inputs.pools import of_pack
from bgbias.audit.inputs.second_kind import SecondKind
from bgbias.cache import Cache
from bgbias.config import read
from bgbias.photos.extent import grown
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos

PX, DRAWS = 100, 2  # masks are grown by 2 px, and painted over by 3 px more
IDS, LABELS = np.array([1, 2, 4, 5, 7, 8, 9]), np.array([3, 0, 0, 1, 1, 0, 2])  # the last one's class is its own
FULL = 1  # row of the photo that its object fills: it cannot be probed
ROWS = np.arange(len(IDS))
OF_DRAWS = [(view, of) for of in ("", "second/", "pool/") for view in ("swapped/0", "swapped/1")]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Noise, with squares for objects at other places by each kind of masks, and two pools of noise."""
    folder, rng = tmp_path_factory.mktemp("views"), np.random.default_rng(0)

    def packed(name, pictures):
        Pack.write(folder / name, iter(pictures))
        return Pack(folder / name)

    def masks(first, full=None):
        for number in first:
            mask = np.full((PX, PX, 1), 255 * (number == full), dtype=np.uint8)
            mask[10 + 3 * number : 40 + 3 * number, 20:50] = 255
            yield mask

    noise = [rng.integers(0, 256 - 20 * number, (PX, PX, 3), dtype=np.uint8) for number in range(10)]
    table = pd.DataFrame({"path": [f"{row}.png" for row in range(10)], "class_id": 9, "class_name": "c"})
    table.loc[IDS, "class_id"] = LABELS
    photos = Photos(table, packed("photos", noise), packed("masks", masks(range(10), IDS[FULL])), square(PX))
    walls, meadows = (
        packed(name, rng.integers(0, 256, (6, PX, 140, 3), dtype=np.uint8)) for name in ("walls", "meadows")
    )
    second = SecondKind("isnet", packed("second", masks(range(11, 11 + len(IDS)))), "11")
    pictures = Pictures(photos, IDS, walls, 5, Cache(folder / "cache"), DRAWS, "swapped", second)
    pictures.second_pool = of_pack(meadows, "meadows", "")
    return pictures


def before(pictures, behind, masks=None):
    """The audited photos' objects before other pictures."""
    return torch.where((pictures.mask(ROWS) if masks is None else masks) == 255, pictures.photo(ROWS), behind)


def masks_of(pictures, of):
    return pictures.second_mask(ROWS) if of == "second/" else pictures.mask(ROWS)


def pool_of(pictures, of):
    return pictures.second_pool.pictures if of == "pool/" else pictures.pool


def seen(pictures, view, rows=ROWS):
    return views.compose(pictures, view, rows)


def test_photos_and_masks_are_those_of_the_audited_rows(pictures):
    for row, image_id in enumerate(IDS):
        photo, mask = (pack[image_id].transpose(2, 0, 1) for pack in (pictures.photos.photos, pictures.photos.masks))
        assert np.array_equal(seen(pictures, "clean")[row], photo) and np.array_equal(pictures.mask(ROWS)[row], mask)
        assert np.array_equal(pictures.second_mask(ROWS)[row], pictures.second_kind.masks[row].transpose(2, 0, 1))
    assert not torch.equal(pictures.mask(ROWS), pictures.second_mask(ROWS))


@pytest.mark.parametrize(("view", "of"), OF_DRAWS)
def test_swapped_photos_are_on_the_backgrounds_of_the_pipelines_draw(pictures, view, of):
    pool = pool_of(pictures, of)
    manifest = pictures.photos.draw(IDS, pool, 5, "swapped", int(view[-1]))
    behind = torch.cat(list(pictures.photos.backgrounds(manifest, pool)))
    assert torch.equal(seen(pictures, of + view), before(pictures, behind, masks_of(pictures, of)))


def test_changed_masks_are_narrower_and_wider_ones_on_the_first_draw(pictures):
    first, photos = seen(pictures, "swapped/0"), pictures.photo(ROWS)
    for change, side in (("eroded", 26), ("dilated", 34)):
        found = seen(pictures, f"swapped/{change}")
        masks = grown(pictures.mask(ROWS), {26: -2, 34: 2}[side])
        assert (masks[0] == 255).sum() == side**2
        inside = masks.expand_as(photos) == 255
        assert torch.equal(found[inside], photos[inside])
        outside = ~inside & (pictures.mask(ROWS).expand_as(photos) == 0)
        assert torch.equal(found[outside], first[outside])


def test_all_photos_are_on_the_centres_of_the_same_four_backgrounds(pictures):
    found = {}
    for of in ("", "second/", "pool/"):
        centres = np.stack([picture[:, 20:120] for picture in pool_of(pictures, of)]).transpose(0, 3, 1, 2)
        on_each = [before(pictures, torch.from_numpy(centre), masks_of(pictures, of)) for centre in centres]
        of_grid = [seen(pictures, f"{of}grid/{number}") for number in range(views.GRID)]
        found[of] = [[torch.equal(view, one) for one in on_each].index(True) for view in of_grid]
        assert len(set(found[of])) == 4 and found[of] != [0, 1, 2, 3]  # drawn: pictures of a folder are sorted
    assert found[""] == found["second/"]  # which are held against each other query by query


def test_objects_alone_are_on_black_grey_and_the_photos_mean_colour(pictures):
    photos = pictures.photo(ROWS)
    means = photos.double().mean((2, 3)).round().byte()
    for name, colour in (("black", 0), ("grey", 128), ("mean", means[:, :, None, None])):
        behind = torch.as_tensor(colour, dtype=torch.uint8).expand_as(photos)
        assert torch.equal(seen(pictures, f"foreground_{name}"), before(pictures, behind)), name


def test_backgrounds_alone_have_the_object_filled_by_their_own_mean_blacked_or_tiled(pictures):
    rows = pictures.probed
    photos, inside = pictures.photo(rows), pictures.mask(rows) == 255
    outside = ~inside[:, 0]
    means = torch.stack(
        [photo[:, of].double().mean(1).round().byte() for photo, of in zip(photos, outside, strict=True)]
    )
    expected = torch.where(inside, means[:, :, None, None], photos)
    assert torch.equal(seen(pictures, "background_silhouette", rows), expected)
    assert torch.equal(seen(pictures, "background_box_blacked", rows), torch.where(inside, 0, photos))
    tiled = seen(pictures, "background_box_tiled", rows)
    assert torch.equal(tiled, ablations.box_tiled(photos, pictures.mask(rows)))


def test_mixed_photos_are_before_the_painted_backgrounds_of_the_photos_that_their_name_says(pictures):
    rows = pictures.probed
    assert rows.tolist() == [row for row in ROWS if row != FULL]
    photos, masks = pictures.photo(rows), pictures.mask(rows)
    empty = [ablations.inpainted(*one, 3)[0] for one in zip(photos.split(1), masks.split(1), strict=True)]
    donors = {}
    for view in views.MIXED | views.MISLEADING:
        behind = [
            [torch.equal(one, torch.where(mask == 255, photo, background)) for background in empty]
            for one, photo, mask in zip(seen(pictures, view, rows), photos, masks, strict=True)
        ]
        donors[view] = np.array([rows[of.index(True)] for of in behind])
    for view in views.MIXED:
        assert sorted(donors[view]) == rows.tolist()  # each background once
    same, other = (LABELS[donors[view]] == LABELS[rows] for view in ("mixed_same", "mixed_other"))
    assert same.all() and rows[donors["mixed_same"] == rows].tolist() == [0, 6]  # alone in their classes
    assert not other.any() and not (donors["mixed_rand"] == rows).any()


def test_a_view_of_all_its_photos_is_that_of_each_batch(pictures, monkeypatch):
    monkeypatch.setattr(views, "BATCH", 3)
    for view in ("swapped/1", "mixed_rand", "pasted_mirrored"):
        rows = pictures.probed if view in views.PROBES else ROWS
        parts = list(views.batches(pictures, view))
        assert torch.equal(torch.cat(parts), seen(pictures, view, rows)) and max(map(len, parts)) == 3, view


@pytest.mark.parametrize(
    ("labels", "searched"), [([0, 0, 1], True), ([0, 1, 2], False), ([0, 0], False), ([0, 0, 1, 1], True)]
)
def test_views_without_objects_are_made_where_one_is_searched_for_and_another_there(labels, searched):
    assert views.can_be_searched(np.array(labels)) == searched
    for one_each in (None, False, True):
        gallery = None if one_each is None else SimpleNamespace(one_each=one_each)
        asked = SimpleNamespace(labels=np.array([9, *labels]), probed=np.arange(1, 1 + len(labels)), gallery=gallery)
        rows = asked.probed.tolist() if searched or one_each else []
        assert views.rows_of(asked, "pasted_back").tolist() == rows
        assert views.rows_of(asked, "swapped/0").tolist() == [0, *asked.probed]


def test_whatever_makes_other_pictures_gives_them_another_identity(pictures, tmp_path):
    """Embeddings are kept by it: an audit would take those of another for its own."""
    photos, pools = pictures.photos, (pictures.pool, pictures.second_pool.pictures)
    Pack.write(tmp_path / "dark", (picture // 2 for picture in photos.photos))

    def made(ids=IDS, pool=pools[0], seed=5, purpose="swapped", **of_photos):
        parts = {name: getattr(photos, name) for name in ("table", "photos", "masks", "geometry")} | of_photos
        return Pictures(Photos(**parts), ids, pool, seed, pictures._cache, DRAWS, purpose).identity

    others = [made(pool=pools[1]), made(seed=6), made(purpose="audit swap")]
    others += [
        made(table=photos.table.assign(class_id=photos.table.class_id % 2)),
        made(photos=Pack(tmp_path / "dark")),
    ]
    others += [made(masks=pictures.second_kind.masks.subset([0] * 10))]
    alike = photos.table.assign(path="same.png", class_id=0)  # backgrounds are drawn by numbers
    others += [made(table=alike), made(table=alike, ids=np.append(IDS[:-1], 3))]
    others += [made(geometry=dataclasses.replace(photos.geometry, input_px=PX // 2))]
    assert made() == pictures.identity and len({made(), *others}) == 1 + len(others)


def test_another_seed_draws_other_backgrounds_and_donors(pictures):
    other = Pictures(pictures.photos, IDS, pictures.pool, 6, pictures._cache, DRAWS, "swapped")
    rows = pictures.probed
    for view in ("swapped/0", "grid/0", "mixed_rand", "mixed_other"):
        assert not torch.equal(seen(pictures, view, rows), seen(other, view, rows)), view


def test_as_much_of_a_background_is_shown_as_in_training_with_photos_of_ones_own():
    ours, trained = square(PX), read.load().images["own"]
    assert (ours.train_crop_share, ours.train_crop_ratio) == (trained.train_crop_share, trained.train_crop_ratio)
