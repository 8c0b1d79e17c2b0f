"""BN-Inception against the network it is meant to be, its published weights' file, frozen batch norm."""

import hashlib
import pickle
from collections import OrderedDict
from pathlib import Path

import pretrainedmodels
import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn
from torch.nn.functional import avg_pool2d

from bgbias.models import batch_norm, bn_inception
from bgbias.models.bn_inception import BNInception, load_weights


@pytest.fixture(scope="module")
def reference():
    """The network of pretrainedmodels with random weights and statistics that keep the signal alive to its end."""
    torch.manual_seed(0)
    network = pretrainedmodels.bninception(num_classes=1000, pretrained=None).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 1.5)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.2)
    network.last_linear = nn.Identity()
    return network


@pytest.fixture(scope="module")
def published(reference):
    """What the published file holds: older than counters in batch norm, whose tensors are of shape (1, C)."""
    weights = OrderedDict()
    for name, tensor in reference.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            weights[name] = tensor[None].clone() if "_bn." in name else tensor.clone()
    weights["last_linear.weight"], weights["last_linear.bias"] = torch.zeros(1000, 1024), torch.zeros(1000)
    return weights


@pytest.fixture
def network(reference):
    network = BNInception().eval()
    network.load_state_dict(reference.state_dict())
    return network


@pytest.fixture
def file(published, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(published, path, _use_new_zipfile_serialization=False)  # the format of the time
    return path


def images(px, number=2):
    """Random pictures less Caffe's means."""
    pixels = torch.randint(0, 256, (number, 3, px, px), generator=torch.Generator().manual_seed(px))
    return pixels - torch.tensor([104.0, 117.0, 128.0]).view(3, 1, 1)


def test_weights_have_the_published_names_and_shapes_in_the_same_order(reference):
    expected = [(name, tensor.shape) for name, tensor in reference.state_dict().items()]
    assert [(name, tensor.shape) for name, tensor in BNInception().state_dict().items()] == expected


@pytest.mark.parametrize(("px", "side"), [(64, 2), (224, 7), (227, 7), (256, 8)])
def test_the_last_map_is_the_reference_s_to_the_bit(network, reference, px, side):
    seen = []
    network.features.register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        network(images(px))
        expected = reference.features(images(px))
    assert seen[0].shape == (2, 1024, side, side) and torch.equal(seen[0], expected)
    assert expected.std() > 0.1 and (expected[0] - expected[1]).std() > 0.01  # neither dead nor blind


@torch.no_grad()
def test_features_at_the_study_s_227_pixels_are_the_reference_s_to_the_bit(network, reference):
    assert torch.equal(network(images(227)), reference(images(227)))


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(256, 256), (256, 227), (64, 128)])
def test_features_at_other_sizes_are_the_mean_of_the_reference_s_last_map(network, reference, height, width):
    batch = images(256)[..., :height, :width]
    expected = reference.features(batch)
    assert torch.equal(network(batch), avg_pool2d(expected, expected.shape[2:]).flatten(1))
    assert torch.allclose(network(batch), expected.mean((2, 3)), atol=1e-5)


@torch.no_grad()
def test_channels_last_changes_nothing_but_rounding(network):
    expected = network(images(227))
    network.to(memory_format=torch.channels_last)
    features = network(images(227).contiguous(memory_format=torch.channels_last))
    assert torch.allclose(features, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(64, 5), (64, 30), (62, 64), (64, 71), (232, 227)])
def test_a_size_that_cannot_be_halved_evenly_is_refused(network, reference, height, width):
    batch = torch.zeros(1, 3, height, width)
    with pytest.raises(
        ValueError, match=f"cannot halve images of {height} x {width} pixels evenly: each side must have"
    ):
        network(batch)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match|Output size is too small"):
        reference.features(batch)


def test_every_weight_gets_a_gradient_and_so_does_the_picture(network):
    batch = images(64).requires_grad_()
    network(batch).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())
    assert batch.grad.any()


def test_grad_cam_finds_the_last_map(network):
    heat = LayerGradCam(lambda batch: network(batch).square().sum(1), network.features).attribute(images(64))
    assert heat.shape == (2, 1, 2, 2) and heat.abs().sum() > 0


def test_frozen_batch_norm_keeps_its_statistics_while_its_weights_train(network):
    for _ in range(2):
        network.train()
        batch_norm.freeze(network)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(images(64)).mean().backward()
    optimizer.step()
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    for name, tensor in network.state_dict().items():
        if name.endswith(statistics) or "_bn." in name:
            assert torch.equal(tensor, before[name]) == name.endswith(statistics), name
    assert network.training and network.features.training


def test_without_freezing_the_statistics_move(network):
    before = network.conv1_7x7_s2_bn.running_mean.clone()
    network.train()(images(64))
    assert not torch.equal(network.conv1_7x7_s2_bn.running_mean, before)


