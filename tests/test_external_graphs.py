"""ONNX files as TensorFlow writes them, and their inner tensors."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bgbias.audit.verdict.model_remarks import model_remarks
from bgbias.external import graphs
from bgbias.external.spec import load

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
RNG = np.random.default_rng(0)
WEIGHTS = {
    "kernel": RNG.standard_normal((8, 3, 3, 3)).astype(np.float32),
    "dense": RNG.standard_normal((8, 6)).astype(np.float32),
    "last": RNG.standard_normal((6, 4)).astype(np.float32),
}
TOLD = {"assumed": False}


def write(path, channels_last=False, shape=None, softmax=True, outside=False):
    """Write a convolution, global mean, dense layer with ReLU, and a classifier; its input in either layout."""
    shape = shape or (("n", 16, 16, 3) if channels_last else ("n", 3, 16, 16))
    turned = [helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2])]
    nodes = [
        *(turned if channels_last else [helper.make_node("Identity", ["x"], ["first"])]),
        helper.make_node("Conv", ["first", "kernel"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["pooled"]),
        helper.make_node("MatMul", ["pooled", "dense"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["features"]),
        helper.make_node("MatMul", ["features", "last"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["classes"]),
    ]
    if channels_last:
        nodes.append(helper.make_node("Transpose", ["mean"], ["mean_last"], perm=[0, 2, 3, 1]))
    made = helper.make_tensor_value_info("classes" if softmax else "logits", TensorProto.FLOAT, None)
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    weights = [numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "net", [given], [made], weights),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    onnx.save(model, path, save_as_external_data=outside, location="weights.bin", size_threshold=0)
    return f"onnx:{path}"


def raw(spec):
    embedder = load(spec, CPU)
    return embedder.network(embedder.normalise(PICTURES).contiguous())


@pytest.mark.parametrize("shape", [("n", 16, 16, 3), ("n", "h", "w", 3), (2, 16, 16, 3)])
def test_channels_last_are_told_by_the_shape_and_give_the_same(tmp_path, shape):
    first, last = write(tmp_path / "first.onnx"), write(tmp_path / "last.onnx", True, shape)
    last += "?input_px=16"
    assert torch.allclose(raw(last), raw(first), atol=1e-6)
    said = "By the shape of its input the model takes pictures with the channels last, (N, H, W, 3): it gets them so."
    assert model_remarks(load(last, CPU), PICTURES, TOLD)[0] == said
    assert said not in model_remarks(load(first, CPU), PICTURES, TOLD)


def test_features_with_channels_last_are_taken_as_those_with_channels_first(tmp_path):
    spec = write(tmp_path / "net.onnx", True)
    assert torch.equal(raw(f"{spec}?output=mean_last"), raw(f"{spec}?output=mean").flatten(1))


def test_what_is_3_in_both_places_has_its_channels_first(tmp_path):
    assert not load(write(tmp_path / "net.onnx", shape=("n", 3, 3, 3)), CPU).network.channels_last


@pytest.mark.parametrize("outside", [False, True])
def test_an_inner_tensor_is_taken_for_the_output(tmp_path, outside):
    spec = write(tmp_path / "net.onnx", outside=outside)
    assert (tmp_path / "weights.bin").is_file() == outside
    features = raw(f"{spec}?output=features")
    assert torch.allclose(features, (raw(f"{spec}?output=pooled") @ torch.from_numpy(WEIGHTS["dense"])).relu())
    assert torch.allclose((features @ torch.from_numpy(WEIGHTS["last"])).softmax(1), raw(spec), atol=1e-6)
    with pytest.raises(ValueError, match=r"unknown output 'feature'; close to it is features$"):
        load(f"{spec}?output=feature", CPU)
    with pytest.raises(ValueError, match=r"unknown output '\?'; known are classes, logits, features, hidden, pooled"):
        load(f"{spec}?output=?", CPU)
    with pytest.raises(ValueError, match=r"gives \(2, 8, 14, 14\), expected \(N, D\)"):
        load(f"{spec}?output=map", CPU)


def test_weights_beside_a_file_are_files_of_the_model_too(tmp_path):
    file, beside = tmp_path / "net.onnx", tmp_path / "weights.bin"
    assert load(write(file), CPU).files == [file]
    assert load(write(file, outside=True), CPU).files == [file, beside]


def test_a_softmax_is_said_with_what_the_last_layers_get(tmp_path):
    spec = write(tmp_path / "net.onnx")
    said = (
        f"The 4 numbers that the model gives for a photo sum to 1, as probabilities of classes do: for its features, "
        f"audit '{spec}?output=features' or '{spec}?output=pooled'."
    )
    assert model_remarks(load(spec, CPU), PICTURES, TOLD) == [said]
    chosen = f"{spec}?output=classes&mean=0.5&sd=1"
    assert f"audit '{spec}?mean=0.5&sd=1&output=features' or" in model_remarks(load(chosen, CPU), PICTURES, TOLD)[0]
    for inner in ("features", "logits"):
        (said,) = model_remarks(load(f"{spec}?output={inner}", CPU), PICTURES, TOLD)
        assert said.startswith("The embeddings that the model gives have lengths from ")


def test_as_many_numbers_as_imagenet_has_classes_are_said(tmp_path, monkeypatch):
    monkeypatch.setitem(WEIGHTS, "last", RNG.standard_normal((6, 1000)).astype(np.float32))
    spec = write(tmp_path / "net.onnx", softmax=False)
    (said,) = model_remarks(load(spec, CPU), PICTURES, TOLD)
    assert said.startswith("The 1000 numbers that the model gives for a photo are as many as ImageNet has classes: ")
    assert said.endswith(f"audit '{spec}?output=features' or '{spec}?output=pooled'.")


def test_before_a_map_nothing_is_a_feature(tmp_path):
    write(tmp_path / "net.onnx")
    assert graphs.before_last_layers(tmp_path / "net.onnx", "classes") == ["features", "pooled"]
    assert graphs.before_last_layers(tmp_path / "net.onnx", "pooled") == []


def test_probabilities_of_a_model_without_a_graph_are_said_too(tmp_path):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 5), torch.nn.Softmax(1))
    torch.jit.trace(network, torch.zeros(1, 3, 16, 16)).save(tmp_path / "net.pt")
    (said,) = model_remarks(load(f"torchscript:{tmp_path / 'net.pt'}?input_px=16", CPU), PICTURES, TOLD)
    assert said.endswith("sum to 1, as probabilities of classes do: for its features, give it without its last layer.")


class Packed(torch.nn.Module):
    """Gives the signs of pixels, eight in a number, or apart."""

    def __init__(self, apart):
        super().__init__()
        self.apart = apart

    def forward(self, images):
        bits = images.flatten(1)[:, :64] > 0
        powers = 2 ** torch.arange(8)
        return 2 * bits.float() - 1 if self.apart else (bits.view(-1, 8, 8) * powers).sum(2).byte()


@pytest.mark.parametrize("apart", [True, False])
def test_whole_numbers_are_said_for_packed_bits_have_no_cosine(tmp_path, apart):
    torch.jit.script(Packed(apart)).save(tmp_path / "net.pt")
    said = [
        "The model gives whole numbers (uint8), compared by their cosine as they are: packed bits, or codes with an "
        "offset, are to be unpacked inside the model."
    ]
    spec = f"torchscript:{tmp_path / 'net.pt'}?input_px=16"
    assert model_remarks(load(spec, CPU), PICTURES, TOLD) == ([] if apart else said)


class OfLengths(torch.nn.Module):
    """Gives embeddings whose lengths are their photos' first levels."""

    def __init__(self, alike: bool):
        super().__init__()
        self.alike = alike

    def forward(self, images):
        features = torch.nn.functional.normalize(images.flatten(1)[:, 1:65])
        return features if self.alike else features * images[:, 0, 0, 0].unsqueeze(1)


def test_embeddings_of_unlike_lengths_are_said_to_be_compared_by_their_cosine(tmp_path):
    """A search by anything else finds other photos: its figures are others, and nothing here would tell."""
    pictures = PICTURES.clone()
    pictures[:, 0, 0, 0] = torch.linspace(20, 200, len(pictures)).byte()
    expected = [
        "The embeddings that the model gives have lengths from 20 to 200, and are compared by their cosine. A search "
        "by their inner product or Euclidean distance finds other photos: these figures are its own only if it divides "
        "embeddings by their length, too."
    ]
    for alike in (True, False):
        torch.jit.script(OfLengths(alike)).save(tmp_path / "net.pt")
        spec = f"torchscript:{tmp_path / 'net.pt'}?input_px=16&mean=0&sd=0.00392157"
        assert model_remarks(load(spec, CPU), pictures, TOLD) == ([] if alike else expected)
