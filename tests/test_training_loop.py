"""The loop: it learns, selects, stops, and refuses to go on with a broken loss."""

import dataclasses
import itertools
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from unittest.mock import patch

import pandas as pd
import pytest
import torch
from training_parts import weights

from bgbias.config import read
from bgbias.errors import InputError
from bgbias.models.embedder import embed
from bgbias.photos.views import Photos
from bgbias.training import consistency, loop, selection
from bgbias.training.augment import add_noise
from stages import train

SETTINGS = read.load()


def test_the_consistency_term_brings_the_embeddings_of_a_pair_together(parts, tmp_path):
    apart = []
    for weight in (0.0, 50.0):
        changes = {"changed": {"consistency": weight}, "batch_size": 8, "batches_per_epoch": 10}
        embedder, _, crops, *_ = given = parts("bgconsistency", loss="contrastive", **changes)
        loop.fit(*given, tmp_path / f"{weight}.pt")
        pictures = crops[9, 9].pictures(torch.device("cpu"))
        apart.append(consistency.disagreement(embed(embedder, [pictures], range(8))).item())
    assert apart[1] < 0.5 * apart[0]


def test_a_rising_consistency_begins_with_none_and_counts_later(parts, tmp_path):
    def trained(epochs, steps, **changed):
        lasts = {"max_epochs": epochs, "batches_per_epoch": steps}
        *given, _ = parts("bgconsistency", changed=changed, batch_size=8, **lasts)
        scores = iter([{"map_at_r": 0.1, "recall_at_1": 0.1}, {"map_at_r": 0.2, "recall_at_1": 0.2}])
        loop.fit(*given, lambda _: next(scores), tmp_path / f"{epochs}-{steps}-{changed}.pt")  # the last is the best
        return weights(given[0])

    for *lasts, alike in ((1, 1, True), (1, 4, False), (2, 1, False)):
        none, rising = trained(*lasts, consistency=0.0), trained(*lasts, consistency=50.0, consistency_rise=1.0)
        at_once = trained(*lasts, consistency=50.0, consistency_rise=0.0)
        assert torch.equal(none, rising) == alike
        assert not torch.equal(at_once, rising)


def test_a_regime_s_consistency_and_variation_count_as_the_loss_says(data, geometry, options, monkeypatch, capsys):
    class Seen(Exception):
        pass

    def fit(embedder, loss, crops, *rest):
        raise Seen(crops.regime)

    monkeypatch.chdir(data.parent)
    monkeypatch.setattr(loop, "fit", fit)
    options = dataclasses.replace(options, batch_size=8)
    weight = SETTINGS.regime_settings["bgconsistency"].consistency
    for loss in ("triplet", "normalized_softmax"):
        blocks = {"loss": loss, "images": {"drawn": geometry}, "train": {"drawn": options}}
        settings = SimpleNamespace(**vars(SETTINGS) | blocks)
        with pytest.raises(Seen) as seen:
            train.main(settings, "drawn", "bgconsistency", 1)
        found, block = seen.value.args[0], getattr(SETTINGS.losses, loss)
        assert found.consistency == weight * block.consistency_scale
        assert found.vary_backgrounds == (loss != "triplet")
        said = "of this regime triplet takes consistency 0 instead of 8, backgrounds are not varied (losses.triplet)"
        assert (said in capsys.readouterr().out) == (loss == "triplet")


def test_weights_of_a_file_whose_name_does_not_tell_its_content_are_refused(data, geometry, options, monkeypatch):
    monkeypatch.chdir(data.parent)
    Path("net.pth").write_bytes(b"weights")
    blocks = {"images": {"drawn": geometry}, "train": {"drawn": dataclasses.replace(options, weights="net.pth")}}
    with pytest.raises(
        InputError, match="net.pth: its name does not tell its content.*: `mv net.pth net-[0-9a-f]{8}.pth`"
    ):
        train.main(SimpleNamespace(**vars(SETTINGS) | blocks), "drawn", "base", 1)


