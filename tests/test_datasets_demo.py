"""The demo dataset: what is on disk, and what the correlation dial changes."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bgbias.config.data import Demo
from bgbias.datasets.demo import backgrounds, fetch, image_table
from bgbias.photos.table import SPLITS
from bgbias.render.camera import home_scenes
from bgbias.render.designs import FAMILIES, design
from bgbias.render.scenes import scene

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
    assert files(small) == files(rendered(tmp_path / "demo"))


def test_another_seed_gives_other_photos(small, tmp_path):
    first, second = files(small), files(rendered(tmp_path / "demo", seed=2))
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


# The correlation dial


def test_at_correlation_1_every_class_keeps_to_its_home_scenes(tmp_path):
    table = listed(rendered(tmp_path / "demo", background_correlation=1.0, train_photos=8))
    assert set(table[table.split == "train"].groupby("class_name").scene.nunique()) <= {1, 2}


def test_at_correlation_0_photos_spread_over_the_split_s_scenes(tmp_path):
    table = listed(rendered(tmp_path / "demo", background_correlation=0.0, train_photos=12))
    train = table[table.split == "train"]
    assert (train.groupby("class_name").scene.nunique() > 2).all()
    assert set(train.scene) == set(range(6))


def test_the_dial_changes_the_scene_but_neither_pose_nor_light(small, photos, tmp_path):
    other = rendered(tmp_path / "demo", background_correlation=1.0)
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
