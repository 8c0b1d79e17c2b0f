"""The published file of BN-Inception's weights: read strictly, downloaded once."""

import hashlib
import pickle
from collections import OrderedDict

import pytest
import torch
from bn_inception_reference import images
from bomb import Bomb

from bgbias.models import bn_inception
from bgbias.models.bn_inception import BNInception, load_weights


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
def file(published, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(published, path, _use_new_zipfile_serialization=False)  # the format of the time
    return path


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
        (
            lambda w: without(w, "conv2_3x3.bias"),
            "not the weights of BN-Inception: 1 mismatch: conv2_3x3.bias is missing: replace",
        ),
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
