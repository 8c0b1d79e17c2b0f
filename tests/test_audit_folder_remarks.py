"""What is said of a folder that an audit takes as it is, though something else may be meant."""

import numpy as np
import pytest
from own_photos import write_list
from PIL import Image

from bgbias.audit.inputs import sources
from bgbias.cache import Cache
from bgbias.config import params

PATHS = ("apple/a.jpg", "apple/b.jpg", "pear/a.jpg", "pear/b.png")


@pytest.fixture
def folder(tmp_path):
    """Two classes of two photos, of noise."""
    for seed, path in enumerate(PATHS):
        pixels = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        (tmp_path / "shop" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "shop" / path)
    return tmp_path / "shop"


@pytest.fixture
def said(folder, tmp_path):
    """What is said of the folder."""

    def said(**options):
        given = {"photos": str(folder), "embedder": "", "second_masks": "none"} | options
        return sources.of_folder(params.Audit(**given), 64, 1, Cache(tmp_path / "cache")).remarks

    return said


def mask(path, size, box):
    picture = Image.new("L", size)
    picture.paste(255, box)
    path.parent.mkdir(exist_ok=True)
    picture.save(path)


def test_transparent_photos_and_backgrounds_are_named(said, folder, tmp_path):
    (tmp_path / "walls").mkdir()
    for number, path in enumerate((folder / "apple/c.png", *(tmp_path / f"walls/{number}.png" for number in range(4)))):
        Image.new("RGBA", (40, 30), (60 * number, 0, 0, 128)).save(path)
    found = said(backgrounds=str(tmp_path / "walls"))
    for what in ("1 of 5 photos", f"4 of 4 backgrounds of {tmp_path / 'walls'}"):
        assert f"{what} have an alpha channel: what is transparent is shown on white, as in a browser." in found


def test_folders_of_photos_below_those_that_are_the_classes_are_named(said, folder):
    (folder / "apple/red").mkdir()
    (folder / "apple/b.jpg").rename(folder / "apple/red/b.jpg")
    assert said() == []
    (folder / "apple/green").mkdir()
    (folder / "apple/a.jpg").rename(folder / "apple/green/a.jpg")
    assert said() == [
        "Each of the 2 classes is a folder at the top, and 2 folders of photos lie below, such as apple/green: if "
        "these are the products, list all photos in photos.csv with their classes, or give a folder that holds these "
        "folders."
    ]
    write_list(folder, "path,class\napple/green/a.jpg,apple\napple/red/b.jpg,apple\npear/a.jpg,pear\npear/b.png,pear\n")
    assert said() == []


def test_masks_that_lie_beside_the_photos_are_named_for_they_are_read_as_photos(said, folder):
    assert said() == []
    mask(folder / "apple/a_mask.png", (400, 300), (40, 40, 200, 200))
    mask(folder / "pear/a_mask.png", (400, 300), (90, 20, 310, 250))
    assert said() == [
        "2 of 6 photos are black and white alone, as masks are, such as apple/a_mask.png: leave masks out of the class "
        "folders."
    ]


def test_masks_of_the_list_that_are_not_used_are_named(said, folder):
    rows = "".join(f"{path},{path[0]},{f'.masks/{path[:-4]}.png' if path != PATHS[3] else ''}\n" for path in PATHS)
    for path in PATHS[:3]:
        (folder / ".masks").mkdir(exist_ok=True)
        mask(folder / f".masks/{path[:-4]}.png", (40, 30), (10, 8, 30, 22))
    (folder / "photos.csv").write_text("path,class,mask\n" + rows)
    assert said() == ["photos.csv names masks for 3 of 4 photos: --mask-method given takes these."]
    assert said(mask_method="grabcut") == []
