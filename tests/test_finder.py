"""The object finder: what it shows of an image, what it costs, how it is kept."""

import dataclasses
import json

import pytest
import torch
import torchvision
from torch import nn

from bgbias.config import read
from bgbias.finder.masks import cross_entropy, found
from bgbias.finder.network import Shape, zoomed
from bgbias.models import finders

SHAPE = Shape(channels=4, most_px=64, zoom=False)


ENCODERS = (None, "small_resnet")


def made(**changes):
    torch.manual_seed(0)
    return finders.make(dataclasses.replace(SHAPE, **changes)).eval()


def images(side=32, count=3):
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(0))


def of_one_object(mask):
    """A finder that finds a given mask, whatever it sees."""
    finder = made()
    finder.masks = lambda images: mask.expand(len(images), 1, -1, -1)
    return finder


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("side", [16, 33, 64, 96])
def test_masks_have_the_image_s_size_and_lie_between_0_and_1(side, encoder):
    finder = made(encoder=encoder)
    masks = finder.masks(images(side))
    assert masks.shape == (3, 1, side, side) and 0 <= masks.min() < masks.max() <= 1
    assert finder(images(side)).shape[-1] == -(-(side // (2 if side > SHAPE.most_px else 1)) // 2)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_finder_works_behind_any_network_s_normalisation(encoder):
    seen, finder = images(), made(encoder=encoder)
    scale, shift = (torch.tensor(of).view(1, 3, 1, 1) for of in ([0.02, 60.0, 3.0], [0.0, -117.0, 5.0]))
    assert torch.allclose(finder.masks(seen * scale + shift), finder.masks(seen), atol=2e-3)
    assert finder.masks(torch.zeros(1, 3, 32, 32)).isfinite().all()


def test_what_lies_around_the_object_cannot_be_told_from_what_is_shown():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:20, 4:14] = 1
    for zoom in (False, True):
        finder = of_one_object(mask)
        finder.shape = dataclasses.replace(SHAPE, zoom=zoom)
        other = torch.where(mask > 0, images(), images().flip(0) * 5)
        assert torch.equal(finder.shown(other), finder.shown(images()))
    assert not torch.equal(finder.shown(images().flip(0)), finder.shown(images()))


def test_as_much_of_the_background_is_left_as_the_shape_says():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:20, 4:14] = 1
    finder, faded = of_one_object(mask), torch.where(mask > 0, images(), 0.25 * images())
    for zoom, expected in ((False, faded), (True, zoomed(faded, mask.expand(3, -1, -1, -1)))):
        finder.shape = dataclasses.replace(SHAPE, zoom=zoom, background=0.25)
        assert torch.allclose(finder.shown(images()), expected, atol=1e-6)


def test_zooming_centres_the_object_and_fills_the_image_with_it_wherever_it_was():
    small = torch.zeros(2, 1, 64, 64)
    small[0, :, 40:56, 4:20] = 1
    small[1, :, 20:36, 30:46] = 1
    shown = zoomed(small, small)
    assert torch.allclose(shown[0], shown[1], atol=0.05)
    rows, columns = (shown[0, 0] > 0.5).nonzero(as_tuple=True)
    for along in (rows, columns):
        assert (along.min() + along.max()).item() == pytest.approx(63, abs=1)
        assert 46 <= along.max() - along.min() + 1 <= 58
    whole = images(64)
    assert torch.allclose(zoomed(whole, torch.zeros(3, 1, 64, 64)), whole, atol=1e-4)


def test_the_cross_entropy_is_least_for_the_given_mask():
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    mask[..., :4] = 255
    logits = torch.where(mask[..., ::2, ::2] > 0, 9.0, -9.0)
    right, wrong = cross_entropy(logits, mask), cross_entropy(-logits, mask)
    assert right < 0.001 and wrong == pytest.approx(9, abs=0.01)


