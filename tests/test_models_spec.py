"""SPECs, and the checks on what a model of any origin gives."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bgbias import models
from bgbias.attention.maps import Attention
from bgbias.config import params
from bgbias.models import embedder as own
from bgbias.models.embedder import Card, Embedder, card, save
from bgbias.models.spec import SCHEMES, Audited, embed, load

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]


class Gives(nn.Module):
    """A network that gives what a function makes of the images."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def model(function):
    """The model of SPEC "python:a:b" that gives what a function makes of the pictures, as 0..255."""
    return Audited(Gives(function), Card("python:a:b", 0, 8, "cosine", "RGB", (0.0,) * 3, (1.0,) * 3), CPU)


def channel_means(images):
    return images.mean((2, 3)) + 1


@pytest.fixture
def trained(tmp_path):
    torch.manual_seed(0)
    embedder = Embedder(card("small_resnet", 8, 32, "euclidean")).eval()
    save(embedder, tmp_path / "model")
    return embedder, f"model:{tmp_path / 'model'}"


def test_a_model_that_was_trained_here_gives_its_own_embeddings(trained):
    embedder, spec = trained
    loaded = load(spec, CPU)
    pictures = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    assert torch.allclose(embed(loaded, [pictures], NAMES), own.embed(embedder, [pictures]), atol=1e-5)
    expected = dataclasses.replace(
        embedder.card, network=spec, mean=list(embedder.card.mean), sd=list(embedder.card.sd)
    )
    assert loaded.card == expected
    assert (loaded.name, loaded.input_px, loaded.differentiable) == (spec, 32, True)


def test_a_broken_model_of_ours_is_refused(trained):
    weights = Path(trained[1].removeprefix("model:")) / "weights.safetensors"
    weights.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=f"^{trained[1]}: .*deserializing"):
        load(trained[1], CPU)


def test_an_audited_model_can_be_used_like_an_embedder(trained):
    loaded = load(trained[1], CPU)
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(own.embed(loaded, [pictures]), embed(loaded, [pictures], NAMES))
    settings = {"copies": 2, "noise_share": 0.1, "steps": 2, "precision": "fp32", "max_images": {}}
    options = params.Attention(method="smoothgrad", **settings)
    maps = Attention(loaded, options, seed=0).maps(pictures, [0, 1])
    assert maps.shape == (2, 32, 32) and maps.amax() == 1


def test_embeddings_have_length_one_and_do_not_depend_on_the_batches():
    means = PICTURES.float().mean((2, 3)) + 1
    expected = means / means.norm(dim=1, keepdim=True)
    for size in (1, 2, 5):
        found = embed(model(channel_means), PICTURES.split(size), NAMES)
        assert torch.allclose(found, expected) and found.dtype == torch.float32 and not found.requires_grad


def test_a_map_of_one_cell_is_flattened():
    flat, cell = model(channel_means), model(lambda images: channel_means(images)[:, :, None, None])
    assert torch.equal(embed(flat, [PICTURES], NAMES), embed(cell, [PICTURES], NAMES))
    assert cell.card.embedding_dim == 3


def test_a_network_may_flatten_by_view():
    found = embed(model(lambda images: images.view(len(images), -1)), [PICTURES], NAMES)
    assert torch.allclose(found, nn.functional.normalize(PICTURES.flatten(1).float()))


