"""Models that need one normalisation: an audit names it where it assumed another, and is silent where it did not."""

import html
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from audited_shop import run
from torch import nn

from bgbias.audit.measures import normalisation
from bgbias.audit.verdict.model_remarks import looked_at, model_remarks
from bgbias.errors import InputError
from bgbias.external.spec import load

CPU = torch.device("cpu")
CLASSES, EACH, PX = 20, 5, 8
LABELS = np.repeat(np.arange(CLASSES), EACH)


class Tells(nn.Module):
    """Knows the brightness of a picture between two ends, in as many steps as there are classes."""

    def __init__(self, low, high):
        super().__init__()
        self.ends = nn.Parameter(torch.tensor([low, high], dtype=torch.float32))

    def forward(self, images):
        place = (images.mean((1, 2, 3))[:, None] - self.ends[0]) / (self.ends[1] - self.ends[0])
        step = (place.clamp(0, 1) * (CLASSES - 1)).round()
        return (step == torch.arange(CLASSES)).float() + 0.01


TAKES = {"": (-1.99, 2.44), "mean=0.5&sd=0.5": (-1, 1), "mean=0&sd=1": (0, 1), "mean=0&sd=0.00392157": (0, 255)}


@pytest.fixture
def model(tmp_path):
    """Writes a model that takes one of the usual normalisations."""

    def write(option):
        path = tmp_path / "net.pt"
        torch.jit.trace(Tells(*TAKES[option]), torch.zeros(1, 3, PX, PX)).save(path)
        return f"torchscript:{path}?input_px={PX}"

    return write


def tried(spec, classes=CLASSES):
    """Of photos whose classes differ by their brightness, a little noise aside."""
    rng = np.random.default_rng(0)
    levels = np.linspace(0, 255, CLASSES)[LABELS] + rng.uniform(-4, 4, len(LABELS))
    pictures = torch.from_numpy(levels.clip(0, 255).round().astype(np.uint8)).view(-1, 1, 1, 1)
    kept = classes * EACH
    pictures = pictures.expand(-1, 3, PX, PX)[:kept].contiguous()
    embedder = load(spec, CPU)
    found = normalisation.tried(embedder, pictures, LABELS[:kept], list(map(str, range(kept))), 42)
    return found, model_remarks(embedder, pictures, found)


@pytest.mark.parametrize("option", list(TAKES)[1:])
def test_the_normalisation_that_a_model_was_made_for_is_named_with_its_spec(model, option):
    spec = model(option)
    found, (said,) = tried(spec)
    assert found["assumed"] and found["better"] == option
    assert found["mean"] == [0.485, 0.456, 0.406] and found["sd"] == [0.229, 0.224, 0.225]
    assert found["usual"][option]["map_at_r"] == pytest.approx(1) and found["map_at_r"] < 0.9
    for one in found["usual"].values():
        assert one["gain"]["value"] == pytest.approx(one["map_at_r"] - found["map_at_r"], abs=1e-6)
    assert said.startswith(
        "The model's file does not tell how pictures are normalised: ImageNet's mean=0.485,0.456,0.406&sd=0.229,0.224,"
        "0.225, red first, was assumed, perhaps wrongly. On 100 photos of 20 classes MAP@R is "
    )
    assert f"100.0 % with {option}" in said and f" MAP@R is {100 * found['map_at_r']:.1f} % with that, " in said
    assert all(f"{100 * one['map_at_r']:.1f} % with {way}" in said for way, one in found["usual"].items())
    assert f"; {option} gains {100 * found['usual'][option]['gain']['value']:.1f} points (95 % interval " in said
    assert said.endswith(f"If it was trained so, audit '{spec}&{option}'.")
    right, nothing = tried(f"{spec}&{option}")
    assert right["assumed"] is False and "usual" not in right and nothing == []


def test_where_imagenet_s_is_right_no_other_is_named(model):
    found, (said,) = tried(model(""))
    assert found["better"] is None and set(found["usual"]) == set(TAKES) - {""}
    assert said.endswith(
        "; none is shown to be better. If it was trained otherwise, these figures are not its own: add "
        "&mean=...&sd=..., and channels=BGR where blue comes first."
    )
    assert "was assumed. On 100 photos of 20 classes MAP@R is 100.0 % with that, " in said


def test_what_a_model_cannot_take_is_left_out(model, monkeypatch):
    real = normalisation._scores

    def scores(embedder, *rest):
        if embedder.card.sd[0] < 2:  # levels of 0 to 255
            raise InputError("not finite")
        return real(embedder, *rest)

    monkeypatch.setattr(normalisation, "_scores", scores)
    assert set(tried(model(""))[0]["usual"]) == set(TAKES) - {"", "mean=0&sd=0.00392157"}


