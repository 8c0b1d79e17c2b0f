"""What is said of a precision that is slower, or not there; and TF32 is allowed in steps and maps alone."""

import dataclasses

import pytest
import torch
from training_parts import SETTINGS

from bgbias.attention.maps import Attention
from bgbias.models import precision, trained
from bgbias.training import loop


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    monkeypatch.setattr(precision, "said", set())


def timed(monkeypatch, fp32, bf16):
    asked = []
    seconds = {"fp32": fp32, "bf16": bf16}
    monkeypatch.setattr(precision, "_there_and_back", lambda net, images, of: asked.append(of) or seconds[of])
    return asked


def test_a_slower_bf16_is_named_once(monkeypatch, capsys):
    timed(monkeypatch, 0.2, 0.5)
    for _ in range(2):
        precision.remark(trained.new("small_resnet", 8, 16, "cosine"), "bf16", "training", "its precision")
    said = "bf16 has 0.40 times the speed of fp32 in training here: set its precision to fp32\n"
    assert capsys.readouterr().out == said


def test_of_a_faster_one_and_of_fp32_nothing_is_said(monkeypatch, capsys):
    asked = timed(monkeypatch, 0.5, 0.2)
    embedder = trained.new("small_resnet", 8, 16, "cosine")
    precision.remark(embedder, "fp32", "training", "its precision")
    assert asked == []
    precision.remark(embedder, "bf16", "training", "its precision")
    assert asked[-2:] == ["fp32", "bf16"] and capsys.readouterr().out == ""


def test_the_trial_leaves_the_network_and_all_random_numbers_as_they_were():
    embedder = trained.new("small_resnet", 8, 16, "cosine").train()
    before = {name: tensor.clone() for name, tensor in embedder.state_dict().items()}
    state = torch.get_rng_state()
    precision.remark(embedder, "bf16", "training", "its precision")
    assert all(torch.equal(tensor, before[name]) for name, tensor in embedder.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state) and embedder.training
    assert all(parameter.grad is None for parameter in embedder.parameters())


def test_training_and_attention_ask(monkeypatch, parts, tmp_path, capsys):
    timed(monkeypatch, 0.1, 0.2)
    embedder, criterion, crops, weights_lr, validate = parts(precision="bf16", max_epochs=1, batches_per_epoch=1)
    loop.fit(embedder, criterion, crops, weights_lr, validate, tmp_path / "checkpoint")
    assert "the speed of fp32 in training here: set train.DATASET.precision" in capsys.readouterr().out
    Attention(embedder.eval(), dataclasses.replace(SETTINGS.attention, precision="bf16"), 0)
    assert "the speed of fp32 in attention maps here: set attention.precision" in capsys.readouterr().out


def test_tf32_is_allowed_from_the_first_layer_back_to_it_and_not_in_validation(monkeypatch, parts, tmp_path, capsys):
    cudnn, seen = torch.backends.cudnn, {"forward": [], "backward": []}
    monkeypatch.setattr(cudnn, "allow_tf32", False)
    embedder, criterion, crops, weights_lr, validate = parts(precision="tf32", max_epochs=1, batches_per_epoch=2)
    first = next(module for module in embedder.modules() if isinstance(module, torch.nn.Conv2d))
    first.register_forward_hook(lambda *_: seen["forward"].append(cudnn.allow_tf32))
    first.weight.register_hook(lambda _: seen["backward"].append(cudnn.allow_tf32))
    loop.fit(embedder, criterion, crops, weights_lr, validate, tmp_path / "checkpoint")
    assert seen["backward"] == [True] * 2 and seen["forward"][:2] == [True] * 2 and set(seen["forward"][2:]) == {False}
    assert "train.DATASET.precision is tf32, which NVIDIA GPUs alone have: here it is fp32\n" in capsys.readouterr().out

    attention = Attention(embedder.eval(), dataclasses.replace(SETTINGS.attention, precision="tf32", copies=2), 0)
    seen["forward"].clear()  # its copy of the embedder has the hook, too
    attention.maps(torch.zeros(1, 3, 16, 16, dtype=torch.uint8), [7])
    assert seen["forward"] and all(seen["forward"]) and not cudnn.allow_tf32
