"""Embeddings and attention maps on a GPU: those of a CPU but for rounding."""

import dataclasses

import pytest
import torch
from on_gpu import CUDA, MARKS, as_stages  # noqa: F401 (fixture)
from training_parts import SETTINGS

from bgbias.attention import saliency
from bgbias.attention.maps import Attention
from bgbias.models import trained
from bgbias.models.embedder import embed

pytestmark = [*MARKS, pytest.mark.usefixtures("as_stages")]
NETWORKS = [("small_resnet", 64), ("bn_inception", 227)]


def on_both(network, side):
    """The same network on a CPU and on a GPU, and pictures."""
    torch.manual_seed(0)
    made = [trained.new(network, 32, side, "cosine") for _ in range(2)]
    made[1].load_state_dict(made[0].state_dict())
    pictures = torch.randint(0, 256, (12, 3, 9, 9), dtype=torch.uint8)
    pictures = torch.nn.functional.interpolate(pictures, (side, side), mode="bilinear", antialias=True)
    return made[0].eval(), made[1].eval().to(CUDA), pictures


@pytest.mark.parametrize(("network", "side"), NETWORKS)
def test_embeddings_are_those_of_a_cpu_to_one_in_100_000(network, side, record_property):
    one, other, pictures = on_both(network, side)
    names = list(map(str, range(len(pictures))))
    expected = embed(one, [pictures], names)
    found = embed(other, [pictures], names)
    record_property("difference", float((found - expected).abs().max()))
    assert not found.is_cuda and (found - expected).abs().max() < 1e-5
    assert torch.equal(found, embed(other, [pictures], names))


def test_by_default_convolutions_would_round_to_tf32(record_property):
    one, other, pictures = on_both("bn_inception", 227)
    torch.backends.cudnn.allow_tf32 = True  # the fixture puts it back
    difference = (embed(other, [pictures], "a" * 12) - embed(one, [pictures], "a" * 12)).abs().max()
    record_property("difference", float(difference))
    if torch.cuda.get_device_capability() >= (8, 0):
        assert difference > 1e-5


@pytest.mark.parametrize(("network", "side"), NETWORKS)
@pytest.mark.parametrize(("precision", "least", "most"), [("fp32", 0.999, 1e-3), ("bf16", 0.8, 0.05)])
def test_attention_maps_are_those_of_a_cpu(network, side, precision, least, most, monkeypatch, record_property):
    one, other, pictures = on_both(network, side)
    cpu_noise = 0.1 * torch.randn(12, 5, 3, side, side, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(Attention, "_noise", lambda self, image, row: cpu_noise[row].to(image.device))
    options = dataclasses.replace(SETTINGS.attention, copies=5)
    expected = Attention(one, dataclasses.replace(options, precision="fp32"), 0).maps(pictures, range(12))
    on_gpu = Attention(other, dataclasses.replace(options, precision=precision), 0)
    assert on_gpu.embedder is not other  # its batch norms are merged: that is held to its own answer
    found = on_gpu.maps(pictures, range(12)).cpu()
    masks = torch.zeros(12, side, side)
    masks[:, side // 4 : side // 2, side // 4 : side // 2] = 1
    scores = [saliency.attention_score(maps, masks) for maps in (expected, found)]
    alike = torch.corrcoef(torch.stack([expected.flatten(), found.flatten()]))[0, 1].item()
    record_property("correlation, difference of scores", f"{alike}, {(scores[0] - scores[1]).abs().max()}")
    assert alike > least and (scores[0] - scores[1]).abs().mean() < most


@pytest.mark.parametrize("method", ["grad_cam", "integrated_gradients"])
def test_so_are_those_of_other_methods(method, record_property):
    one, other, pictures = on_both("small_resnet", 64)
    options = dataclasses.replace(SETTINGS.attention, method=method)
    expected, found = (Attention(its, options, 0).maps(pictures, range(12)).cpu() for its in (one, other))
    record_property("difference", float((expected - found).abs().max()))
    assert (expected - found).abs().mean() < 1e-3