def test_the_order_of_the_channels_is_told(model):
    given = f"{model('')}&mean=0&sd=1"
    assert [tried(spec)[0]["channels"] for spec in (given, f"{given}&channels=BGR")] == ["RGB", "BGR"]


def test_the_side_of_the_pictures_is_named_where_it_was_assumed(tmp_path):
    def said(spec):
        embedder = load(spec, CPU)
        pictures = torch.zeros(1, 3, embedder.input_px, embedder.input_px)
        return [one for one in model_remarks(embedder, pictures, {"assumed": False}) if " px " in one]

    network, path = Tells(0, 1), tmp_path / "net"
    torch.jit.trace(network, torch.zeros(1, 3, PX, PX)).save(path)
    assert said(f"torchscript:{path}?input_px={PX}") == []
    assert said(f"torchscript:{path}?mean=0&sd=1") == [
        "The model's file does not tell the side of its pictures: 224 px were assumed. If it was trained with others, "
        "these figures are not its own: add &input_px=..."
    ]
    for axes, count in ({"images": {0: "n"}}, 0), ({"images": {0: "n", 2: "s", 3: "s"}}, 1):
        given = {"dynamo": False, "input_names": ["images"], "output_names": ["out"]}
        torch.onnx.export(network, torch.zeros(2, 3, PX, PX), path, dynamic_axes=axes | {"out": {0: "n"}}, **given)
        assert len(said(f"onnx:{path}")) == count


def test_the_ways_of_a_collection_are_named_where_a_file_of_weights_leaves_them_open(tmp_path):
    def said(options):
        embedder = load(f"torchvision:resnet18:{path}{options}", CPU)
        pictures = torch.zeros(1, 3, embedder.input_px, embedder.input_px, dtype=torch.uint8)
        return model_remarks(embedder, pictures, {"assumed": False})

    path = tmp_path / "tuned.pth"
    torch.save(load("torchvision:resnet18", CPU).network.state_dict(), path)
    levels = "mean=0.485,0.456,0.406&sd=0.229,0.224,0.225"
    (both,) = said("")
    assert f"for it: {levels} and input_px=224, the ways of torchvision's own weights, were assumed" in both
    assert both.endswith(f"are not its own: add ?{levels}&input_px=224 with the right numbers.")
    assert said("?input_px=32")[0].endswith(f"are not its own: add &{levels} with the right numbers.")
    assert said(f"?{levels}")[0].endswith("are not its own: add &input_px=224 with the right numbers.")
    assert said("?mean=0.5&sd=0.5&input_px=32") == []


def test_a_small_gain_is_no_alarm(model, monkeypatch):
    found, _ = tried(model("mean=0&sd=1"))
    assert found["better"] == "mean=0&sd=1"
    monkeypatch.setattr(normalisation, "BETTER", found["usual"]["mean=0&sd=1"]["gain"]["value"])
    assert tried(model("mean=0&sd=1"))[0]["better"] is None


@pytest.mark.parametrize(
    ("spec", "assumed"),
    [
        ("small_resnet", False),
        ("torchvision:resnet18", False),
        ("python:net:make", False),
        ("onnx:net.onnx", True),
        ("onnx:net.onnx?input_px=64&output=sd", True),
        ("torchscript:a?channels=RGB", True),
        ("onnx:net.onnx?mean=0.5&sd=0.5", False),
    ],
)
def test_it_is_assumed_where_neither_model_nor_spec_tells(spec, assumed):
    assert normalisation._assumed(spec) == assumed


@pytest.mark.parametrize(
    ("spec", "untrained"),
    [
        ("small_resnet", True),
        ("timm:resnet18?input_px=64", True),
        ("torchvision:resnet18:scratch", True),
        ("torchvision:resnet18:imagenet", False),
        ("timm:resnet18:net.pth", False),
        ("bn_inception:imagenet", False),
        ("model:models/demo/base/42", False),
        ("baseline:hog", False),
    ],
)
def test_a_network_whose_spec_names_no_weights_is_said_to_be_untrained(spec, untrained):
    said = f"{spec.partition('?')[0]} names no weights, so they are random: these figures are those of an untrained"
    found = model_remarks(SimpleNamespace(name=spec, network=None, files=()), torch.zeros(1), {"assumed": False})
    assert [sentence[: len(said)] for sentence in found] == [said] * untrained