@torch.no_grad()
def test_published_weights_give_the_reference_s_features(file, reference):
    network = BNInception().eval()
    load_weights(network, file)
    assert torch.equal(network(images(227)), reference(images(227)))
    assert all(torch.equal(tensor, reference.state_dict()[name]) for name, tensor in network.state_dict().items())


def test_weights_saved_by_today_s_pytorch_load_too(reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "weights.pth")
    network = BNInception()
    load_weights(network, tmp_path / "weights.pth")
    assert torch.equal(network.conv1_7x7_s2_bn.running_var, reference.conv1_7x7_s2_bn.running_var)


def without(weights, *names):
    return {name: tensor for name, tensor in weights.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: without(w, "conv2_3x3.bias"), "not the weights of BN-Inception: conv2_3x3.bias is missing: replace"),
        (lambda w: {**w, "fc.bias": torch.zeros(1)}, "fc.bias is not expected: replace it by http://data"),
        (
            lambda w: {**w, "conv2_3x3.bias": torch.zeros(1, 192)},
            r"conv2_3x3.bias has shape \(1, 192\) instead of \(192,\): replace",
        ),
        (
            lambda w: {**w, "conv2_3x3_bn.bias": torch.zeros(2, 192)},
            r"conv2_3x3_bn.bias has shape \(2, 192\) instead of \(192,\): replace",
        ),
        (
            lambda w: {"fc.bias": torch.zeros(1)},
            "fc.bias is not expected, conv1_7x7_s2.weight is missing, conv1_7x7_s2.bias is missing and 412 more:",
        ),
        (lambda w: {"state_dict": w}, r"not a file of tensors \(AttributeError\): replace it by http://data"),
        (lambda w: [1, 2], r"not a file of tensors \(AttributeError\)"),
    ],
)
def test_other_weights_are_refused_in_one_line_and_leave_the_network_alone(published, tmp_path, change, message):
    path = tmp_path / "weights.pth"
    torch.save(change(published), path)
    network = BNInception()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match=message) as caught:
        load_weights(network, path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class Bomb:
    """Makes a folder when a pickle of it is read carelessly."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.mkdir, (self.target,)


@pytest.mark.parametrize("save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, 2))])
def test_code_in_the_file_is_not_run(tmp_path, save):
    save({"conv1_7x7_s2.weight": Bomb(tmp_path / "owned")}, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=r"weights.pth: not a file of tensors \(UnpicklingError\)") as caught:
        load_weights(BNInception(), tmp_path / "weights.pth")
    assert not (tmp_path / "owned").exists() and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"<html>moved</html>", "half"])
def test_a_damaged_file_is_refused(file, content):
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(ValueError, match=r"weights.pth: not a file of tensors \(\w+\): replace it by http://data"):
        load_weights(BNInception(), file)


def test_a_name_that_carries_the_published_checksum_is_held_to_it(file):
    named = file.rename(file.with_name("bn_inception-52deb4733.pth"))
    with pytest.raises(ValueError, match=r"SHA-256 begins with \w{9}, expected 52deb4733: replace it by http://data"):
        load_weights(BNInception(), named)


def test_a_missing_file_names_the_mend(tmp_path):
    with pytest.raises(FileNotFoundError, match="no.pth: no such file: put http://data.* there, or correct the path"):
        load_weights(BNInception(), tmp_path / "no.pth")


@pytest.fixture
def served(file, tmp_path, monkeypatch):
    """A file of weights to be had by URL, its name with its checksum, and an empty cache."""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()[:9]
    served = file.rename(tmp_path / f"bn_inception-{sha256}.pth")
    monkeypatch.setattr(bn_inception, "URL", served.as_uri())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    return served


def test_without_a_path_the_file_is_downloaded_once(served, reference):
    network = BNInception()
    load_weights(network)
    served.unlink()
    load_weights(network)
    assert torch.equal(network.conv1_7x7_s2.weight, reference.conv1_7x7_s2.weight)


def test_a_download_of_other_bytes_leaves_nothing(served, tmp_path):
    served.write_bytes(b"other")
    with pytest.raises(ValueError, match=r"no longer gives the published file \(invalid hash value .*: connect"):
        load_weights(BNInception())
    assert not list((tmp_path / "cache/checkpoints").iterdir())


def test_a_damaged_file_in_the_cache_is_refused(served, tmp_path):
    (tmp_path / "cache/checkpoints").mkdir(parents=True)
    (tmp_path / "cache/checkpoints" / served.name).write_bytes(b"half")
    with pytest.raises(ValueError, match=f"{served.name}: SHA-256 begins with .* replace it by file://"):
        load_weights(BNInception())


def test_an_unreachable_host_names_the_mend_and_leaves_nothing(served, tmp_path, monkeypatch):
    monkeypatch.setattr(bn_inception, "URL", "http://localhost:9/bn_inception-52deb4733.pth")  # nobody listens there
    with pytest.raises(FileNotFoundError, match=r"cannot be downloaded \(.*give its path for weights") as caught:
        load_weights(BNInception())
    assert "\n" not in str(caught.value) and not list((tmp_path / "cache/checkpoints").iterdir())
