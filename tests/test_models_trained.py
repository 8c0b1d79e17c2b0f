"""Networks that are trained here: any trunk, its normalisation, strict saving and loading."""

import sys
from types import SimpleNamespace

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from bgbias.errors import InputError
from bgbias.finder.network import Shape
from bgbias.models import finders, trained
from bgbias.models.embedder import embed
from bgbias.models.own import OWN
from bgbias.models.trained import new

CPU = torch.device("cpu")
TRUNKS = {  # -> a side that it takes
    **dict.fromkeys(OWN, 64),
    "torchvision:resnet18": 32,
    "torchvision:mobilenet_v3_small": 32,
    "torchvision:squeezenet1_1": 32,  # features as maps of one cell
    "torchvision:mnasnet0_5": 32,  # its layers refuse weights without a version
    "torchvision:densenet121": 32,
}


def made(network="small_resnet", side=32, **changes):
    torch.manual_seed(0)
    return new(network, 8, side, "cosine", **changes)


def pictures(side=32):
    return torch.randint(0, 256, (3, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("network", "side"), TRUNKS.items())
def test_any_trunk_trains_a_step_and_comes_back_with_its_embeddings(tmp_path, network, side):
    embedder = made(network, side).train()
    before = {name: tensor.clone() for name, tensor in embedder.named_parameters()}
    optimizer = torch.optim.Adam(embedder.parameters(), lr=1e-3)
    embedder(embedder.normalise(pictures(side)))[:, 0].sum().backward()
    optimizer.step()
    assert all(weight.grad is not None for weight in embedder.parameters())
    assert any(not torch.equal(tensor, before[name]) for name, tensor in embedder.named_parameters() if "trunk" in name)
    trained.save(embedder, tmp_path / "model")
    assert {name.partition(".")[0] for name in load_file(tmp_path / "model/weights.safetensors")} == {"trunk", "head"}
    loaded = trained.load(tmp_path / "model", CPU)
    found = embed(embedder, [pictures(side)], "abc")
    assert torch.equal(embed(loaded, [pictures(side)], "abc"), found)
    assert found.norm(dim=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)
    assert (loaded.card.network, loaded.card.embedding_dim, loaded.card.input_px) == (network, 8, side)


@pytest.mark.parametrize(
    ("network", "side"), [("torchvision:vit_b_32", 64), ("bn_inception", 62), ("torchvision:vgg11", 9)]
)
def test_a_side_that_the_network_does_not_take_is_refused_in_one_line(network, side):
    message = f"^{network} does not take images of {side} px, its own are of 224 px: set images.<dataset>.input_px "
    with pytest.raises(ValueError, match=message) as caught:
        made(network, side)
    assert "\n" not in str(caught.value)


def test_random_weights_are_drawn_from_the_current_generator_the_trunk_s_first():
    torch.manual_seed(0)
    trunk, head = torchvision.models.mobilenet_v3_small(), nn.Linear(1024, 8)
    embedder = made("torchvision:mobilenet_v3_small")
    assert torch.equal(embedder.network.trunk.features[0][0].weight, trunk.features[0][0].weight)
    assert torch.equal(embedder.network.head.weight, head.weight)


def test_a_network_of_timm_is_a_trunk_with_its_own_normalisation(tmp_path, monkeypatch):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.fc = nn.Linear(6, 9)

        def forward(self, images):
            return self.fc(self.body(images))

        def reset_classifier(self, classes):
            self.fc = nn.Identity()

    config = {"input_size": (3, 96, 96), "mean": (0.5, 0.25, 0.75), "std": (0.5, 0.5, 0.2)}
    data = SimpleNamespace(resolve_model_data_config=lambda network: config)
    timm = SimpleNamespace(is_model=lambda name: name == "net", create_model=lambda name, pretrained: Net(), data=data)
    monkeypatch.setitem(sys.modules, "timm", timm)
    torch.save(Net().state_dict(), tmp_path / "net.pth")
    embedder = made("timm:net", weights=str(tmp_path / "net.pth"))
    assert embedder.card.mean == (127.5, 63.75, 191.25) and embedder.card.sd == (127.5, 127.5, 51)
    trained.save(embedder, tmp_path / "model")
    loaded = trained.load(tmp_path / "model", CPU)
    assert torch.equal(loaded.normalise(pictures()), embedder.normalise(pictures()))
    assert torch.equal(embed(loaded, [pictures()], "abc"), embed(embedder, [pictures()], "abc"))


def test_normalisation_is_torchvision_s_in_grey_levels():
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, sd = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (pictures.float() / 255 - mean.view(3, 1, 1)) / sd.view(3, 1, 1)
    assert torch.allclose(made().normalise(pictures), expected, atol=1e-5)


@pytest.fixture
def saved(tmp_path):
    """The folder of a model."""
    trained.save(made(), tmp_path / "model")
    return tmp_path / "model"


def test_no_pickle_is_written(saved):
    assert {path.name for path in saved.iterdir()} == {"weights.safetensors", "network.json"}


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("head.bias", None, "head.bias"),
        ("neck.bias", torch.zeros(1), "neck.bias"),
        ("head.bias", torch.zeros(9), "head.bias"),
        ("head.bias", torch.zeros(8).long(), "head.bias"),
        ("head.bias", torch.full((8,), torch.nan), "some are not finite"),
    ],
)
def test_weights_that_do_not_fit_or_are_not_finite_are_refused_in_one_line(saved, name, tensor, message):
    file = saved / "weights.safetensors"
    weights = load_file(file) | {name: tensor}
    save_file({name: tensor for name, tensor in weights.items() if tensor is not None}, file)
    with pytest.raises(InputError, match=f"model: the weights do not fit network.json: .*{message}") as caught:
        trained.load(saved)
    assert "\n" not in str(caught.value)


