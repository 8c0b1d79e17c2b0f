"""The study's protocol as parameters, and a training step of it for every dataset, regime and loss."""

import dataclasses

import numpy as np
import pytest
import torch

from bgbias import files
from bgbias.config import read
from bgbias.config.losses import names
from bgbias.models import trained
from bgbias.photos import pack
from bgbias.photos.views import Photos
from bgbias.training import loop, losses
from bgbias.training.batches import Crops

SETTINGS = read.load()
STUDY = ("cars196", "cub200", "sop")
PER_CLASS = {"contrastive": 4, "triplet": 4, "multi_similarity": 4, "arcface": 1, "normalized_softmax": 1}


@pytest.mark.parametrize("dataset", STUDY)
def test_the_parameters_are_the_protocol_s(dataset):
    geometry, options = SETTINGS.images[dataset], SETTINGS.train[dataset]
    assert (geometry.short_side_px, geometry.crop_px, geometry.input_px) == (256, 227, 227)
    assert (geometry.train_crop_share, geometry.train_crop_ratio) == ([0.16, 1.0], [0.75, 1.33])
    assert (options.network, options.weights, options.freeze_batch_norm) == ("bn_inception", "imagenet", True)
    assert (options.optimizer, options.lr, options.momentum, options.weight_decay) == ("rmsprop", 1e-6, 0.9, 1e-4)
    assert (options.batch_size, options.batches_per_epoch, options.schedule) == (32, 100, "constant")
    assert (options.max_epochs, options.patience, options.embedding_dim) == (1000, 15, 128)
    assert not options.separate_pools and options.noise_share == 0
    assert (SETTINGS.masks[dataset].method, SETTINGS.masks[dataset].rembg_model) == ("rembg", "u2net")
    assert SETTINGS.backgrounds[dataset].source == "unsplash"
    expected = [1, 10, 100, 1000] if dataset == "sop" else [1, 2, 4, 8]
    assert (SETTINGS.evaluate[dataset].recall_at, SETTINGS.evaluate[dataset].draws) == (expected, 5)
    assert SETTINGS.attention.max_images[dataset] == "all"
    assert {name: getattr(SETTINGS.losses, name).per_class for name in PER_CLASS} == PER_CLASS
    assert set(names()) >= set(PER_CLASS)


def test_attention_and_seed_are_the_protocol_s():
    attention = SETTINGS.attention
    assert (attention.method, attention.copies, attention.noise_share) == ("smoothgrad", 25, 0.15)
    assert SETTINGS.seed == 42
    its = trained.new("bn_inception", 128, 227, "cosine").card
    assert (its.channels, its.mean, its.sd) == ("BGR", (104, 117, 128), (1, 1, 1))


@pytest.mark.parametrize(
    ("loss", "dataset", "expected"),
    [
        ("contrastive", "cars196", {"pos_margin": 0.265234, "neg_margin": 0.540941}),
        ("contrastive", "cub200", {"pos_margin": -0.2, "neg_margin": 0.384119}),
        ("contrastive", "sop", {"pos_margin": 0.285026, "neg_margin": 0.513015}),
        ("triplet", "cars196", {"margin": 0.119027}),
        ("triplet", "cub200", {"margin": 0.0961007}),
        ("triplet", "sop", {"margin": 0.0451925}),
        ("multi_similarity", "cars196", {"alpha": 14.3588, "beta": 75.8348, "base": 0.661556}),
        ("multi_similarity", "cub200", {"alpha": 0.01, "beta": 50.6018, "base": 0.562482}),
        ("multi_similarity", "sop", {"alpha": 8.4925, "beta": 57.3886, "base": 0.416736}),
        ("arcface", "cars196", {"margin_degrees": 20.5223, "scale": 49.5017, "weights_lr": 7.39852e-06}),
        ("arcface", "cub200", {"margin_degrees": 23.2259, "scale": 100, "weights_lr": 0.00513841}),
        ("arcface", "sop", {"margin_degrees": 18.6319, "scale": 220.363, "weights_lr": 0.00201866}),
        ("normalized_softmax", "cars196", {"temperature": 0.0886325, "weights_lr": 0.0110462}),
        ("normalized_softmax", "cub200", {"temperature": 0.108747, "weights_lr": 0.00446892}),
        ("normalized_softmax", "sop", {"temperature": 0.0630624, "weights_lr": 0.000546834}),
    ],
)
def test_the_loss_parameters_are_the_study_s(loss, dataset, expected):
    found = losses.options_for(loss, SETTINGS.losses, dataset)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_datasets_differ_by_the_losses_alone_so_that_one_shows_that_all_train():
    for blocks in (SETTINGS.images, SETTINGS.train, SETTINGS.masks, SETTINGS.backgrounds):
        assert blocks["cars196"] == blocks["cub200"] == blocks["sop"]


