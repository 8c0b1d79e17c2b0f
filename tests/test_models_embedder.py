"""The one instrument: what it refuses, whatever the network, and what it gives."""

import numpy as np
import pytest
import torch
from remedied import Network
from torch import nn

from bgbias.errors import InputError
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder, embed

PICTURES = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]


def model(function):
    """The model of SPEC "python:a:b" that gives what a function makes of the pictures, as 0..255."""
    return Embedder(Network(function), card("python:a:b", Input(8, (0,) * 3, (1 / 255,) * 3)), "python:a:b")


def channel_means(images):
    return images.mean((2, 3)) + 1


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


def test_embeddings_of_changing_length_are_refused():
    changing = model(lambda images: channel_means(images)[:, : 4 - len(images)])
    with pytest.raises(InputError, match="^python:a:b: gives 3 numbers for a photo now, 2 before: let it give as many"):
        embed(changing, PICTURES.split(1), NAMES)


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


def test_pictures_of_another_size_are_refused_though_the_network_takes_them():
    wide = PICTURES.repeat(1, 1, 1, 2)
    with pytest.raises(
        ValueError, match="python:a:b: expects pictures of 8 px, these are of 16 x 8: set images.<dataset>"
    ):
        embed(model(channel_means), [PICTURES, wide], 2 * NAMES)


def test_embedding_uses_evaluation_mode_and_leaves_the_mode_as_it_was():
    embedder = Embedder(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(192)), card("a", Input(8)), "a").train()
    statistics = embedder.network[1].running_mean.clone()
    whole = embed(embedder, [PICTURES], NAMES)
    assert torch.allclose(whole, embed(embedder, PICTURES.split(2), NAMES), atol=1e-5)
    assert embedder.training and torch.equal(embedder.network[1].running_mean, statistics)


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_network_gets_the_format_that_it_takes(channels_last):
    formats = []
    network = Network(lambda images: formats.append(images.is_contiguous()) or channel_means(images))
    embed(Embedder(network, card("a", Input(8)), "a", channels_last=channels_last), [PICTURES], NAMES)
    assert formats == [not channels_last] * 2


def test_embedders_come_frozen_in_evaluation_mode():
    embedder = Embedder(nn.Sequential(nn.Flatten(), nn.Linear(192, 4)).train(), card("a", Input(8)), "a")
    assert embedder.differentiable and not embedder.training
    assert not any(weight.requires_grad for weight in embedder.parameters())