def test_validation_names_the_photo_whose_embedding_is_broken(parts, data, geometry):
    embedder, photos = parts()[0], Photos.prepared("drawn", geometry, data)
    validate = selection.validation(photos, ["clean"], photos.pool("val"), 0)
    assert 0 <= validate(embedder.train())["map_at_r"] <= 1 and embedder.training
    embedder.network.head.weight.data[0, 0] = torch.nan
    first = photos.table.path[photos.split("val")[0]]
    with pytest.raises(ValueError, match=f"^small_resnet: the embedding of {first} is not finite: look at the photo"):
        validate(embedder)


@pytest.mark.parametrize("optimizer", loop.OPTIMIZERS)
@pytest.mark.parametrize("schedule", loop.SCHEDULES)
def test_the_loss_falls(parts, tmp_path, optimizer, schedule):
    lr = 0.003 if optimizer == "adamw" else 0.0003
    changes = {"optimizer": optimizer, "schedule": schedule, "lr": lr, "max_epochs": 8, "batches_per_epoch": 6}
    given = parts(loss="normalized_softmax", patience=8, **changes)
    curve = loop.fit(*given, tmp_path / "checkpoint.pt")
    assert curve.loss.tail(2).mean() < curve.loss.head(2).mean()
    assert curve.columns.tolist()[:3] == ["epoch", "loss", "lr"] and curve.epoch.tolist() == list(range(1, 9))
    assert curve.lr.nunique() == (1 if schedule == "constant" else 8) and lr >= curve.lr.max() > lr / 2


@pytest.mark.parametrize("batches", [5, 6])
def test_one_cycle_ends_low_where_a_fifth_of_its_steps_is_one(parts, tmp_path, batches):
    given = parts(loss="normalized_softmax", lr=0.01, max_epochs=1, batches_per_epoch=batches)
    assert 0 < loop.fit(*given, tmp_path / "checkpoint.pt").lr.iloc[-1] < 0.001


def test_bf16_trains_too_and_leaves_weights_and_the_loss_in_full_precision(parts, tmp_path):
    changes = {"precision": "bf16", "max_epochs": 8, "patience": 8, "batches_per_epoch": 6}
    given, kinds, measured = parts(loss="normalized_softmax", **changes), set(), set()
    given[1].register_forward_pre_hook(lambda _, asked: measured.add(asked[0].dtype))
    given[0].network.trunk.conv.register_forward_hook(lambda conv, _, out: kinds.add((conv.training, out.dtype)))
    curve = loop.fit(*given, tmp_path / "checkpoint.pt")
    assert curve.loss.tail(2).mean() < curve.loss.head(2).mean()
    assert {dtype for training, dtype in kinds if training} == {torch.bfloat16}
    assert {parameter.dtype for parameter in given[0].parameters()} == {torch.float32} == measured


def test_tf32_is_no_bf16(parts, tmp_path):
    given, kinds = parts(precision="tf32", max_epochs=1), set()
    given[0].network.trunk.conv.register_forward_hook(lambda conv, _, out: kinds.add(out.dtype))
    loop.fit(*given, tmp_path / "checkpoint.pt")
    assert kinds == {torch.float32}


def test_class_weights_of_a_loss_are_trained_with_their_own_rate(parts, tmp_path):
    given = parts(loss="arcface", batch_size=4, schedule="constant", lr=1e-5)
    before = given[1].W.detach().clone()
    loop.fit(*given, tmp_path / "checkpoint.pt")
    moved = (given[1].W.detach() - before).abs().max().item()
    assert 0.015 < moved < 0.015 * 9 * 2  # Adam moves a weight by about its rate in each of nine steps


def test_the_head_is_trained_with_its_own_rate(parts, tmp_path):
    given = parts(schedule="constant", lr=1e-5, head_lr=0.01)
    network = given[0].network
    before = [part.weight.detach().clone() for part in (network.trunk.conv, network.head)]
    loop.fit(*given, tmp_path / "checkpoint.pt")
    moved = [
        (part.weight.detach() - old).abs().max().item()
        for part, old in zip((network.trunk.conv, network.head), before, strict=True)
    ]
    assert moved[0] < 2e-4 and 0.01 < moved[1] < 0.01 * 9 * 2  # Adam moves a weight by about its rate in a step