@pytest.mark.parametrize("dataset", STUDY)
@pytest.mark.parametrize("loss", PER_CLASS)
def test_every_loss_of_the_study_gives_a_gradient(loss, dataset):
    made = losses.make(loss, losses.options_for(loss, SETTINGS.losses, dataset), classes=4, embedding_dim=128)
    embeddings = torch.randn(16, 128, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = made(torch.nn.functional.normalize(embeddings), torch.arange(4).repeat_interleave(4))
    (gradient,) = torch.autograd.grad(value, embeddings)
    assert value.isfinite() and gradient.isfinite().all() and gradient.abs().sum() > 0


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos of the protocol's size: noise, eight training classes of four."""
    data = tmp_path_factory.mktemp("study") / "data"
    rng = np.random.default_rng(0)

    def noise(count, *shapes):
        return (rng.integers(0, 256, shapes[i % len(shapes)], dtype=np.uint8) for i in range(count))

    rows = [(i, f"{i}.jpg", i // 4, f"class{i // 4}", "train" if i < 32 else "val", "") for i in range(40)]
    table = "image_id,path,class_id,class_name,split,mask_path\n"
    table += "".join(",".join(map(str, row)) + "\n" for row in rows)
    files.write_text(data / "prepared/drawn/images.csv", table)
    pack.Pack.write(data / "prepared/drawn/photos", noise(40, (256, 341, 3), (300, 256, 3)))
    pack.Pack.write(data / "masks/drawn/packed", noise(40, (256, 341, 1), (300, 256, 1)))
    pack.Pack.write(data / "backgrounds/drawn/val", noise(6, (256, 384, 3), (384, 256, 3)))
    return Photos.prepared("drawn", SETTINGS.images["cub200"], data)


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["base", "bgaugment", "bgconsistency"])
def test_a_training_step_runs_for_every_loss(photos, regime, tmp_path, dataset="cub200"):
    options = dataclasses.replace(
        SETTINGS.train[dataset], weights="scratch", batch_size=8, batches_per_epoch=1, max_epochs=1, workers=0
    )
    torch.manual_seed(0)
    embedder = trained.new("bn_inception", 128, 227, "cosine")
    network = embedder.network
    statistics = network.trunk.conv1_7x7_s2_bn.running_mean.clone()
    for name in losses.LOSSES:
        settings = losses.options_for(name, SETTINGS.losses, dataset)
        crops = Crops(photos, SETTINGS.regime_settings[regime], options, settings.per_class, 42)
        loss = losses.make(name, settings, len(crops.by_class), 128)
        before = [
            p.detach().clone() for p in (embedder.network.head.weight, embedder.network.trunk.conv1_7x7_s2.weight)
        ]
        rate = getattr(settings, "weights_lr", None)
        scores = {"map_at_r": 0.5, "recall_at_1": 0.5}
        curve = loop.fit(embedder, loss, crops, rate, lambda _, s=scores: s, tmp_path / f"{name}.pt")
        assert np.isfinite(curve.loss).all()
        after = (network.head.weight, network.trunk.conv1_7x7_s2.weight)
        assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert torch.equal(network.trunk.conv1_7x7_s2_bn.running_mean, statistics)
