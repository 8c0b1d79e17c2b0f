"""Networks, their normalisation, and strict saving and loading."""

import dataclasses

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch.nn import BatchNorm2d

from bgbias.models import embedder as embedders
from bgbias.models.embedder import Embedder
from bgbias.models.networks import NETWORKS, fold_batch_norm


def made(network="small_resnet", **changes):
    torch.manual_seed(0)
    return Embedder(dataclasses.replace(embedders.card(network, 8, 32, "cosine"), **changes)).eval()


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_gives_embeddings_of_length_one(network):
    embedder = made(network)
    embeddings = embedder(embedder.normalise(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)))
    assert embeddings.shape == (2, 8)
    assert embeddings.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_last_feature_map_is_a_map(network):
    embedder, seen = made(network), []
    embedder.last_map.register_forward_hook(lambda module, given, output: seen.append(output.shape))
    embedder(torch.zeros(1, 3, 64, 64))
    assert seen == [(1, NETWORKS[network].width, 2, 2)]


@pytest.mark.parametrize("network", NETWORKS)
def test_folded_batch_norm_computes_the_same(network):
    embedder = made(network)
    for module in embedder.modules():
        if isinstance(module, BatchNorm2d):  # as after training
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
    images = torch.randn(2, 3, 64, 64)
    before = embedder(images)
    fold_batch_norm(embedder)
    assert torch.allclose(embedder(images), before, atol=1e-5)
    assert not any(isinstance(module, BatchNorm2d) for module in embedder.modules())


def test_normalisation_is_torchvision_s_in_grey_levels():
    pictures = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    mean, sd = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (pictures.float() / 255 - mean.view(3, 1, 1)) / sd.view(3, 1, 1)
    assert torch.allclose(made().normalise(pictures), expected, atol=1e-5)


def test_a_saved_embedder_comes_back_with_its_card_and_its_outputs(tmp_path):
    embedder = made(mean=(1.0, 2.0, 3.0))
    embedders.save(embedder, tmp_path / "model")
    loaded = embedders.load(tmp_path / "model", torch.device("cpu"))
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(loaded(images), embedder(images)) and not loaded.training
    assert loaded.card.mean == [1.0, 2.0, 3.0] and torch.equal(loaded.mean, embedder.mean)


def test_no_pickle_is_written(tmp_path):
    embedders.save(made(), tmp_path / "model")
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"weights.safetensors", "network.json"}


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_of_another_network_are_refused_in_one_line(tmp_path, change):
    embedders.save(made(), tmp_path / "model")
    file = tmp_path / "model/weights.safetensors"
    weights = load_file(file)
    if change == "missing":
        del weights["head.bias"]
    elif change == "extra":
        weights["neck.bias"] = torch.zeros(1)
    else:
        weights["head.bias"] = torch.zeros(9)
    save_file(weights, file)
    with pytest.raises(ValueError, match="the weights do not fit network.json: .*(head|neck).bias") as caught:
        embedders.load(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_a_model_of_another_version_is_refused(tmp_path):
    embedders.save(made(), tmp_path / "model")
    card = tmp_path / "model/network.json"
    card.write_text(card.read_text().replace('"channels"', '"channel"'))
    with pytest.raises(ValueError, match="network.json is of another version .*: train the model again"):
        embedders.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"resnet5"', "network.json is of another version .unknown network 'resnet5'; close to it are resnet50"),
        ("resnet", "network.json is of another version .Expecting value: line"),
    ],
)
def test_a_card_that_names_no_network_is_refused(tmp_path, text, message):
    embedders.save(made(), tmp_path / "model")
    card = tmp_path / "model/network.json"
    card.write_text(card.read_text().replace('"small_resnet"', text))
    with pytest.raises(ValueError, match=message + ".*: train the model again"):
        embedders.load(tmp_path / "model")


def test_cut_off_weights_are_refused(tmp_path):
    embedders.save(made(), tmp_path / "model")
    weights = tmp_path / "model/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="the weights do not fit network.json: train the model again"):
        embedders.load(tmp_path / "model")


def test_a_missing_model_names_the_mend(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no model here .network.json is missing.; `dvc repro` trains it"):
        embedders.load(tmp_path)
    embedders.save(made(), tmp_path / "model")
    (tmp_path / "model/weights.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no model here .weights.safetensors is missing.; `dvc repro`"):
        embedders.load(tmp_path / "model")


def test_small_resnet_has_no_pretrained_weights():
    with pytest.raises(ValueError, match="small_resnet has no pretrained weights: set weights to scratch"):
        Embedder(made().card, "imagenet")


def test_bn_inception_sees_blue_first_in_grey_levels_less_its_means():
    pictures = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    pictures[:, 0] = 200  # red
    assert made("bn_inception").normalise(pictures)[0, :, 0, 0].tolist() == [-104, -117, 200 - 128]


def test_torchvision_s_networks_start_from_a_file_strictly(tmp_path):
    weights = torchvision.models.resnet18().state_dict()
    torch.save(weights, tmp_path / "resnet18.pth")
    embedder = Embedder(made("resnet18").card, str(tmp_path / "resnet18.pth"))
    assert torch.equal(embedder.trunk.conv1.weight, weights["conv1.weight"])
    del weights["bn1.weight"]
    torch.save(weights, tmp_path / "resnet18.pth")
    with pytest.raises(ValueError, match="not the weights of resnet18: .*bn1.weight"):
        Embedder(made("resnet18").card, str(tmp_path / "resnet18.pth"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.pth", None, "no.pth: no such file: put torchvision's file of resnet18 there, or correct train.<dataset>"),
        (
            "resnet18.pth",
            b"<html>moved</html>",
            r"not a file of tensors \(UnpicklingError\): replace it by torchv",
        ),
        ("resnet18-f37072fd.pth", b"", "SHA-256 begins with e3b0c442, expected f37072fd: replace it by torchvision's"),
    ],
)
def test_a_file_that_is_not_torchvision_s_names_the_mend(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Embedder(made("resnet18").card, str(tmp_path / name))


def test_weights_that_cannot_be_downloaded_name_the_mend(monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", unreachable)
    with pytest.raises(FileNotFoundError, match="cannot be downloaded .*set weights to the path of torchvision's file"):
        Embedder(made("resnet18").card, "imagenet")


def test_embedding_uses_evaluation_mode_and_leaves_the_mode_as_it_was():
    embedder = made().train()
    pictures = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    whole = embedders.embed(embedder, [pictures])
    assert torch.allclose(whole, embedders.embed(embedder, pictures.split(2)), atol=1e-5)
    assert embedder.training and not whole.requires_grad
