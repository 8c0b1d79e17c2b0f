"""Embeddings and attention maps on a GPU: those of a CPU but for rounding."""

import dataclasses

import pytest
import torch
from on_gpu import CUDA, MARKS, as_stages  # noqa: F401 (fixture)
from torch.nn.functional import conv2d, interpolate
from training_parts import SETTINGS

from bgbias.attention import saliency
from bgbias.attention.maps import Attention
from bgbias.models import trained
from bgbias.models.embedder import embed

pytestmark = [*MARKS, pytest.mark.usefixtures("as_stages")]
NETWORKS = [("small_resnet", 64), ("bn_inception", 96)]


def on_both(network, side):
    """The same network on a CPU and on a GPU, and pictures."""
    torch.manual_seed(0)
    made = [trained.new(network, 32, side, "cosine") for _ in range(2)]
    made[1].load_state_dict(made[0].state_dict())
    pictures = torch.randint(0, 256, (4, 3, 9, 9), dtype=torch.uint8)
    pictures = interpolate(pictures, (side, side), mode="bilinear", antialias=True)
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


def test_convolutions_are_of_whole_fp32_numbers_which_by_default_would_round_to_tf32(record_property):
    source = torch.Generator().manual_seed(0)
    images, weights = (torch.randn(shape, generator=source) for shape in ((4, 64, 16, 16), (64, 64, 3, 3)))
    exact, differences = conv2d(images.double(), weights.double()), []
    for torch.backends.cudnn.allow_tf32 in (False, True):  # the fixture puts it back
        found = conv2d(images.to(CUDA), weights.to(CUDA)).cpu()
        differences.append(((found - exact).abs().max() / exact.std()).item())
    record_property("differences", str(differences))
    assert differences[0] < 1e-4
    if torch.cuda.get_device_capability() >= (8, 0):
        assert differences[1] > 1e-4


@pytest.mark.parametrize(("network", "side"), NETWORKS)
@pytest.mark.parametrize(
    ("precision", "least", "most"), [("fp32", 0.999, 1e-3), ("tf32", 0.8, 0.05), ("bf16", 0.8, 0.05)]
)
def test_attention_maps_are_those_of_a_cpu(network, side, precision, least, most, record_property):
    one, other, pictures = on_both(network, side)
    options = dataclasses.replace(SETTINGS.attention, copies=3)
    expected = Attention(one, dataclasses.replace(options, precision="fp32"), 0).maps(pictures, range(len(pictures)))
    on_gpu = Attention(other, dataclasses.replace(options, precision=precision), 0)
    assert on_gpu.embedder is not other  # its batch norms are merged: that is held to its own answer
    found = on_gpu.maps(pictures, range(len(pictures))).cpu()
    masks = torch.zeros(len(pictures), side, side)
    masks[:, side // 4 : side // 2, side // 4 : side // 2] = 1
    scores = [saliency.attention_score(maps, masks) for maps in (expected, found)]
    alike = torch.corrcoef(torch.stack([expected.flatten(), found.flatten()]))[0, 1].item()
    record_property("correlation, difference of scores", f"{alike}, {(scores[0] - scores[1]).abs().max()}")
    assert alike > least and (scores[0] - scores[1]).abs().mean() < most


def test_gradients_of_the_first_layer_are_those_of_a_cpu(record_property):
    *embedders, pictures = on_both("bn_inception", 96)
    for embedder in embedders:
        embedder.requires_grad_()(embedder.normalise(pictures))[:, :16].sum().backward()
    one, other = (embedder.network.trunk.conv1_7x7_s2.weight.grad.cpu() for embedder in embedders)
    difference = ((one - other).norm() / one.norm()).item()
    record_property("difference", difference)
    assert difference < 0.01  # rounding: 0.0004; a pixel off in the pools: 0.35


@pytest.mark.parametrize("method", ["grad_cam", "integrated_gradients"])
def test_so_are_those_of_other_methods(method, record_property):
    one, other, pictures = on_both("small_resnet", 64)
    options = dataclasses.replace(SETTINGS.attention, method=method)
    expected, found = (Attention(its, options, 0).maps(pictures, range(len(pictures))).cpu() for its in (one, other))
    record_property("difference", float((expected - found).abs().max()))
    assert (expected - found).abs().mean() < 1e-3
