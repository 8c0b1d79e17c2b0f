"""torchvision's and timm's networks without their classifiers."""

import re
import sys
from collections import OrderedDict

import pytest
import torch
from bomb import Bomb
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from bgbias.external.spec import load
from bgbias.models import pretrained, zoo
from bgbias.models.embedder import embed

CPU = torch.device("cpu")
META = [name for name in models.list_models(module=models) if not name.startswith("regnet")]  # it needs real weights


@pytest.mark.parametrize("name", [*META, "regnet_y_400mf"])
def test_every_classification_network_of_torchvision_gives_features(name):
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        network, expected = zoo.from_torchvision(name, "scratch")
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
        assert zoo.from_torchvision("efficientnet_b3", "scratch")[1].input_px == 300
        assert zoo.from_torchvision("vit_h_14", "scratch")[1].input_px == 224  # published for 518, made for 224
        expected = zoo.from_torchvision("resnet18", "scratch")[1]
    assert expected == (224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "RGB")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """PyTorch's cache of downloads, empty."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("name", ["IMAGENET1K_V1", "IMAGENET1K_V2", "imagenet"])
def test_published_weights_are_loaded(monkeypatch, cache, name):
    given, asked = models.resnet50(), []

    def download(url, path, sha256):
        asked.append((url, sha256))
        torch.save(given.state_dict(), path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr("bgbias.files.checksums.checksum_in_name", lambda name: "")
    network, _ = zoo.from_torchvision("resnet50", name)
    url = models.ResNet50_Weights["IMAGENET1K_V1" if name == "imagenet" else name].url
    assert asked == [(url, url.partition("-")[2].removesuffix(".pth"))]
    assert torch.equal(network.conv1.weight, given.conv1.weight)


def test_every_published_file_names_its_checksum():
    urls = [entry.url for name in models.list_models(module=models) for entry in models.get_model_weights(name)]
    assert all(pretrained.files.checksum_in_name(url.rpartition("/")[2]) for url in urls)


@pytest.mark.parametrize("known_checksum", [True, False])
def test_code_in_the_cache_is_not_run(monkeypatch, cache, tmp_path, known_checksum):
    torch.save({"conv1.weight": Bomb(tmp_path / "owned")}, cache / "resnet18-f37072fd.pth")
    message = "SHA-256 begins with .*, expected f37072fd: replace it by https://"
    if not known_checksum:
        monkeypatch.setattr("bgbias.files.checksums.checksum_in_name", lambda name: "")
        message = r"not a file of tensors \(UnpicklingError\): replace it by https://"
    with pytest.raises(ValueError, match=message):
        load("torchvision:resnet18:imagenet", CPU)
    assert not (tmp_path / "owned").exists()


def test_the_published_weights_of_googlenet_densenet_and_larger_vision_transformers_fit(monkeypatch):
    monkeypatch.setattr(pretrained, "published", lambda url: given)
    given = models.googlenet(init_weights=False).state_dict()  # with its auxiliary classifiers
    network, _ = zoo.from_torchvision("googlenet", "imagenet")
    assert torch.equal(network.conv1.conv.weight, given["conv1.conv.weight"])
    assert network.transform_input and network.train()(torch.zeros(2, 3, 64, 64)).shape == (2, 1024)
    expected = models.densenet121().state_dict()
    given = OrderedDict(  # as the file of 2017 names them
        (re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name), tensor) for name, tensor in expected.items()
    )
    assert "features.denseblock1.denselayer1.norm.1.weight" in given
    network, _ = zoo.from_torchvision("densenet121", "imagenet")
    key = "features.denseblock1.denselayer1.conv1.weight"
    assert torch.equal(network.state_dict()[key], expected[key])
    with torch.device("meta"):
        given = models.vit_b_16(image_size=384).state_dict()
        assert zoo.from_torchvision("vit_b_16", "IMAGENET1K_SWAG_E2E_V1")[1].input_px == 384


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("classifier", ["published", "fine-tuned", "none"])
def test_weights_of_a_file_fit_whatever_the_classifier_was(tmp_path, suffix, classifier):
    given = models.resnet18()
    given.fc = {"published": given.fc, "fine-tuned": nn.Linear(512, 7), "none": nn.Identity()}[classifier]
    path = tmp_path / f"net.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(given.state_dict(), path)
    network, _ = zoo.from_torchvision("resnet18", str(path))
    given.fc = nn.Identity()
    assert given.state_dict().keys() == network.state_dict().keys()
    assert all(torch.equal(tensor, given.state_dict()[key]) for key, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            models.resnet34().state_dict(),
            "the weights do not fit the network: 96 mismatches: layer1.2.conv1.weight is not expected, .* more",
        ),
        ({"fc.0.weight": torch.zeros(1)}, "121 mismatches: fc.0.weight is not expected, conv1.weight is miss"),
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
    with pytest.raises(ValueError, match=r"net.safetensors: not a file of tensors \(SafetensorError\): "):
        load(f"torchvision:resnet18:{tmp_path / 'net.safetensors'}", CPU)


def test_unknown_names_of_torchvision_list_close_ones():
    with pytest.raises(ValueError, match="unknown network of torchvision 'resnet5'; close to it are .*resnet50"):
        load("torchvision:resnet5", CPU)
    with pytest.raises(ValueError, match="unknown network of torchvision ''; known are alexnet, "):
        load("torchvision:", CPU)
    message = "no such weights or file 'V9': known are scratch, imagenet, IMAGENET1K_V1, or give a path"
    with pytest.raises(FileNotFoundError, match=message):
        load("torchvision:resnet18:V9", CPU)


def test_weights_that_cannot_be_downloaded_name_the_mend(monkeypatch, cache):
    def unreachable(*args):
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    message = r"https://.*resnet18-.*pth cannot be downloaded \(no route\): connect to the network, or put the file"
    with pytest.raises(FileNotFoundError, match=message):
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
    with pytest.raises(FileNotFoundError, match="no.pth: no such file: put what torch.save"):
        load("timm:resnet18:no.pth", CPU)
    torch.save(timm.create_model("resnet34").state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="the weights do not fit the network"):
        load(f"timm:resnet18:{tmp_path / 'net.pth'}", CPU)

    def unreachable(*args, **options):
        raise OSError("no\nroute")

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(ValueError, match=r"connect to the network, or give a file of weights \(OSError: no r"):
        load("timm:resnet18:pretrained", CPU)