def test_of_one_class_nothing_is_tried(model):
    found, (said,) = tried(model("mean=0&sd=1"), classes=1)
    assert (found["usual"], found["better"]) == ({}, None)
    assert "MAP@R" not in said and "none is shown" not in said
    assert said.endswith("add &mean=...&sd=..., and channels=BGR where blue comes first.")


def test_a_few_photos_of_each_class_are_tried():
    many = np.repeat(np.arange(300), 12)
    rows = normalisation.sample(many, 42)
    assert len(rows) == 100 and set(np.unique(many[rows], return_counts=True)[1]) == {5}
    assert not np.array_equal(np.unique(many[rows]), np.arange(20)) and len(np.unique(rows % 12)) > 5  # at random
    few = np.array([0] * 200 + [1] * 3 + [2])
    assert sorted(few[normalisation.sample(few, 42)]) == [0] * 50 + [1] * 3
    assert sorted(normalisation.sample(np.arange(5), 42)) == list(range(5))  # to look at, for none has another to find


def test_the_photos_that_are_tried_keep_their_classes_and_names_and_go_through_the_fast_model(monkeypatch):
    asked, labels = [], np.repeat(np.arange(300), 12)
    monkeypatch.setattr(normalisation, "tried", lambda *given: asked.extend(given) or {"assumed": False})
    table = pd.DataFrame({"path": map(str, range(len(labels))), "class_id": labels})
    looked_at(SimpleNamespace(name="small_resnet", network=None), "fast", table, torch.tensor, 42)
    model, rows, of_rows, names, seed = asked
    assert (model, seed, rows.tolist()) == ("fast", 42, normalisation.sample(labels, 42).tolist())
    assert of_rows.tolist() == labels[rows].tolist() and names == [str(row.item()) for row in rows]


class Coarse(nn.Module):
    """Sees colours in steps of 16 grey levels: of other normalisations it sees hardly any."""

    def forward(self, images):
        seen = (images[:, :, 14:18, 14:18].mean((2, 3)) / 16).round()
        return torch.cat([seen, torch.ones_like(seen[:, :1])], 1)


def test_an_audit_says_it_first_in_its_verdict_on_its_page_and_in_its_figures(shop, in_the_shop, tmp_path, capsys):
    torch.jit.trace(Coarse(), torch.zeros(1, 3, 32, 32)).save("net.pt")
    found = run(shop, tmp_path, "torchscript:net.pt?input_px=32", quick=True)
    said = capsys.readouterr().out
    assert found["normalisation"]["better"] == "mean=0&sd=0.00392157"
    (sentence,) = [sentence for sentence in found["verdict"] if "was assumed, perhaps wrongly" in sentence]
    assert said.count(f"{sentence}\n") == 2 and said.index(sentence) < said.index("pictures of 32 px")
    page = html.unescape((tmp_path / "report.html").read_text()).replace("\u00a0", " ")
    assert "perhaps wrongly. On 48 photos of 8 classes" in page
    found = run(shop, tmp_path, "torchscript:net.pt?input_px=32&mean=0&sd=0.00392157", quick=True)
    assert found["normalisation"]["assumed"] is False and sentence not in found["verdict"]


@pytest.mark.parametrize(("value", "low", "shown"), [(0.05, 0.01, True), (0.05, -0.02, True), (0.05, -0.03, False)])
def test_an_uncertain_gain_is_no_alarm(value, low, shown):
    assert normalisation._is_shown({"value": value, "low": low}) == shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[0.5, 0.5], [0.0, 1.0]], "The 2 numbers that the model gives for a photo sum to 1, as probabilities of"),
        ([[1.5, -0.5], [0.5, 0.5]], "The embeddings that the model gives have lengths from 0.707 to 1.58, and"),
        ([[0.6, 0.4], [0.6, 0.8]], "The embeddings that the model gives have lengths from 0.721 to 1, and"),
        ([[1.0, 0.0], [0.0, -1.011]], "The embeddings that the model gives have lengths from 1 to 1.01, and"),
        ([[1.0, 0.0], [0.0, -1.009]], None),
        ([[-1.0] * 999] * 2, None),
        *(([[-1.0] * n] * 2, f"The {n} numbers that .* are as many as") for n in (1000, 1001, 21841, 21843)),
    ],
)
def test_what_the_numbers_of_a_model_seem_to_be_is_by_all_of_them(given, said):
    network = SimpleNamespace(name="python:a:b", network=lambda _: torch.tensor(given), normalise=lambda some: some)
    found = model_remarks(network, torch.zeros(2, 3, PX, PX), {"assumed": False})
    assert len(found) == (said is not None) and all(re.match(said, sentence) for sentence in found)
