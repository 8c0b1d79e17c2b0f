"""The first layers of a network by name, as a finder uses them."""

import pytest
import torch
from torch import nn

from bgbias.models import encoder
from bgbias.models.by_name import trunk
from bgbias.models.cards import Input
from bgbias.models.encoder import Encoder

IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("network", "channels", "last"),
    [
        ("small_resnet", [32, 32, 64, 128], "block3"),
        ("torchvision:resnet18", [64, 64, 128, 256], "layer3"),
        ("timm:tf_efficientnet_lite0", [16, 24, 40, 112], "blocks.4"),
    ],
)
def test_the_maps_are_the_network_s_own_down_to_a_sixteenth_of_the_side_and_what_follows_is_cut_off(
    network, channels, last
):
    if network.startswith("timm"):
        pytest.importorskip("timm")
    torch.manual_seed(0)
    made = encoder.make(network, "scratch").eval()
    torch.manual_seed(0)
    whole = trunk(network, "scratch")[0]
    seen = []
    whole.eval().get_submodule(last).register_forward_hook(lambda module, given, output: seen.append(output.clone()))
    maps = made(IMAGES)
    whole(IMAGES * made.scale + made.shift)
    assert [tuple(of.shape[1:]) for of in maps] == [(c, s, s) for c, s in zip(channels, (32, 16, 8, 4), strict=True)]
    assert made.channels == channels and torch.allclose(maps[-1], seen[0], atol=1e-5)
    deeper = sum(weight.numel() for weight in whole.parameters()) - sum(weight.numel() for weight in made.parameters())
    assert deeper > 0.5 * sum(weight.numel() for weight in made.parameters())


def test_a_standardised_image_reaches_the_network_as_an_imagenet_photo_normalised_by_its_makers():
    made = Encoder(nn.Identity(), [3], Input(64, (0.5, 0.5, 0.5), (0.1, 0.2, 0.4)))
    levels = torch.tensor([-1.0, 0.0, 2.0]).expand(1, 3, 1, 3)
    mean, sd = torch.tensor(Input().mean).view(3, 1, 1), torch.tensor(Input().sd).view(3, 1, 1)
    assert torch.allclose(made(levels), (levels * sd + mean - 0.5) / torch.tensor([0.1, 0.2, 0.4]).view(3, 1, 1))


@pytest.mark.parametrize("network", ["torchvision:vit_b_16", "bn_inception"])
def test_a_network_that_gives_no_maps_is_refused_in_one_line(network):
    with pytest.raises(ValueError, match=f"^{network} has no maps for a finder: take another as its encoder") as one:
        encoder.make(network, "scratch")
    assert "\n" not in str(one.value)