def one_weight(lr):
    return [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": lr}]


def test_optimizers_take_momentum_and_weight_decay_of_the_options(options):
    options = dataclasses.replace(options, momentum=0.7, weight_decay=0.03)
    adamw, rmsprop = (loop.OPTIMIZERS[name](one_weight(0.1), options).defaults for name in ("adamw", "rmsprop"))
    assert (adamw["betas"], adamw["weight_decay"]) == ((0.7, 0.999), 0.03)
    assert (rmsprop["momentum"], rmsprop["weight_decay"]) == (0.7, 0.03)


@pytest.mark.parametrize("name", loop.SCHEDULES)
def test_a_cycle_peaks_after_a_fifth_of_the_longest_run_and_ends_at_almost_nothing(options, name):
    options = dataclasses.replace(options, max_epochs=10, batches_per_epoch=10)
    optimizer = loop.OPTIMIZERS["adamw"](one_weight(0.1) + one_weight(0.2), options)
    schedule, rates = loop.SCHEDULES[name](optimizer, options), []
    for _ in range(100):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    first, second = zip(*rates, strict=True)
    assert second == pytest.approx([2 * rate for rate in first])
    if name == "constant":
        assert set(first) == {0.1}
    else:
        assert max(first) == pytest.approx(0.1) and first.index(max(first)) == 19 and first[-1] < 1e-5 < first[0] < 0.01
    assert {group["betas"] for group in optimizer.param_groups} == {(options.momentum, 0.999)}


@pytest.mark.parametrize("frozen", [False, True])
def test_statistics_of_batch_norm_are_learnt_unless_they_are_frozen(parts, tmp_path, frozen):
    given = parts(freeze_batch_norm=frozen, max_epochs=1)
    (before, *_) = [tensor.clone() for name, tensor in given[0].state_dict().items() if name.endswith("running_mean")]
    loop.fit(*given, tmp_path / "checkpoint.pt")
    (after, *_) = [tensor for name, tensor in given[0].state_dict().items() if name.endswith("running_mean")]
    assert torch.equal(before, after) == frozen


def test_the_same_seed_trains_the_same_network_to_the_byte(parts, tmp_path):
    trained = []
    for run in ("a", "b"):
        given = parts("bgaugment")
        curve = loop.fit(*given, tmp_path / run)
        trained.append((weights(given[0]), curve))
    assert torch.equal(trained[0][0], trained[1][0])
    pd.testing.assert_frame_equal(trained[0][1], trained[1][1])


def test_the_best_epoch_is_kept_and_marked_and_patience_ends_the_run(parts, tmp_path, capsys):
    *given, _ = parts(max_epochs=9, patience=2)
    seen = []

    def validate(embedder):
        seen.append(weights(embedder))
        score = [0.1, 0.5, 0.5, 0.2, 0.9][len(seen) - 1]
        return {"map_at_r": score, "recall_at_1": 1 - score}

    curve = loop.fit(*given, validate, tmp_path / "checkpoint.pt")
    assert curve.val_map_at_r.tolist() == [0.1, 0.5, 0.5, 0.2]  # an equal score is no better one
    assert torch.equal(weights(given[0]), seen[1])
    assert [line.endswith(" *") for line in capsys.readouterr().out.splitlines()] == [True, True, False, False]


def test_an_epoch_that_finds_nothing_is_better_than_none(parts, tmp_path):
    *given, _ = parts(max_epochs=2)
    loop.fit(*given, lambda embedder: {"map_at_r": 0.0, "recall_at_1": 0.0}, tmp_path / "checkpoint.pt")
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["best"]["epoch"] == 1


def test_noise_has_the_share_of_the_options_and_is_another_in_each_epoch(parts, tmp_path, monkeypatch):
    asked = []

    def noisy(images, share, noise, *rows):
        asked.append((share, noise.initial_seed()))
        return add_noise(images, share, noise, *rows)

    monkeypatch.setattr(loop, "add_noise", noisy)
    loop.fit(*parts(noise_share=0.25, max_epochs=3), tmp_path / "checkpoint.pt")
    shares, seeds = zip(*asked, strict=True)
    assert set(shares) == {0.25} and len(set(seeds)) == 3 and len(seeds) == 9


def test_the_same_workers_give_all_epochs_and_change_nothing(parts, tmp_path):
    alone = loop.fit(*parts("bgaugment"), tmp_path / "alone.pt")
    with patch.object(loop, "DataLoader", wraps=loop.DataLoader) as made:
        curve = loop.fit(*parts("bgaugment", workers=1), tmp_path / "worker.pt")
    pd.testing.assert_frame_equal(curve, alone)
    assert len(curve) > 1 and made.call_count == 1 and made.call_args.kwargs["num_workers"] == 1


def test_noise_and_dropout_are_others_in_each_epoch_and_with_each_seed(parts, tmp_path, monkeypatch):
    asked = set()

    def silent(images, share, noise, *rows):
        asked.add((noise.initial_seed(), torch.initial_seed()))
        return images

    monkeypatch.setattr(loop, "add_noise", silent)
    for seed in (5, 6):
        given = parts(max_epochs=3)
        given[2].seed = seed
        loop.fit(*given, tmp_path / f"{seed}.pt")
    assert [len(set(seeds)) for seeds in zip(*asked, strict=True)] == [6, 6]


def test_the_loss_has_the_labels_of_its_photos_and_its_mean_of_an_epoch_is_told(parts, tmp_path, monkeypatch, capsys):
    _, loss, crops, *_ = given = parts(max_epochs=2)
    seen, values, clock = [], [], itertools.count(step=2)  # an epoch takes two seconds
    loss.register_forward_pre_hook(lambda _, asked: seen.append(asked[1].tolist()))
    loss.register_forward_hook(lambda _, asked, value: values.append(value.item()))
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=clock.__next__))
    curve = loop.fit(*given, tmp_path / "checkpoint.pt")
    steps = crops.options.batches_per_epoch
    assert seen == [crops[epoch, step].labels.tolist() for epoch in (1, 2) for step in range(steps)]
    assert curve.loss.tolist() == pytest.approx([fmean(values[:steps]), fmean(values[steps:])])
    assert capsys.readouterr().out.count(f", {steps * crops.options.batch_size / 2:.0f} images/s") == 2


