"""A model whose answer is no function of the photo is refused."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from bgbias.external import spec
from bgbias.external.steady import refuse_alike, refuse_unsteady
from bgbias.metrics import retrieval
from bgbias.models.embedder import embed

PICTURES = torch.randint(0, 256, (10, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

NAMES = [f"{number}.png" for number in range(10)]


def exported(network, path):
    """A TorchScript file's embedder; a traced model keeps the mode that it was traced in."""
    torch.manual_seed(0)
    torch.jit.script(network).save(path)
    return spec.load(f"torchscript:{path}?input_px=16")


class InTraining(nn.Module):
    """What a model does that was exported in training mode, whatever mode it is put into."""

    def __init__(self, kind: str, offset: float):
        super().__init__()
        self.kind, self.offset = kind, offset

    def forward(self, images):
        features = images.flatten(1)[:, :64]
        if self.kind == "dropout":
            features = nn.functional.dropout(features, 0.1, True)
        if self.kind == "batch statistics" and len(features) > 1:
            features = (features - features.mean(0)) / (features.std(0) + 1e-3)
        if self.kind == "rounding":
            features = features + 1e-5 * len(features) * torch.arange(64) / 64
        return features + self.offset


@pytest.mark.parametrize("offset", [0.0, 100.0])  # of the latter all embeddings are nearly alike
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("dropout", "other embeddings at each call, as dropout does .*: it was exported in training mode; call .eval"),
        ("batch statistics", "another embedding beside other photos, as batch statistics do .cosine .*: it was export"),
    ],
)
def test_a_model_in_training_mode_is_refused(kind, message, offset, tmp_path):
    with pytest.raises(ValueError, match=message):
        refuse_unsteady(exported(InTraining(kind, offset), tmp_path / "net.pt"), PICTURES, NAMES)


@pytest.mark.parametrize("name", ["small_resnet?input_px=16", "torchvision:mobilenet_v3_small?input_px=32"])
def test_a_model_that_is_a_function_of_the_photo_passes(name):
    embedder = spec.load(name)
    pictures = PICTURES.repeat(1, 1, embedder.input_px // 16, embedder.input_px // 16)
    refuse_unsteady(embedder, pictures, NAMES)


@pytest.mark.parametrize("offset", [0.0, 100.0, 1e5])
def test_a_steady_file_passes_however_alike_its_embeddings_are(offset, tmp_path):
    refuse_unsteady(exported(InTraining("nothing", offset), tmp_path / "net.pt"), PICTURES, NAMES)


def test_photos_that_are_all_alike_leave_room_for_rounding(tmp_path):
    alike = PICTURES[:1].repeat(10, 1, 1, 1)
    refuse_unsteady(exported(InTraining("rounding", 0.0), tmp_path / "net.pt"), alike, NAMES)


class Offset(nn.Module):
    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, images):
        features = nn.functional.normalize(images.flatten(1)[:, :64])
        return torch.cat([torch.ones_like(features[:, :1]), self.share * features], 1)


def test_a_model_whose_embeddings_rounding_tells_apart_is_refused(tmp_path):
    """Exactly, the nearest photo is the same whatever the share; in float32 it is not."""
    pictures = torch.randint(0, 256, (64, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    names, nearest = [f"{number}.png" for number in range(64)], {}
    said = pytest.raises(
        ValueError, match=r"nearly the same embedding .1 - cosine is \d\.\de-0[57] on average.*take away"
    )
    for share, context in ((1.0, nullcontext()), (0.006, nullcontext()), (0.004, said), (0.001, said)):
        embedder = exported(Offset(share), tmp_path / "net.pt")
        found = embed(embedder, [pictures], names)
        nearest[share] = retrieval.neighbours(found, found, 1)
        with context:
            refuse_alike(embedder, pictures, names)
    assert (nearest[0.006] == nearest[1.0]).float().mean() > 0.9
    assert (nearest[0.001] == nearest[1.0]).float().mean() < 0.5
    refuse_alike(exported(Offset(0.0), tmp_path / "net.pt"), pictures, names)  # nothing is found: that is no error
