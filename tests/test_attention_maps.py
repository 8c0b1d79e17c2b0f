"""Attention maps of an embedder."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from bgbias.attention import saliency
from bgbias.attention.maps import MAPS, PHOTOS_AT_ONCE, PIXELS, Attention, _at_once, choose, last_map, measure
from bgbias.config import params
from bgbias.finder.network import Shape
from bgbias.models import finders
from bgbias.models.cards import Input, card
from bgbias.models.embedder import Embedder
from bgbias.models.trained import new
from bgbias.photos.views import Photos
from bgbias.seeding import torch_generator

OPTIONS = params.Attention(method="smoothgrad", copies=6, noise_share=0.15, steps=8, precision="fp32", max_images={})
PICTURES = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
IDS = [5, 7, 9]


def made(distance="cosine", seed=1, **changes):
    torch.manual_seed(0)
    return Attention(new("small_resnet", 8, 32, distance), dataclasses.replace(OPTIONS, **changes), seed)


@pytest.mark.parametrize("method", ["smoothgrad", "integrated_gradients", "grad_cam"])
def test_every_method_gives_maps_between_zero_and_one(method):
    maps = made(method=method).maps(PICTURES, IDS)
    assert maps.shape == (3, 32, 32) and maps.amin() >= 0 and maps.amax() == 1


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_smoothgrad_is_the_study_s_formula_one_copy_at_a_time(distance):
    attention = made(distance)
    embedder = attention.embedder
    black = embedder(embedder.normalise(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)))
    image = embedder.normalise(PICTURES[1:2])
    source = torch_generator(torch.device("cpu"), 1, "attention noise", 7)
    noise = 0.15 * (image.max() - image.min()) * torch.randn(6, 3, 32, 32, generator=source)
    total = torch.zeros(32, 32)
    for copy in range(6):
        noisy = (image + noise[copy]).requires_grad_()
        embedding = embedder(noisy)
        away = 1 - (embedding * black).sum() if distance == "cosine" else (embedding - black).norm()
        (gradient,) = torch.autograd.grad(away, noisy)
        total += gradient[0].mean(0).abs()
    low, high = total.min(), np.percentile(total.numpy(), 99)
    expected = ((total - low) / (high - low)).clamp(0, 1)
    assert torch.allclose(attention.maps(PICTURES[1:2], [7])[0], expected, atol=1e-3)


def test_noise_is_drawn_by_the_cpu_for_a_gpu_too(monkeypatch):
    drawn, generator = [], torch_generator
    monkeypatch.setattr("bgbias.attention.maps.torch_generator", lambda *its: drawn.append(its) or generator(*its))
    assert made()._noise(torch.empty(3, 32, 32, device="meta"), 7).device.type == "meta"  # as on a GPU
    assert drawn == [(torch.device("cpu"), 1, "attention noise", 7)]


def test_as_many_photos_at_once_as_fill_a_gpu_and_fit_into_what_it_has_left(monkeypatch):
    for free, pixels in ((400e9, PIXELS["cuda"]), (1e9, 61_035), (2**14, 1)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda where, free=free: (int(free), 80_000_000_000))
        assert _at_once(torch.device("cuda")) == pixels
    assert _at_once(torch.device("cpu")) == PIXELS["cpu"]


def test_maps_depend_on_seed_and_photo_not_on_the_batch():
    whole, alone = made().maps(PICTURES, IDS), made().maps(PICTURES[1:2], [7])
    assert torch.allclose(whole[1:2], alone, atol=1e-3)
    assert not torch.allclose(made(seed=2).maps(PICTURES, IDS), whole, atol=1e-2)
    assert not torch.allclose(made().maps(PICTURES[1:2], [8]), alone, atol=1e-2)


def test_black_and_noise_are_in_the_network_s_own_normalisation():
    attention = made()
    mean, sd = attention.embedder.mean, attention.embedder.sd
    assert torch.equal(attention.black, (-mean / sd).expand(1, 3, 32, 32))


def test_a_network_that_sees_only_the_object_scores_high_and_one_that_sees_the_rest_low():
    mask = torch.zeros(1, 32, 32)
    mask[:, 8:24, 8:24] = 1
    scores = {}
    for name, seen in (("object", mask), ("ground", 1 - mask)):
        images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        raw = saliency.smoothgrad(
            lambda x, seen=seen: (x * seen).square().sum((1, 2, 3)), images, torch.randn(1, 8, 3, 32, 32)
        )
        scores[name] = saliency.attention_score(saliency.attention_map(raw), mask).item()
    assert scores["object"] > 0.9 and scores["ground"] < -0.3


def test_bf16_gives_nearly_the_same_maps():
    exact, fast = made().maps(PICTURES, IDS), made(precision="bf16").maps(PICTURES, IDS)
    assert not torch.equal(exact, fast)
    assert torch.corrcoef(torch.stack([exact.flatten(), fast.flatten()]))[0, 1] > 0.9


def test_photos_are_explained_a_few_at_a_time_where_they_are_large(monkeypatch):
    whole = made().maps(PICTURES, IDS)
    monkeypatch.setitem(PIXELS, "cpu", 1)
    assert torch.allclose(made().maps(PICTURES, IDS), whole, atol=1e-3)


def test_pairs_are_explained_with_the_noise_of_the_photo_whatever_the_batch(monkeypatch):
    attention = made()
    embed, others = attention.embedder, PICTURES.flip(0)
    towards = embed(embed.normalise(others))
    whole = attention.unscaled(PICTURES, IDS, towards)
    monkeypatch.setitem(PIXELS, "cpu", 1)
    assert torch.allclose(attention.unscaled(PICTURES, IDS, towards), whole, rtol=1e-3)
    noise = attention._noise(embed.normalise(PICTURES)[0], 7)[None]
    alone = saliency.pair_saliency(embed, embed.normalise(PICTURES[1:2]), towards[1:2], noise)
    assert torch.allclose(whole[1:2], alone, rtol=1e-3)
    assert not torch.allclose(attention.unscaled(PICTURES[:1], [5], towards[1:2]), whole[:1], rtol=0.1)


def test_pairs_are_explained_by_smoothgrad_only():
    with pytest.raises(ValueError, match="pairs are explained by smoothgrad, not by grad_cam: set attention.method"):
        made(method="grad_cam").unscaled(PICTURES, IDS, torch.zeros(3, 8))


def test_all_photos_or_a_random_choice_that_a_smaller_one_is_the_start_of():
    ids = np.arange(100, 140)
    every, some = choose(ids, "all", 3), choose(ids, 10, 3)
    assert sorted(every) == list(ids) and list(every) != list(ids)
    assert list(some) == list(every[:10]) and list(choose(ids, 10, 4)) != list(some)
    assert len(choose(ids, 1000, 3)) == 40


def test_a_view_is_scored_a_few_photos_at_a_time_and_the_first_maps_are_kept(data, geometry):
    photos, attention = Photos.prepared("drawn", dataclasses.replace(geometry, input_px=32), data), made()
    ids = np.arange(2 * PHOTOS_AT_ONCE + 1)
    scores, kept = measure(attention, photos, ids, lambda part: photos.clean(ids[part]))
    maps = attention.maps(torch.cat(list(photos.clean(ids))), ids)
    masks = torch.cat(list(photos.foregrounds(ids)))[:, 0].float() / 255
    assert scores == pytest.approx(saliency.attention_score(maps, masks).numpy(), abs=1e-3)
    assert kept.shape == (MAPS, 32, 32) and kept.dtype == np.uint8
    assert np.abs(kept / 255 - maps[:MAPS].numpy()).max() < 0.01


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("small_resnet", "block4"),
        ("bn_inception", "features"),
        ("torchvision:resnet18", "layer4"),
        ("torchvision:squeezenet1_1", "classifier.2"),
        ("torchvision:mobilenet_v3_small", "features"),
        ("timm:tf_efficientnet_lite0", "bn2"),
    ],
)
def test_the_last_feature_map_is_found_in_any_trunk(network, layer):
    if network.startswith("timm"):
        pytest.importorskip("timm")
    embedder = new(network, 8, 64, "cosine")
    images = torch.zeros(1, 3, 64, 64)
    assert last_map(embedder, images) is embedder.network.trunk.get_submodule(layer)
    assert not any(module._forward_hooks for module in embedder.modules())
    attention = Attention(embedder, dataclasses.replace(OPTIONS, method="grad_cam"), 1)
    maps = attention.maps(PICTURES.repeat(1, 1, 2, 2), IDS)
    assert maps.shape == (3, 64, 64) and maps.isfinite().all() and maps.amax() > 0


@pytest.mark.slow  # 14 s
@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("timm:vit_tiny_patch16_224", None),
        ("torchvision:vit_b_32", None),
        ("timm:swin_tiny_patch4_window7_224", None),
        ("torchvision:swin_t", "permute"),
        ("timm:mobilevit_xxs", "final_conv"),
        ("timm:resnet50_clip", "final_conv"),
    ],
)
def test_what_heads_and_tokens_are_is_no_feature_map(network, layer):
    if network.startswith("timm"):
        pytest.importorskip("timm")
    embedder, images = new(network, 8, 224, "cosine"), torch.zeros(1, 3, 224, 224)
    if layer:
        assert last_map(embedder, images) is embedder.network.trunk.get_submodule(layer)
    else:
        with pytest.raises(ValueError, match="has no feature map for Grad-CAM"):
            last_map(embedder, images)


@pytest.mark.parametrize(("px", "said"), [(64, "small_resnet: Grad-CAM's maps have 2 x 2 cells, too few"), (160, "")])
def test_a_feature_map_of_few_cells_is_said_to_be_coarse(px, said, capsys):
    last_map(new("small_resnet", 8, px, "cosine"), torch.zeros(1, 3, px, px))
    assert capsys.readouterr().out[: len(said) or None] == said


def test_grad_cam_of_a_network_that_enlarges_the_object_is_refused():
    options = dataclasses.replace(OPTIONS, method="grad_cam")
    hiding, zooming = (
        new("small_resnet", 8, 64, "cosine", finder=finders.make(Shape(4, 64, zoom))) for zoom in (False, True)
    )
    Attention(hiding, options, 1)
    with pytest.raises(ValueError, match=r"^small_resnet: enlarges the object, and Grad-CAM's maps are of what it enl"):
        Attention(zooming, options, 1)


@pytest.mark.parametrize("scripted", [False, True])
def test_without_a_feature_map_grad_cam_is_refused_in_one_line(scripted):
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))
    embedder = Embedder(torch.jit.script(network) if scripted else network, card("mine", Input(8)), "mine")
    with pytest.raises(ValueError, match="^mine: has no feature map for Grad-CAM: set attention.method to smoothgrad$"):
        Attention(embedder, dataclasses.replace(OPTIONS, method="grad_cam"), 1)


def test_an_embedder_s_own_batch_norm_is_left_alone():
    embedder = new("small_resnet", 8, 32, "cosine")
    attention = Attention(embedder, OPTIONS, 1)
    assert isinstance(embedder.network.trunk.norm, nn.BatchNorm2d)
    assert not isinstance(attention.embedder.network.trunk.norm, nn.BatchNorm2d)