def test_found_masks_are_bytes_of_the_pictures_size():
    pictures = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    masks = found(made(), pictures)
    assert masks.dtype == torch.uint8 and masks.shape == (3, 1, 32, 32)
    assert torch.equal(masks, (255 * made().masks(pictures.float())).round().byte())


def multiplications(network, side):
    """How many a pass of one image takes in convolutions and linear layers."""
    total = []

    def count(module, given, output):
        total.append(output[0].numel() * module.weight[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, side, side))
    return sum(total)


@pytest.mark.parametrize("encoder", [None, "timm:tf_efficientnet_lite0"])
def test_at_224_px_it_costs_at_most_15_percent_of_a_resnet_18(encoder):
    if encoder:
        pytest.importorskip("timm")
    its = read.load().regime_settings["early_masking"].finder
    finder = finders.make(Shape(its.channels, its.most_px, its.zoom, encoder))
    assert 0 < multiplications(finder, 224) <= 0.15 * multiplications(torchvision.models.resnet18(), 224)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_finder_comes_back_from_its_files(tmp_path, encoder):
    finder = made(zoom=True, encoder=encoder, background=0.25)
    finders.save(finder, tmp_path / "finder")
    loaded = finders.load(tmp_path / "finder")
    assert loaded.shape == finder.shape and not any(weight.requires_grad for weight in loaded.parameters())
    assert torch.allclose(loaded.masks(images()), finder.masks(images()), atol=1e-6)


def test_a_finder_s_file_from_before_that_says_nothing_of_encoder_and_background_is_read(tmp_path):
    finders.save(made(), tmp_path / "finder")
    (tmp_path / "finder/finder.json").write_text('{"channels": 4, "most_px": 64, "zoom": false}')
    assert finders.load(tmp_path / "finder").shape == SHAPE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 8}, "size mismatch"),
        ({"channels": 0}, "channels 0: expected 1 to 512"),
        ({"channels": True}, "channels True: expected 1 to 512"),
        ({"most_px": 99999}, "most_px 99999: expected 1 to 1024"),
        ({"zoom": "yes"}, "zoom 'yes': expected true or false"),
        ({"encoder": 3}, "encoder 3: expected a network's name"),
        ({"background": 1.5}, "background 1.5: expected 0 to 1"),
        ({"background": True}, "background True: expected 0 to 1"),
        ({"encoder": "none"}, "unknown network 'none'"),
        ({"encoder": "small_resnet"}, "Missing key"),
        ({"depth": 3}, "unexpected keyword argument 'depth'"),
    ],
)
def test_files_of_another_finder_are_refused_in_one_line(tmp_path, change, message):
    finders.save(made(), tmp_path / "finder")
    (tmp_path / "finder/finder.json").write_text(json.dumps(dataclasses.asdict(SHAPE) | change))
    with pytest.raises(
        ValueError, match=f"holds no finder of this version: train the finder again: .*{message}"
    ) as one:
        finders.load(tmp_path / "finder")
    assert "\n" not in str(one.value)


def test_a_finder_takes_the_place_of_another_and_of_nothing_else(tmp_path):
    finders.refuse_other_content(tmp_path / "finder")
    finders.save(made(), tmp_path / "finder")
    finders.refuse_other_content(tmp_path / "finder")
    with pytest.raises(ValueError, match="something else than a finder lies there, and would be lost"):
        finders.refuse_other_content(tmp_path)


def test_no_finder_cut_weights_and_weights_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no finder here .finder.json is missing.: .python -m stages.finder"):
        finders.load(tmp_path / "finder")
    broken = made()
    broken.logits.bias.data[:] = float("nan")
    finders.save(broken, tmp_path / "finder")
    with pytest.raises(ValueError, match="some weights are not finite"):
        finders.load(tmp_path / "finder")
    whole = (tmp_path / "finder/finder.safetensors").read_bytes()
    (tmp_path / "finder/finder.safetensors").write_bytes(whole[:100])
    with pytest.raises(ValueError, match="holds no finder of this version"):
        finders.load(tmp_path / "finder")