class BreakingLoss(torch.nn.Module):
    """A loss that is broken at its fifth call."""

    calls = 0

    def __init__(self, broken):
        super().__init__()
        self.broken = broken

    def forward(self, embeddings, labels):
        self.calls += 1
        return embeddings.square().sum() * (self.broken if self.calls == 5 else 1)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_broken_loss_stops_the_run_and_keeps_the_last_good_checkpoint(parts, tmp_path, broken):
    embedder, _, *rest = parts()
    with pytest.raises(InputError, match=f"the loss is {broken} in epoch 2, step 2: .*lower"):
        loop.fit(embedder, BreakingLoss(broken), *rest, tmp_path / "checkpoint.pt")
    assert len(torch.load(tmp_path / "checkpoint.pt", weights_only=True)["curve"]) == 1


def test_noise_has_the_asked_for_spread_of_each_image_s_range():
    images = torch.zeros(400, 1, 8, 8)
    images[:, 0, 0, 0] = 10.0  # a range of 10
    noise = add_noise(images, 0.2, torch.Generator().manual_seed(0)) - images
    sds = noise.std((1, 2, 3))
    assert sds.max() < 0.2 * 10 * 1.5 and sds.mean().item() == pytest.approx(0.1 * 10, rel=0.1)
    assert torch.equal(add_noise(images, 0, torch.Generator()), images)