def test_gradients_are_looked_for_not_promised():
    assert model(channel_means).differentiable
    assert not model(lambda images: channel_means(images.detach())).differentiable
    through_numpy = model(lambda images: torch.from_numpy(np.asarray(channel_means(images.detach()))))
    assert not through_numpy.differentiable


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda images: images, r"gives (2, 3, 8, 8), expected (N, D): pool maps or tokens inside the model"),
        (lambda images: images.flatten(2), r"gives (2, 3, 64), expected (N, D): pool maps or tokens inside the model"),
        (lambda images: images.mean(), "gives (), expected (N, D)"),
        (lambda images: (images, images), "gives a tuple, expected a tensor: let it return one"),
        (lambda images: images.flatten(1) + 1j, "gives complex numbers, expected real ones: let it return their parts"),
        (lambda images: images.view(1, -1), "1 embeddings for 2 images: another batch size is fixed in the model; exp"),
        (
            lambda images: nn.functional.linear(images, torch.zeros(4, 9)),
            "fails on images (2, 3, 8, 8): correct its input_px or export it again (RuntimeError: mat1 and mat2",
        ),
    ],
)
def test_a_model_that_gives_no_embeddings_is_refused_at_once(function, message):
    with pytest.raises(ValueError) as caught:
        model(function)
    assert str(caught.value).startswith(f"python:a:b: {message}") and "\n" not in str(caught.value)


def test_every_batch_is_checked():
    fixed = model(lambda images: channel_means(images)[:2])
    with pytest.raises(ValueError, match="^python:a:b: 2 embeddings for 3 images: another batch size is fixed"):
        embed(fixed, PICTURES.split([2, 3]), NAMES)


@pytest.mark.parametrize(
    ("number", "what"),
    [(torch.nan, "not finite"), (torch.inf, "not finite"), (-torch.inf, "not finite"), (0, "all zeros")],
)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_first_photo_without_an_embedding_is_named(number, what, size):
    def spoilt(images):
        bad = (images == 7).all(3).all(2).all(1)
        replaced = channel_means(images)
        replaced[bad, 0 if number else slice(None)] = number
        return replaced

    pictures = PICTURES.clone()
    pictures[3:] = 7
    message = (
        f"^python:a:b: the embedding of d.jpg is {what}: look at the photo, and at the model's weights, mean and sd$"
    )
    with pytest.raises(ValueError, match=message):
        embed(model(spoilt), pictures.split(size), NAMES)


def test_without_photos_there_is_nothing_to_embed():
    with pytest.raises(ValueError, match="^python:a:b: no photos to embed: give some$"):
        embed(model(channel_means), [], [])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("resnet50", "unknown scheme 'resnet50'; known are model:, torchvision:, timm:, onnx:, torchscript:, python:"),
        ("onx:net.onnx", "unknown scheme 'onx'; close to it are onnx:"),
        ("model:nowhere", "nowhere: no model here (network.json is missing); `dvc repro` trains it"),
        ("model:nowhere?input_px=32", "unknown option 'input_px'; known are none"),
        ("torchvision:resnet18?px=32", "unknown option 'px'; known are input_px, mean, sd, channels"),
        ("torchvision:resnet18?output=y", "unknown option 'output'; known are input_px, mean, sd, channels"),
        (
            "torchvision:resnet18?input_px=large",
            "cannot read the options 'input_px=large': expected such as input_px=224",
        ),
        ("torchvision:resnet18?mean=0.5,x", "cannot read the options 'mean=0.5,x': expected such as "),
        ("torchvision:resnet18?mean=0.5,0.5", "mean (0.5, 0.5) or sd (0.229, 0.224, 0.225) is not three numbers"),
        ("torchvision:resnet18?mean=123.7", "white is 1 here: divide grey levels by 255"),
        ("torchvision:resnet18?sd=0", "sd (0.0, 0.0, 0.0): white is 1 here"),
        ("torchvision:resnet18?channels=GBR", "channels GBR: expected at least 1, and RGB or BGR"),
        ("torchvision:resnet18?input_px=0", "input_px 0, channels RGB: expected at least 1"),
        (
            "torchvision:vit_b_32?input_px=64",
            "fails on images (2, 3, 64, 64): correct its input_px or export it again (A",
        ),
    ],
)
def test_a_spec_that_is_not_understood_is_one_line_with_the_mend(spec, message):
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        load(spec, CPU)
    assert str(caught.value).startswith(f"{spec}: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_scheme_is_in_the_help():
    assert all(f"    {scheme}:" in models.__doc__ for scheme in SCHEMES)
    assert max(map(len, models.__doc__.splitlines())) <= 120
