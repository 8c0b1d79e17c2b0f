"""torchvision's and timm's networks without their classifiers."""

import sys

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from bgbias.models import zoo
from bgbias.models.spec import embed, load

CPU = torch.device("cpu")
META = [name for name in models.list_models(module=models) if not name.startswith("regnet")]  # it needs real weights


@pytest.mark.parametrize("name", [*META, "regnet_y_400mf"])
def test_every_classification_network_of_torchvision_gives_features(name):
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        network, expected = zoo.from_torchvision(name, CPU)
        classes = next(layer for layer in reversed(list(models.get_model(name).modules())) if hasattr(layer, "weight"))
        features = network.eval()(torch.zeros(2, 3, expected.input_px, expected.input_px))
    assert features.flatten(1).shape == (2, classes.weight.shape[1])
    assert len(classes.weight) == 1000


def test_an_untrained_network_is_always_the_same():
    specs = ["torchvision:resnet18?input_px=32", "torchvision:resnet18?input_px=32"]
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    state = torch.random.get_rng_state()
    one, two = (embed(load(spec, CPU), [pictures], "ab") for spec in specs)
    assert torch.equal(one, two)
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's numbers change


def test_side_and_normalisation_are_those_of_the_published_weights():
    with torch.device("meta"):
        assert zoo.from_torchvision("efficientnet_b3", CPU)[1].input_px == 300
        assert zoo.from_torchvision("vit_h_14", CPU)[1].input_px == 224  # published for 518, made for 224
        expected = zoo.from_torchvision("resnet18", CPU)[1]
    assert expected == (224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "RGB")


@pytest.mark.parametrize("name", ["IMAGENET1K_V1", "IMAGENET1K_V2", "imagenet"])
def test_published_weights_are_loaded(monkeypatch, name):
    urls, given = [], models.resnet50()

    def download(url, **options):
        urls.append(url)
        return given.state_dict()

    monkeypatch.setattr(models._api, "load_state_dict_from_url", download)
    network, _ = zoo.from_torchvision(f"resnet50:{name}", CPU)
    assert urls == [models.ResNet50_Weights["IMAGENET1K_V1" if name == "imagenet" else name].url]
    assert torch.equal(network.conv1.weight, given.conv1.weight)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("classifier", ["published", "fine-tuned", "none"])
def test_weights_of_a_file_fit_whatever_the_classifier_was(tmp_path, suffix, classifier):
    given = models.resnet18()
    given.fc = {"published": given.fc, "fine-tuned": nn.Linear(512, 7), "none": nn.Identity()}[classifier]
    path = tmp_path / f"net.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(given.state_dict(), path)
    network, _ = zoo.from_torchvision(f"resnet18:{path}", CPU)
    given.fc = nn.Identity()
    assert given.state_dict().keys() == network.state_dict().keys()
    assert all(torch.equal(tensor, given.state_dict()[key]) for key, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (models.resnet34().state_dict(), r"the weights do not fit the network \(RuntimeError: .*layer1.2.conv1.weight"),
        ({"fc.0.weight": torch.zeros(1)}, "the weights do not fit the network .*Missing key"),
        ({"epoch": 3}, r"not a file of tensors \(AttributeError\): replace it by what torch.save\(network.state_dict"),
    ],
)
def test_other_weights_are_refused_in_one_line(tmp_path, weights, message):
    torch.save(weights, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=rf"^torchvision:resnet18:.*net.pth: .*{message}") as caught:
        load(f"torchvision:resnet18:{tmp_path / 'net.pth'}", CPU)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_a_broken_safetensors_file_is_refused(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"net.safetensors: not a file of safetensors \(SafetensorError: "):
        load(f"torchvision:resnet18:{tmp_path / 'net.safetensors'}", CPU)


def test_unknown_names_of_torchvision_list_close_ones():
    with pytest.raises(ValueError, match="unknown network of torchvision 'resnet5'; close to it are .*resnet50"):
        load("torchvision:resnet5", CPU)
    with pytest.raises(ValueError, match="unknown network of torchvision ''; known are alexnet, "):
        load("torchvision:", CPU)
    message = "no such weights or file 'V9': known are imagenet, IMAGENET1K_V1, or give a path"
    with pytest.raises(FileNotFoundError, match=message):
        load("torchvision:resnet18:V9", CPU)


def test_weights_that_cannot_be_downloaded_name_the_mend(monkeypatch):
    def unreachable(*args, **options):
        raise OSError("no route")

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", unreachable)
    message = r"cannot download https://.*resnet18-.*pth: connect to the network, or give the path of a copy, torchv"
    with pytest.raises(ValueError, match=message):
        load("torchvision:resnet18:imagenet", CPU)


def test_timm_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match="^timm:resnet18: timm is not installed: pip install timm$"):
        load("timm:resnet18", CPU)


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "vit_tiny_patch16_224", "mobilenetv3_small_050", "levit_128s"])
def test_timm_s_networks_and_their_files(tmp_path, name):
    timm = pytest.importorskip("timm")
    given = timm.create_model(name).eval()
    torch.save(given.state_dict(), tmp_path / "net.pth")
    untrained, again = (load(f"timm:{name}", CPU) for _ in range(2))
    loaded = load(f"timm:{name}:{tmp_path / 'net.pth'}", CPU)
    pictures = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8)
    one, two, three = (embed(model, [pictures], "ab") for model in (untrained, again, loaded))
    assert torch.equal(one, two) and not torch.allclose(one, three)
    given.reset_classifier(0)
    expected = nn.functional.normalize(given(loaded.normalise(pictures)))
    assert torch.allclose(three, expected, atol=1e-5)
    data = timm.data.resolve_model_data_config(given)
    assert loaded.mean.flatten().tolist() == pytest.approx([255 * mean for mean in data["mean"]])


def test_timm_s_errors_are_one_line(tmp_path, monkeypatch):
    timm = pytest.importorskip("timm")
    with pytest.raises(ValueError, match="unknown network of timm 'resnet1'; close to it are "):
        load("timm:resnet1", CPU)
    with pytest.raises(FileNotFoundError, match=r"no.pth: no such file: correct the path"):
        load("timm:resnet18:no.pth", CPU)
    torch.save(timm.create_model("resnet34").state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="the weights do not fit the network"):
        load(f"timm:resnet18:{tmp_path / 'net.pth'}", CPU)

    def unreachable(*args, **options):
        raise OSError("no\nroute")

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(ValueError, match=r"connect to the network, or give a path, timm:resnet18:FILE \(OSError: no r"):
        load("timm:resnet18:pretrained", CPU)
