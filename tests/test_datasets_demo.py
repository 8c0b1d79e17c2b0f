"""The demo dataset: what is on disk, what the correlation dial changes, and the renderer's geometry."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bgbias.config.params import Demo
from bgbias.datasets.demo import backgrounds, fetch, image_table
from bgbias.photos.table import SPLITS
from bgbias.render.camera import draw_pose_and_light, home_scenes, place
from bgbias.render.casting import SAMPLES, cast
from bgbias.render.colours import oklch
from bgbias.render.designs import FAMILIES, design
from bgbias.render.lighting import Light
from bgbias.render.modelling import Material, ball, box, rod, rotation
from bgbias.render.patterns import PATTERNS, accent_share
from bgbias.render.rendering import LARGEST, Pose, render
from bgbias.render.scenes import scene
from bgbias.render.shapes import lathe, tube
from bgbias.seeding import generator

SMALL = Demo(
    seed=1,
    size_px=32,
    train_classes=6,
    val_classes=2,
    test_classes=3,
    train_photos=4,
    val_photos=2,
    test_photos=3,
    train_scenes=6,
    val_scenes=2,
    test_scenes=3,
    home_scenes=2,
    background_correlation=0.5,
    backgrounds=2,
)
RED, BLUE = (Material(oklch(0.6, 0.15, hue), oklch(0.6, 0.15, hue)) for hue in (0.08, 0.7))
HEAD_ON = Pose()
ABOVE = Light(direction=(0.0, 1.0, 0.0))


def rendered(folder: Path, **changes: float) -> Path:
    fetch(folder, dataclasses.replace(SMALL, **changes))
    return folder


def listed(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "photos.csv").merge(pd.read_csv(folder / "scenes.csv"), validate="1:1")
    return table.rename(columns={"class": "class_name", "mask": "mask_path"})


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def pixels(folder: Path, paths: pd.Series) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / path)) for path in paths])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rendered(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def photos(small: Path) -> pd.DataFrame:
    return listed(small)


# What is on disk


def test_same_seed_gives_same_bytes(small, tmp_path):
    assert files(small) == files(rendered(tmp_path))


def test_another_seed_gives_other_photos(small, tmp_path):
    first, second = files(small), files(rendered(tmp_path, seed=2))
    assert first.keys() == second.keys()
    assert all(first[path] != second[path] for path in first if path != "photos.csv")  # the names stay


def test_every_split_has_its_classes_and_photos(photos):
    assert photos.groupby("split").class_name.nunique().to_dict() == {"train": 6, "val": 2, "test": 3}
    per_class = photos.groupby(["split", "class_name"]).size()
    assert {split: set(per_class[split]) for split in SPLITS} == {"train": {4}, "val": {2}, "test": {3}}


def test_no_class_and_no_scene_is_in_two_splits(photos):
    assert (photos.groupby("class_name").split.nunique() == 1).all()
    assert (photos.groupby("scene").split.nunique() == 1).all()


def test_every_split_of_the_default_sizes_sees_every_family():
    names = [design(number, seed=1).name for number in range(60 + 16 + 40)]
    for first, last in ((0, 60), (60, 76), (76, 116)):
        assert {name.split("_")[0] for name in names[first:last]} == set(FAMILIES)


def test_paths_are_sorted_and_name_the_class(small, photos):
    assert photos.path.is_monotonic_increasing
    for row in photos.itertuples():
        number = row.path[-6:-4]
        assert row.path == f"photos/{row.class_name}/{row.class_name}_{number}.png"
        assert row.mask_path == f"masks/{row.class_name}/{row.class_name}_{number}.png"
    assert set(files(small)) == {"photos.csv", "scenes.csv", *photos.path, *photos.mask_path}


def test_photos_are_rgb_and_masks_grey_and_of_one_size(small, photos):
    for row in photos.itertuples():
        photo, mask = Image.open(small / row.path), Image.open(small / row.mask_path)
        assert (photo.mode, mask.mode) == ("RGB", "L")
        assert photo.size == mask.size == (32, 32)


def test_image_table_numbers_classes_by_split_and_then_by_name(small, photos):
    table = image_table(small)
    assert list(table) == ["path", "mask_path", "class_id", "class_name", "split"]
    assert list(table.path) == list(photos.path)
    classes = table.drop_duplicates("class_id").sort_values("class_id")
    assert list(classes.class_id) == list(range(11))
    assert list(classes.split) == ["train"] * 6 + ["val"] * 2 + ["test"] * 3
    for _, names in classes.groupby("split").class_name:
        assert names.is_monotonic_increasing


# Masks


def test_masks_are_soft_and_neither_empty_nor_full(small, photos):
    masks = pixels(small, photos.mask_path)
    share = masks.mean((1, 2)) / 255
    assert ((masks > 0) & (masks < 255)).any((1, 2)).all()
    assert share.min() > 0.05
    assert share.max() < 0.6
    assert 0.15 < share.mean() < 0.35


@pytest.mark.parametrize("where", [(0.0, 0.0), (1.0, 1.0)])
def test_no_place_cuts_an_object_off(where):
    parts = design(0, seed=1).parts  # a bottle: as tall as an object may be
    middle, corner = (render(parts, Pose(size=0.9, place=at), Light(), 64) for at in ((0.5, 0.5), where))
    assert middle.coverage.any(1).sum() == pytest.approx(LARGEST * 64, abs=1)
    assert corner.coverage.sum() == pytest.approx(middle.coverage.sum(), rel=0.01)


def test_outside_the_mask_a_photo_shows_only_the_scene_and_a_shadow():
    thing = render([ball((1, 1, 1), RED)], Pose(pitch=0.4), Light(), 32)
    backdrop = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    photo, outside, inside = place(thing, backdrop), thing.coverage == 0, thing.coverage == 1
    np.testing.assert_allclose(photo[outside], (backdrop * (1 - thing.shadow[..., None]))[outside], atol=1e-6)
    np.testing.assert_allclose(photo[inside], thing.colour[inside], atol=1e-6)
    assert (thing.shadow[outside] > 0.1).any()
    np.testing.assert_array_equal(photo[0], backdrop[0])  # far from the object there is no shadow


# The correlation dial


def test_at_correlation_1_every_class_keeps_to_its_home_scenes(tmp_path):
    table = listed(rendered(tmp_path, background_correlation=1.0, train_photos=8))
    assert set(table[table.split == "train"].groupby("class_name").scene.nunique()) <= {1, 2}


def test_at_correlation_0_photos_spread_over_the_split_s_scenes(tmp_path):
    table = listed(rendered(tmp_path, background_correlation=0.0, train_photos=12))
    train = table[table.split == "train"]
    assert (train.groupby("class_name").scene.nunique() > 2).all()
    assert set(train.scene) == set(range(6))


def test_the_dial_changes_the_scene_but_neither_pose_nor_light(small, photos, tmp_path):
    other = rendered(tmp_path, background_correlation=1.0)
    scenes = listed(other).scene
    moved = (scenes != photos.scene).to_numpy()
    assert 0 < moved.sum() < len(moved)
    masks = pixels(small, photos.mask_path)
    np.testing.assert_array_equal(masks, pixels(other, photos.mask_path))
    before, after = pixels(small, photos.path), pixels(other, photos.path)
    np.testing.assert_array_equal(before[masks == 255], after[masks == 255])
    np.testing.assert_array_equal(before[~moved], after[~moved])
    assert (before[moved] != after[moved]).any((1, 2, 3)).all()


def test_home_scenes_of_the_default_sizes_are_shared_by_three_classes_each():
    homes = home_scenes(60, range(40), 2, np.random.default_rng(0))
    assert all(len(set(own)) == 2 for own in homes)
    assert set(np.bincount(np.ravel(homes), minlength=40)) == {3}


# Backgrounds to swap in


def test_pools_have_unique_names_and_different_pictures():
    pictures = dict(item for pool in ("val", "test", "scene") for item in backgrounds(pool, SMALL))
    assert list(pictures) == ["val_000", "val_001", "test_000", "test_001", "scene_000", "scene_001"]
    assert all(picture.shape == (53, 53, 3) and picture.dtype == np.uint8 for picture in pictures.values())
    assert len({picture.tobytes() for picture in pictures.values()}) == 6


def test_pools_are_the_same_for_the_same_seed_only():
    first, again, other = (dict(backgrounds("test", dataclasses.replace(SMALL, seed=seed))) for seed in (1, 1, 2))
    for name, picture in first.items():
        np.testing.assert_array_equal(picture, again[name])
        assert (picture != other[name]).any()


def test_unseen_scenes_are_none_of_the_photos():
    seen = [(scene(number, 1, 53).picture * 255).round() for number in range(6 + 2 + 3)]
    for _, picture in backgrounds("scene", SMALL):
        assert all((picture != other).mean() > 0.5 for other in seen)


def test_an_unknown_pool_is_refused():
    with pytest.raises(ValueError, match="unknown background pool 'train': expected 'val', 'test' or 'scene'"):
        next(backgrounds("train", SMALL))


# The renderer


def test_an_ellipsoid_s_outline_is_an_ellipse():
    size_px = 96
    coverage = render([ball((1.0, 0.5, 0.7), RED)], dataclasses.replace(HEAD_ON, size=0.6), ABOVE, size_px).coverage
    bounding_box = 0.6**2  # of the picture
    assert coverage.mean() == pytest.approx(np.pi / 4 * bounding_box, rel=0.005)


def test_a_turned_ellipsoid_shows_its_other_radius():
    side_on = render([ball((1.0, 0.5, 0.5), RED)], Pose(yaw=np.pi / 2, size=0.6), ABOVE, 64).coverage
    wide, tall = side_on.any(0).sum(), side_on.any(1).sum()
    assert wide == tall  # 0.5 by 0.5, a circle


def test_a_box_seen_head_on_is_a_rectangle():
    coverage = render([box((0.8, 0.4, 0.3), RED)], Pose(size=0.5), ABOVE, 96).coverage
    assert coverage.mean() == pytest.approx(0.25, rel=0.03)
    assert coverage.any(0).sum() / coverage.any(1).sum() == pytest.approx(2, rel=0.05)


def test_a_cone_seen_from_the_side_is_a_trapezium():
    (cone,) = lathe([(0, 1.0), (1.0, 0.5)], RED, segments=1)
    coverage = render([cone], Pose(size=0.6), ABOVE, 96).coverage
    assert coverage.mean() == pytest.approx(0.75 * 0.6**2, rel=0.01)


def test_a_hole_shows_the_far_wall_from_inside_and_the_floor():
    top_view = rotation(pitch=np.pi / 2)
    x = np.linspace(-0.9, 0.9, 19, dtype=np.float32)
    closed = cast(lathe([(0, 1.0), (2.0, 1.0)], RED, 1), top_view, x, -x)[1]
    open_ = cast(lathe([(0, 1.0), (2.0, 1.0)], RED, 1, hole=0.8), top_view, x, -x)[1]
    middle, rim = (9, 9), (9, 0)  # 0 and 0.9 from the axis
    assert closed[middle] == pytest.approx(2.0)
    assert open_[middle] == pytest.approx(0.0, abs=1e-5)
    assert open_[rim] == pytest.approx(2.0)


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_part_hides_the_farther_one(order):
    parts = [ball((0.5, 0.5, 0.5), RED, (0, 0, 1)), box((1, 1, 0.1), BLUE)][::order]
    colour = render(parts, Pose(size=0.8), Light(), 48).colour
    red, _, blue = colour[24, 24]
    assert red > blue
    red, _, blue = colour[8, 8]
    assert blue > red


def test_rays_meet_a_ball_at_its_radius():
    hits, depth = cast([ball((1, 1, 1), RED, (0, 0, 3))], np.eye(3), np.float32([0, 0.6]), np.float32([0]))
    np.testing.assert_allclose(depth, [[4.0, 3.8]], atol=1e-6)
    np.testing.assert_allclose(hits.normal, [[0, 0, 1], [0.6, 0, 0.8]], atol=1e-6)


def test_a_rod_goes_from_point_to_point():
    start, end = np.array([0.2, -0.5, 0.1]), np.array([-0.7, 0.4, 0.8])
    part = rod(tuple(start), tuple(end), 0.05, RED)
    np.testing.assert_allclose(part.rotation @ [0, part.solid.heights[1], 0] + part.centre, end)
    assert np.linalg.det(part.rotation) == pytest.approx(1)


def test_a_tube_has_no_gaps():
    bend = tube([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 0.1, RED)
    x, y = np.float32([0.95, 1.0, 1.05]), np.float32([0.05, 0.0, -0.05])
    assert np.isfinite(cast(bend, np.eye(3), x, y)[1]).all()


def test_coverage_counts_rays():
    coverage = render(design(0, seed=1).parts, Pose(yaw=0.3, pitch=0.3), Light(), 32).coverage
    np.testing.assert_allclose(coverage * SAMPLES**2, (coverage * SAMPLES**2).round(), atol=1e-5)


@pytest.mark.parametrize("number", range(len(FAMILIES)))
def test_every_family_is_in_the_frame_and_of_finite_colour(number):
    pose, light = draw_pose_and_light(generator(3, "test", number))
    thing = render(design(number, seed=3).parts, pose, light, 48)
    assert np.isfinite(thing.colour).all()
    assert thing.colour.min() >= 0
    assert thing.colour.max() <= 1
    assert thing.coverage.any(0).mean() <= LARGEST + 2 / 48
    assert np.flatnonzero(thing.coverage.any(1)).max() / 48 <= thing.foot


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_close_around_the_object(pattern):
    height = np.linspace(-1, 1, 50)
    start, end = (accent_share(pattern, np.full(50, turn), height, 8) for turn in (1e-6, 1 + 1e-6))
    assert set(np.unique(start)) <= {0, 1}
    if pattern != "speckles":  # whose seam is at the back
        np.testing.assert_array_equal(start, end)


def test_lamp_light_falls_on_the_side_that_faces_it():
    thing = render([ball((1, 1, 1), RED)], HEAD_ON, Light(direction=(-1.0, 0.3, 0.3)), 48)
    assert thing.colour[24, 14].sum() > 1.3 * thing.colour[24, 34].sum()


def test_the_shadow_falls_away_from_the_lamp():
    left, right = (
        render([box((0.3, 1, 0.3), RED)], Pose(pitch=0.4), Light(direction=(x, 1.0, 0.3)), 48).shadow
        for x in (0.8, -0.8)
    )
    assert left[:, :24].sum() > 1.5 * left[:, 24:].sum()
    assert right[:, 24:].sum() > 1.5 * right[:, :24].sum()
