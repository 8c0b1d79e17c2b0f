"""The published EfficientNet-Lite: its names, and what it says of photos, where file, photos and timm are there."""

from pathlib import Path

import pytest
import torch

from bgbias.models import efficientnet_lite, pretrained, zoo
from bgbias.models.cards import card
from bgbias.models.embedder import Embedder
from bgbias.photos import decode, pack

WEIGHTS, PHOTOS = Path("data/sources/weights"), Path("data/sources/grocery/test/Fruit")
FILES = {
    "lite0": "efficientnet-lite0-57934424",
    "lite1": "efficientnet-lite1-77cc7160",
    "lite2": "efficientnet-lite2-9656183e",
}
CLASSES = {"Apple/Granny-Smith": 948, "Banana": 954, "Lemon": 951}  # of ImageNet
PIECES = {"conv_stem": "_conv_stem", "conv_head": "_conv_head", "classifier": "_fc"}


def original(name: str, stages: list[int]) -> str:
    """What efficientnet-lite-pytorch calls a tensor of timm's, by its place."""
    parts = name.split(".")
    if parts[0] != "blocks":
        return ".".join([{**PIECES, "bn1": "_bn0", "bn2": "_bn1"}[parts[0]], *parts[1:]])
    stage, number, layer, rest = int(parts[1]), int(parts[2]), parts[3], parts[4]
    order = ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"] if stage else ["conv_dw", "bn1", "conv_pw", "bn2"]
    theirs = ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"][-len(order) :]
    return f"_blocks.{sum(stages[:stage]) + number}.{theirs[order.index(layer)]}.{rest}"


@pytest.mark.parametrize("size", ["lite0", "lite1", "lite2"])
def test_weights_under_their_published_names_fill_timm_s_network_but_for_the_classifier(tmp_path, size):
    timm = pytest.importorskip("timm")
    given = timm.create_model(f"tf_efficientnet_{size}")
    stages = [len(stage) for stage in given.blocks]
    for tensor in given.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    state = {original(name, stages): tensor for name, tensor in given.state_dict().items()}
    assert "_blocks.0._depthwise_conv.weight" in state and "_blocks.15._bn2.running_var" in state
    torch.save(state, tmp_path / "net.pth")
    network, expected = zoo.from_timm(f"tf_efficientnet_{size}", str(tmp_path / "net.pth"))
    given.reset_classifier(0)
    assert all(torch.equal(tensor, given.state_dict()[name]) for name, tensor in network.state_dict().items())
    assert expected[1:] == ((0.5,) * 3, (0.5,) * 3, "RGB")


def test_weights_of_another_size_are_refused(tmp_path):
    timm = pytest.importorskip("timm")
    given = timm.create_model("tf_efficientnet_lite1")
    stages = [len(stage) for stage in given.blocks]
    torch.save({original(name, stages): t for name, t in given.state_dict().items()}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"do not fit the network: \d\d+ mismatches: .*_blocks.\d+.* and \d+ more"):
        zoo.from_timm("tf_efficientnet_lite0", str(tmp_path / "net.pth"))


@pytest.mark.slow
@pytest.mark.parametrize("size", FILES)
def test_the_published_classifier_names_fruit(size):
    timm = pytest.importorskip("timm")
    path = WEIGHTS / f"{FILES[size]}.pth"
    if not (path.is_file() and PHOTOS.is_dir()):
        pytest.skip(f"needs {path} and grocery photos in {PHOTOS}")
    network = timm.create_model(f"tf_efficientnet_{size}").eval()
    network.load_state_dict(efficientnet_lite.renamed(pretrained.read(path, ""), [len(s) for s in network.blocks]))
    _, expected = zoo.from_timm(f"tf_efficientnet_{size}", str(path))
    embedder = Embedder(network, card(size, expected), size)
    for folder, number in CLASSES.items():
        photos = sorted((PHOTOS / folder).rglob("*.jpg"))[:12]
        pictures = [decode.read_photo(path).resize((expected.input_px, expected.input_px)) for path in photos]
        batch = torch.stack([torch.tensor(pack.shrink(picture, expected.input_px)) for picture in pictures])
        with torch.no_grad():
            named = network(embedder.normalise(batch.permute(0, 3, 1, 2))).argmax(1)
        assert named.mode().values == number, folder  # some are a grocery store to it, which is true, too