def test_a_model_of_another_version_is_refused(saved):
    card = saved / "network.json"
    card.write_text(card.read_text().replace('"channels"', '"channel"'))
    with pytest.raises(ValueError, match="network.json is of another version .*: train the model again"):
        trained.load(saved)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"resnet5"', "network.json is of another version .unknown network 'resnet5'; close to it is small_resnet"),
        ("resnet", "network.json: does not read .Expecting value: line"),
        ("null", "network.json is of another version .network None, distance 'cosine': expected a name, and euclidean"),
        ('"small_resnet", "distance": "far"', "distance 'far': expected a name, and euclidean or cosine"),
        ('"small_resnet", "embedding_dim": "8"', "embedding_dim '8': expected at most 1,000,000"),
        ('"small_resnet", "embedding_dim": 0', "network.json is of another version .embedding_dim 0"),
        ('"small_resnet", "input_px": 1.5', "input_px 1.5, channels RGB: expected 1 to 4096"),
    ],
)
def test_a_card_that_names_no_network_is_refused(saved, text, message):
    card = saved / "network.json"
    lines = card.read_text().splitlines()  # of a key that is there twice, the last counts
    lines = [*(line for line in lines[:-1] if "network" not in line), f',"network": {text}', "}"]
    card.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=message + ".*: train the model again"):
        trained.load(saved)


def test_cut_off_weights_are_refused(saved):
    weights = saved / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="the weights do not fit network.json: train the model again"):
        trained.load(saved)


def test_a_missing_model_names_the_mend(saved):
    with pytest.raises(
        FileNotFoundError, match=r"no model here .network.json is missing.: `dvc repro` trains those of the"
    ):
        trained.load(saved.parent)
    (saved / "weights.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no model here .weights.safetensors is missing.: `dvc repro`"):
        trained.load(saved)


def test_small_resnet_has_no_pretrained_weights():
    with pytest.raises(ValueError, match="small_resnet has no pretrained weights: set weights to scratch"):
        made(weights="imagenet")


def test_bn_inception_sees_blue_first_in_grey_levels_less_its_means():
    pictures = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    pictures[:, 0] = 200  # red
    assert made("bn_inception", 64).normalise(pictures)[0, :, 0, 0].tolist() == [-104, -117, 200 - 128]


def test_a_finder_sees_red_first_also_before_a_network_that_sees_blue_first(tmp_path):
    torch.manual_seed(1)
    finder, seen = finders.make(Shape(channels=4, most_px=64, zoom=False)).eval(), pictures(64)
    bgr, rgb = (made(network, 64, finder=finder).eval() for network in ("bn_inception", "small_resnet"))
    found = [trained.found_masks(of, seen).int() for of in (bgr, rgb)]
    assert (found[0] - found[1]).abs().max() <= 2 < found[0].float().std()  # of rounding
    given = []
    bgr.network.trunk.register_forward_hook(lambda trunk, images, features: given.append(images[0]))
    embed(bgr, [seen], "abc")
    images = bgr.normalise(seen)
    assert torch.allclose(given[0], images * finder.masks(images.flip(1)), atol=1e-3)
    assert not torch.allclose(given[0], images * finder.masks(images), atol=1e-1)
    trained.save(bgr, tmp_path / "model")
    assert torch.equal(trained.found_masks(trained.load(tmp_path / "model", CPU), seen), trained.found_masks(bgr, seen))


def test_torchvision_s_networks_start_from_a_file_strictly(tmp_path):
    weights = torchvision.models.resnet18().state_dict()
    torch.save(weights, tmp_path / "resnet18.pth")
    embedder = made("torchvision:resnet18", weights=str(tmp_path / "resnet18.pth"))
    assert torch.equal(embedder.network.trunk.conv1.weight, weights["conv1.weight"])
    del weights["bn1.weight"]
    torch.save(weights, tmp_path / "resnet18.pth")
    with pytest.raises(ValueError, match="do not fit the network: 1 mismatch: bn1.weight is missing"):
        made("torchvision:resnet18", weights=str(tmp_path / "resnet18.pth"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.pth", None, "no such weights or file .*no.pth': known are scratch, imagenet, IMAGENET1K_V1, or give"),
        ("resnet18.pth", b"<html>moved</html>", r"not a file of tensors \(UnpicklingError\): replace it by what torch"),
        ("resnet18-f37072fd.pth", b"", "SHA-256 begins with e3b0c442, expected f37072fd: replace it by what"),
        ("tuned-20240115.pth", b"", "expected 20240115: .*, or rename it where the end of its name is no checksum"),
    ],
)
def test_a_file_that_is_not_torchvision_s_names_the_mend(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        made("torchvision:resnet18", weights=str(tmp_path / name))
