"""Photos of a shop and photos sent to it, of which some are the shop's, saved anew."""

import shutil

import numpy as np
import pandas as pd
import pytest
from audited_shop import run
from PIL import Image, ImageOps

CLASSES, OF_SHOP, SENT, SIZE = 5, 4, 3, (88, 64)
COPIED = ((0, 0), (0, 1), (2, 3), (4, 2))  # class and number of photos that come again, saved anew


def drawn(rng, kind):
    """A photo of a disc somewhere, its colour the class's, on a ground that no other has; and its mask."""
    ground = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize(SIZE)
    x, y = rng.integers(32, 52), rng.integers(24, 40)
    disc = np.hypot(np.arange(SIZE[1])[:, None] - y, np.arange(SIZE[0]) - x) < 18
    colour = np.array([50 * kind, 250 - 50 * kind, 120])
    photo = np.where(disc[..., None], colour, ground).astype(np.uint8)
    return Image.fromarray(photo), Image.fromarray(255 * disc.astype(np.uint8))


def saved_anew(picture, path):
    """Without 3 % of each side, smaller by 0.7, as a JPEG of quality 60; masks as they are."""
    (width, height), left, top = picture.size, round(0.015 * picture.width), round(0.015 * picture.height)
    cut = picture.crop((left, top, width - left, height - top))
    cut = cut.resize((round(0.7 * cut.width), round(0.7 * cut.height)))
    cut.save(path, **({"quality": 60} if path.suffix == ".jpg" else {}))


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Photos of the shop, sent ones, and sent ones that are the shop's: path, class, and role."""
    folder, rng, rows = tmp_path_factory.mktemp("doubles"), np.random.default_rng(0), []

    def add(path, kind, role, pictures, save):
        for part, picture in zip(("photos", "masks"), pictures, strict=True):
            file = folder / part / path if part == "photos" else (folder / part / path).with_suffix(".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            save(picture, file)
        rows.append((path, f"class{kind}", role))

    shop = {(kind, number): drawn(rng, kind) for kind in range(CLASSES) for number in range(OF_SHOP)}
    for (kind, number), pictures in shop.items():
        add(f"shop/{kind}_{number}.png", kind, "gallery", pictures, Image.Image.save)
    for kind in range(CLASSES):
        for number in range(SENT):
            add(f"sent/{kind}_{number}.png", kind, "query", drawn(rng, kind), Image.Image.save)
    for kind, number in COPIED:  # last, so that all others keep their numbers, and the backgrounds drawn by these
        add(f"sent/z{kind}_{number}.jpg", kind, "query", shop[kind, number], saved_anew)
    return folder, pd.DataFrame(rows, columns=["path", "class", "role"])


def audited(shop, sent, out, change=lambda rows: rows, name="background_alone", **options):
    folder, rows = sent
    change(rows).to_csv(folder / "photos/photos.csv", index=False)
    given = {"photos": str(folder / "photos"), "masks": str(folder / "masks"), "second_masks": "none"}
    return run(shop, out, name, **given | options)


def with_a_mirrored_one(sent, folder):
    """The same, but none that is the shop's, and the first one sent is the mirror image of one."""
    shutil.copytree(sent[0], folder)
    for part in ("photos", "masks"):
        ImageOps.mirror(Image.open(folder / part / "shop/0_0.png")).save(folder / part / "sent/0_0.png")
    return folder, sent[1][~sent[1].path.str.contains("/z")]


def as_photos(rows):
    return rows.drop(columns="role")
