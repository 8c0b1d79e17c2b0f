"""A folder of drawn photos with masks and backgrounds, embedders whose figures are known, and their audits.

A photo is a disc whose colour is the class's, on a ground whose colour is the class's, too, as in a biased dataset.
"""

import colorsys
import dataclasses
import json

import numpy as np
import pytest
from discs import disc, save
from PIL import Image

from bgbias.config import read
from stages import audit

CLASSES, PHOTOS, SIDE = 8, 6, 32
KINDS, SHOPS, EACH = 6, 2, 3  # classes of `shops`, and photos of a class in one
EMBEDDERS = """
import torch
from torch import nn

class Sees(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
    def forward(self, images):
        return self.function(images)

def expected(function):
    return lambda: (Sees(function), 32, (0, 0, 0), (1, 1, 1))

def noise_of(images):
    source = torch.Generator().manual_seed(0)
    weights = torch.randn(images[0].numel(), 64, generator=source).double()
    return torch.sin(1e4 * images.flatten(1).double() @ weights)  # so fine that float32 would round it otherwise alone

def thing(images):
    return images[:, :, 14:18, 14:18].mean((2, 3)) - 0.4

def ground(images):
    return images[:, :, :3, :3].mean((2, 3)) - 0.4

def hue(colours):
    return nn.functional.normalize(colours - colours.mean(1, keepdim=True))

def both(weight):
    return lambda images: torch.cat([hue(thing(images)), weight * hue(ground(images))], 1)

def seen_if(images, clear):  # the object, else noise
    return torch.cat([thing(images) * clear[:, None], noise_of(images) * ~clear[:, None]], 1)

def on_its_own_ground(images):
    return (hue(thing(images)) * hue(ground(images))).sum(1) < -0.95  # the class's colours are complements

def on_known_ground(images):
    return (ground(images).amax(1) - 0.2).abs() < 0.03  # as bright as those of the photos

def on_one_colour(images):  # beside the object; what is painted over is not, by a grey level or two
    beside = images[:, :, 12:20, 6:8]
    return (beside.amax((2, 3)) == beside.amin((2, 3))).all(1)

object_alone = expected(thing)
background_alone = expected(ground)
noise = expected(noise_of)
mixture = expected(both(2))
leaning = expected(both(0.6))
doubtful = expected(lambda images: torch.cat([hue(thing(images)), 0.3 * noise_of(images)], 1))
hindered = expected(lambda images: seen_if(images, ~on_its_own_ground(images)))
startled = expected(lambda images: seen_if(images, on_known_ground(images)))
torn = expected(lambda images: seen_if(images, on_one_colour(images)))
wrong_shape = expected(lambda images: images)
not_a_number = expected(lambda images: 1 / (images.mean((2, 3)) - images.mean((2, 3)).where(images.sum() > 0, -1)))
"""
ESTIMATE = {"value", "low", "high", "queries", "classes", "undefined"}
SETTINGS = read.load()
SETTINGS = dataclasses.replace(SETTINGS, attention=dataclasses.replace(SETTINGS.attention, copies=2))


def hue(place, brightness):
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(place, 0.9, brightness))


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A folder with photos, masks and backgrounds, and the embedders' module."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(0)
    for kind in range(CLASSES):
        for number in range(PHOTOS):
            colours = np.array([hue(kind / CLASSES, 1), hue(0.5 + kind / CLASSES, 0.6)]) + rng.integers(-4, 5, (2, 3))
            size = (SIDE, SIDE + 6 * (number % 2))
            save(folder, f"class{kind}/{number}.png", disc(size, *map(tuple, colours.clip(0, 255).tolist())))
    (folder / "backgrounds").mkdir()
    for number in range(90):
        Image.new("RGB", (60, 50), hue(rng.random(), 0.3 + 0.7 * rng.random())).save(
            folder / f"backgrounds/{number}.png"
        )
    (folder / "drawn_embedders.py").write_text(EMBEDDERS)
    return folder


@pytest.fixture(scope="session")
def shops(shop, tmp_path_factory):
    """Discs whose colour is the class's, on grounds whose colour is that of the class's shelf in a shop."""
    folder, rng, listed = tmp_path_factory.mktemp("shops"), np.random.default_rng(0), []
    for kind in range(KINDS):
        for number in range(SHOPS * EACH):
            where = number // EACH
            shelf = (SHOPS * ((kind + where * KINDS // 2) % KINDS) + where) / (SHOPS * KINDS)  # elsewhere far away
            colours = np.array([hue(kind / KINDS, 1), hue(shelf, 0.6)]) + rng.integers(-4, 5, (2, 3))
            save(folder, f"class{kind}/{number}.png", disc((32, 32), *map(tuple, colours.clip(0, 255))))
            listed.append(f"class{kind}/{number}.png,{'ABC'[where]}")
    (folder / "places.csv").write_text("path,place\n" + "\n".join(listed) + "\n")
    (folder / "backgrounds").symlink_to(shop / "backgrounds")
    (folder / "drawn_embedders.py").write_text((shop / "drawn_embedders.py").read_text())
    return folder


@pytest.fixture
def in_the_shop(shop, monkeypatch):
    monkeypatch.chdir(shop)


def run(shop, out, name, **options):
    """The command's work on an embedder of the module above, or of any SPEC; what it writes."""
    spec = name if ":" in name else f"python:drawn_embedders:{name}"
    given = {"photos": "photos", "masks": "masks", "backgrounds": "backgrounds"} | options
    audit.main(SETTINGS, spec, out, None, **given)
    return json.loads((out / "audit.json").read_text())


@pytest.fixture(scope="session")
def audits(shop, tmp_path_factory):
    """The audits of embedders whose answer is known; the code above says what they see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        names = "object_alone background_alone noise mixture leaning doubtful hindered startled torn".split()
        folders = {name: tmp_path_factory.mktemp(name) for name in names}
        return {name: run(shop, folder, name) | {"folder": folder} for name, folder in folders.items()}
