"""SPECs, and the checks on what a model of any origin gives."""

from pathlib import Path

import pytest
import torch

from bgbias import external
from bgbias.config import params, read
from bgbias.external.spec import FORMATS, SCHEMES, load
from bgbias.models.by_name import COLLECTIONS
from bgbias.models.embedder import embed
from bgbias.models.own import OWN
from bgbias.models.trained import new, save

CPU = torch.device("cpu")


@pytest.fixture
def trained(tmp_path):
    torch.manual_seed(0)
    embedder = new("small_resnet", 8, 32, "euclidean")
    save(embedder, tmp_path / "model")
    return embedder, f"model:{tmp_path / 'model'}"


def test_a_model_that_was_trained_here_gives_its_own_embeddings(trained):
    embedder, spec = trained
    loaded = load(spec, CPU)
    pictures = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(embed(loaded, [pictures], "abcde"), embed(embedder, [pictures], "abcde"))
    assert (loaded.card.network, loaded.card.distance) == ("small_resnet", "euclidean")
    assert (loaded.name, loaded.input_px, loaded.differentiable) == (spec, 32, True)
    assert loaded.files == [Path(spec.removeprefix("model:"))]


def test_a_broken_model_of_ours_is_refused(trained):
    weights = Path(trained[1].removeprefix("model:")) / "weights.safetensors"
    weights.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=f"^{trained[1]}: .*deserializing"):
        load(trained[1], CPU)


def test_the_folder_of_several_models_is_refused_with_their_names(trained):
    model = Path(trained[1].removeprefix("model:"))
    with pytest.raises(FileNotFoundError, match=f"holds models and is none itself: give one of them: {model}$"):
        load(f"model:{model.parent}", CPU)


@pytest.mark.parametrize(("name", "px"), [("small_resnet", 64), ("bn_inception", 224)])
def test_our_own_networks_go_by_a_bare_name_and_are_always_the_same(name, px):
    assert load(name, CPU).input_px == px
    pictures, state = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8), torch.random.get_rng_state()
    one, two = (embed(load(f"{name}?input_px=64", CPU), [pictures], "ab") for _ in range(2))
    assert torch.equal(one, two) and torch.equal(torch.random.get_rng_state(), state)


def test_bn_inception_takes_a_file_of_weights(tmp_path):
    torch.manual_seed(1)
    embedder = new("bn_inception", 8, 64, "cosine")
    torch.save(embedder.network.trunk.state_dict(), tmp_path / "weights.pth")
    loaded = load(f"bn_inception:{tmp_path / 'weights.pth'}?input_px=64", CPU)
    assert torch.equal(loaded.network.conv1_7x7_s2.weight, embedder.network.trunk.conv1_7x7_s2.weight)
    assert loaded.files == [tmp_path / "weights.pth"]


@pytest.mark.parametrize("network", [*OWN, "torchvision:resnet18", "timm:vit_tiny_patch16_224.augreg_in21k"])
def test_params_take_the_names_of_specs(network):
    settings = vars(read.load().train["demo"])
    assert read.check({**settings, "network": network}, params.Training, "train.demo").network == network


@pytest.mark.parametrize("network", ["resnet18", "torchvision:", "onnx:net.onnx", "torchvision:resnet18:imagenet", "m"])
def test_params_take_no_other_names(network):
    settings = vars(read.load().train["demo"])
    message = f"unknown network '{network}'; known are small_resnet, bn_inception, torchvision:NAME or timm:NAME"
    with pytest.raises(ValueError, match=message):
        read.check({**settings, "network": network}, params.Training, "train.demo")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "resnet50",
            "unknown scheme 'resnet50'; close to it is small_resnet; a network of torchvision is torchvision:NAME",
        ),
        ("bn_incepton:imagenet", "unknown scheme 'bn_incepton'; close to it is bn_inception; a network of"),
        ("small_resnet:imagenet", "small_resnet has no pretrained weights: set weights to scratch"),
        ("bn_inception?input_px=62", "fails on images (2, 3, 62, 62): correct its input_px or export it again"),
        ("onx:net.onnx", "unknown scheme 'onx'; close to it is onnx:"),
        ("model:nowhere", "nowhere: no model here (network.json is missing): `dvc repro` trains those of"),
        ("model:nowhere?input_px=32", "unknown option 'input_px'; known are none"),
        ("torchvision:resnet18?px=32", "unknown option 'px'; known are input_px, mean, sd, channels"),
        ("torchvision:resnet18?output=y", "unknown option 'output'; known are input_px, mean, sd, channels"),
        (
            "torchvision:resnet18?input_px=large",
            "cannot read the options 'input_px=large': expected such as input_px=224",
        ),
        ("torchvision:resnet18?mean=0.5,x", "cannot read the options 'mean=0.5,x': expected such as "),
        ("torchvision:resnet18?mean=0.5,0.5", "mean (0.5, 0.5), sd (0.229, 0.224, 0.225): expected three numbers each"),
        ("torchvision:resnet18?mean=123.7", "expected 0 to 1, as white is 1 here: divide grey levels by 255"),
        ("torchvision:resnet18?sd=0", "sd (0.0, 0.0, 0.0): expected more than 0"),
        ("torchvision:resnet18?channels=GBR", "channels GBR: expected 1 to 4096, and RGB or BGR"),
        ("torchvision:resnet18?mean=0.5", "mean alone: give mean and sd both, in the order of the channels"),
        ("torchvision:resnet18?sd=0.5&channels=BGR", "sd alone: give mean and sd both"),
        ("torchvision:resnet18?channels=BGR", "channels=BGR alone: give mean and sd both"),
        ("bn_inception?channels=RGB", "channels=RGB alone: give mean and sd both"),
        ("torchvision:resnet18?input_px=0", "input_px 0, channels RGB: expected 1 to 4096"),
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
    assert all(f"\n    {name}" in external.__doc__ for name in OWN)
    assert all(f"\n    {scheme}:" in external.__doc__ for scheme in ("model", *COLLECTIONS, *FORMATS))
    assert set(SCHEMES) == {"model", *OWN, *COLLECTIONS, *FORMATS}
    assert max(map(len, external.__doc__.splitlines())) <= 120
