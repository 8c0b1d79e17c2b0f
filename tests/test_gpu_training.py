"""Training on a GPU: the steps of a CPU, and checkpoints that go on there and back."""

import pytest
import torch
from on_gpu import CUDA, MARKS, as_stages  # noqa: F401 (fixture)
from shared_work import LOSSES, REGIMES
from torch import nn
from training_parts import weights

from bgbias import ranks
from bgbias.models import trained
from bgbias.training import checkpoints, loop
from bgbias.training.batch_norm import share_batch_norm

pytestmark = [*MARKS, pytest.mark.usefixtures("as_stages")]
STEPS = {"batch_size": 8, "freeze_batch_norm": True, "noise_share": 0.0, "schedule": "constant", "lr": 1e-3}


@pytest.fixture
def fit(parts, tmp_path):
    """Train on a device; returns curve and embedder."""

    def run(where, checkpoint, **how):
        embedder, criterion, crops, weights_lr, validate = parts(**{**STEPS, **how})
        found = loop.fit(embedder.to(where), criterion.to(where), crops, weights_lr, validate, tmp_path / checkpoint)
        return found, embedder

    return run


@pytest.mark.parametrize(("loss", "regime"), list(zip(LOSSES, 2 * REGIMES, strict=False)))
def test_steps_are_those_of_a_cpu(fit, loss, regime, record_property):
    how = {"loss": loss, "regime": regime, "max_epochs": 1, "batches_per_epoch": 3}
    (one, on_cpu), (other, on_gpu) = (fit(where, f"{where}.pt", **how) for where in ("cpu", CUDA))
    record_property("losses", f"{one.loss[0]}, {other.loss[0]}")
    assert other.loss[0] == pytest.approx(one.loss[0], rel=2e-3, abs=1e-4)
    assert (weights(on_gpu).cpu() - weights(on_cpu)).abs().mean() < 1e-4  # three steps of 1e-3


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_workers_noise_and_trained_batch_norm_serve_a_gpu_too(fit, precision):
    how = {"workers": 2, "noise_share": 0.1, "freeze_batch_norm": False, "precision": precision}
    curve, embedder = fit(CUDA, "checkpoint.pt", regime="bgaugment", **how)
    assert len(curve) == 3 and curve.loss.notna().all() and next(embedder.parameters()).is_cuda


@pytest.mark.parametrize(("first", "then"), [("cuda", "cpu"), ("cpu", "cuda")])
def test_a_checkpoint_goes_on_on_the_other_device(fit, first, then, capsys):
    how = {"loss": "normalized_softmax", "patience": 9}  # which has weights of its own
    begun, _ = fit(torch.device(first), "checkpoint.pt", max_epochs=2, **how)
    whole, embedder = fit(torch.device(then), "checkpoint.pt", max_epochs=3, **how)
    alone, _ = fit(torch.device("cpu"), "alone.pt", max_epochs=3, **how)
    assert "resuming after epoch 2" in capsys.readouterr().out
    assert whole.loss[:2].tolist() == begun.loss.tolist() and next(embedder.parameters()).device.type == then
    assert whole.loss[2] == pytest.approx(alone.loss[2], rel=2e-2)


def test_a_resumed_optimizer_counts_its_steps_on_the_cpu_so_that_no_step_waits_for_the_gpu(tmp_path):
    def made():
        network = nn.Linear(3, 2).to(CUDA)
        optimizer = torch.optim.AdamW(network.parameters())
        network(torch.ones(1, 3, device=CUDA)).sum().backward()
        optimizer.step()
        return {"embedder": network, "optimizer": optimizer}

    before = made()
    best = {"epoch": 1, "weights": before["embedder"].state_dict()}
    checkpoints.save(tmp_path / "checkpoint.pt", before, [{"epoch": 1}], best)
    after = made()
    checkpoints.resume(tmp_path / "checkpoint.pt", after)
    states = after["optimizer"].state.values()
    assert all(state["step"].device.type == "cpu" and state["exp_avg"].is_cuda for state in states) and len(states) == 2
    assert torch.equal(after["embedder"].weight, before["embedder"].weight)


@pytest.mark.parametrize("network", ["small_resnet", "bn_inception", "timm:mobilenetv3_small_050"])
def test_batch_norm_is_of_all_processes_and_the_network_the_same(network, monkeypatch):
    if network.startswith("timm"):
        pytest.importorskip("timm")
    monkeypatch.setattr(ranks, "count", lambda: 2)
    torch.manual_seed(0)
    embedder = trained.new(network, 8, 224, "cosine").to(CUDA).eval()
    images = embedder.normalise(torch.randint(0, 256, (4, 3, 224, 224), dtype=torch.uint8))
    names, before = list(embedder.state_dict()), embedder(images)
    share_batch_norm(embedder)
    norms = [one for one in embedder.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]
    assert norms and all(isinstance(one, nn.SyncBatchNorm) for one in norms)
    assert list(embedder.state_dict()) == names
    assert (embedder(images) - before).abs().max() < 1e-5


def test_a_gpu_is_asked_of_enough_pictures_whether_bf16_is_slower(monkeypatch):
    from bgbias.models import precision

    asked = []
    monkeypatch.setattr(precision, "said", set())
    monkeypatch.setattr(precision, "_there_and_back", lambda net, images, of: asked.append(images) or 1.0)
    precision.remark(trained.new("small_resnet", 8, 16, "cosine").to(CUDA), "bf16", "training", "it")
    assert len(asked[0]) == 64 and asked[0].is_cuda
