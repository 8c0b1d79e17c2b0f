"""Training the finder on masks alone, and an embedder on what it shows."""

import copy
import dataclasses

import pytest
import torch

from bgbias.config import read
from bgbias.config.training import Encoder
from bgbias.errors import InputError
from bgbias.finder.masks import found
from bgbias.finder.network import OwnFinder, Shape
from bgbias.models import finders, trained
from bgbias.models.embedder import embed
from bgbias.photos.extent import iou
from bgbias.training import finder as training
from bgbias.training import loop, losses
from bgbias.training.batches import Crops
from bgbias.training.finder import ObjectCrops
from bgbias.training.selection import validation

SETTINGS = read.load()


@pytest.fixture
def small(options):
    """A finder of a few channels, and the training of a few batches."""
    of = dataclasses.replace(SETTINGS.regime_settings["early_masking"].finder, channels=4, epochs=12)
    regime = dataclasses.replace(SETTINGS.regime_settings["early_masking"], finder=of)
    return regime, dataclasses.replace(options, batch_size=8, batches_per_epoch=5)


def test_batches_hold_pictures_and_their_objects_masks_some_on_their_own_background(photos, small):
    crops = ObjectCrops(photos, *small, seed=3)
    pictures, masks = (torch.cat(parts) for parts in zip(*(crops[1, step] for step in range(8)), strict=True))
    again, _ = crops[1, 0]
    assert pictures.shape == (64, 3, 16, 16) and masks.shape == (64, 1, 16, 16)
    assert torch.equal(pictures[:8], again) and not torch.equal(pictures[:8], crops[2, 0][0])
    behind = [picture[:, mask[0] == 0].float() for picture, mask in zip(pictures, masks, strict=True)]
    plain = [part.std(1).max() < 12 for part in behind if part.shape[1] > 20]  # the drawn photos have plain grounds
    assert 0.1 < sum(plain) / len(plain) < 0.7


def test_training_on_masks_alone_finds_the_objects_of_other_classes_whatever_was_drawn_before(photos, small):
    regime, options = small
    image_ids = photos.split("val")
    pictures, masks = (torch.cat(list(of(image_ids))) for of in (photos.clean, photos.foregrounds))
    finder, again = (training.train(photos, regime, options, seed=3) for _ in range(2))
    assert torch.equal(finder.logits.weight, again.logits.weight)
    fresh = OwnFinder(Shape(4, 128, True)).eval()
    trained_iou, untrained_iou = (iou(found(one, pictures), masks).nanmean() for one in (finder, fresh))
    assert trained_iou > 0.6 > untrained_iou + 0.1
    assert not finder.training and not any(weight.requires_grad for weight in finder.parameters())
    scores = training.validated(finder, photos, options, seed=3)
    assert scores["clean"] == pytest.approx(trained_iou.item()) and 0 < scores["swapped"] < 1


@pytest.mark.parametrize("lr", [0.0, 0.001])
def test_an_encoder_learns_by_its_own_rate_and_keeps_its_statistics(photos, small, lr):
    regime, options = small
    encoder = Encoder(network="small_resnet", weights="scratch", lr=lr)
    regime = dataclasses.replace(regime, finder=dataclasses.replace(regime.finder, epochs=2, encoder=encoder))
    torch.manual_seed(3)
    before = finders.make(Shape(4, 128, True, "small_resnet")).state_dict()
    after = training.train(photos, regime, options, seed=3).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    weights = {name for name in changed if name.startswith("encoder.")}
    assert "logits.weight" in changed and bool(weights) == (lr > 0)
    assert not any("running" in name for name in weights)


def test_weights_of_an_encoder_in_a_file_whose_name_does_not_tell_its_content_are_refused(photos, small, tmp_path):
    regime, options = small
    (tmp_path / "net.pth").write_bytes(b"weights")
    encoder = Encoder(network="torchvision:resnet18", weights=str(tmp_path / "net.pth"), lr=0.0)
    regime = dataclasses.replace(regime, finder=dataclasses.replace(regime.finder, encoder=encoder))
    with pytest.raises(InputError, match="its name does not tell its content"):
        training.kept(photos, regime, options, 3, [])


def test_a_finder_whose_loss_is_not_finite_is_refused(photos, small):
    regime, options = small
    wild = dataclasses.replace(regime, finder=dataclasses.replace(regime.finder, lr=1e6))
    with pytest.raises(InputError, match="the finder's loss is nan: lower its lr in regime_settings"):
        training.train(photos, wild, options, seed=3)


def test_one_finder_serves_all_regimes_and_losses_of_a_seed(photos, small, data, monkeypatch):
    monkeypatch.chdir(data.parent)
    regime, options = small
    seeds = []

    def train(photos, regime, options, seed):
        seeds.append(seed)
        return OwnFinder(Shape(4, 128, True)).eval()

    monkeypatch.setattr(training, "train", train)
    for changed, seed in ((regime, 1), (dataclasses.replace(regime, consistency=0.0), 1), (regime, 2)):
        finder = training.kept(photos, changed, dataclasses.replace(options, max_epochs=9 + seed), seed, [data])
    assert seeds == [1, 2] and finder.shape == Shape(4, 128, True)
    shows_more = dataclasses.replace(regime.finder, zoom=False, background=0.25)
    finder = training.kept(photos, dataclasses.replace(regime, finder=shows_more), options, 1, [data])
    assert seeds == [1, 2] and finder.shape == Shape(4, 128, False, background=0.25)
    other = dataclasses.replace(regime, finder=dataclasses.replace(regime.finder, epochs=1))
    training.kept(photos, other, options, 1, [data])
    assert seeds == [1, 2, 1]


def fitted(photos, regime, options, checkpoint):
    """An embedder with a finder, trained; and the states of its finder and head before."""
    torch.manual_seed(0)
    embedder = trained.new("small_resnet", 8, 16, "cosine", finder=OwnFinder(Shape(4, 128, True)))
    before = [copy.deepcopy(part.state_dict()) for part in (embedder.network.finder, embedder.network.head)]
    crops = Crops(photos, regime, dataclasses.replace(options, max_epochs=2), 2, 5)
    settings = losses.options_for("contrastive", SETTINGS.losses, "drawn")
    loss = losses.make("contrastive", settings, len(crops.by_class), 8)
    validate = validation(photos, regime.select_on, photos.val_pools(False)[1], 5)
    loop.fit(embedder, loss, crops, None, validate, checkpoint)
    return embedder, *before


def test_the_embedder_learns_and_the_finder_stays_to_the_byte(photos, small, tmp_path):
    embedder, finder, head = fitted(photos, *small, tmp_path / "checkpoint.pt")
    assert all(torch.equal(tensor, finder[name]) for name, tensor in embedder.network.finder.state_dict().items())
    assert not torch.equal(embedder.network.head.weight, head["weight"])
    assert all(weight.grad is None for weight in embedder.network.finder.parameters())


@pytest.mark.parametrize("encoder", [None, "small_resnet"])
@pytest.mark.parametrize("network", ["small_resnet", "bn_inception", "torchvision:resnet18"])
def test_a_network_with_a_finder_comes_back_with_its_embeddings_and_masks(tmp_path, network, encoder):
    torch.manual_seed(0)
    embedder = trained.new(network, 8, 64, "cosine", finder=finders.make(Shape(4, 32, True, encoder)).eval())
    trained.save(embedder, tmp_path / "model")
    loaded = trained.load(tmp_path / "model", torch.device("cpu"))
    pictures = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(embed(loaded, [pictures], "abc"), embed(embedder, [pictures], "abc"))
    assert torch.equal(trained.found_masks(loaded, pictures), trained.found_masks(embedder, pictures))
    assert loaded.card.finder == Shape(4, 32, True, encoder)


def test_the_finder_leaves_the_random_weights_and_files_of_other_networks_as_they_were(tmp_path):
    heads = []
    for finder in (None, OwnFinder(Shape(4, 32, True))):
        torch.manual_seed(0)
        embedder = trained.new("small_resnet", 8, 32, "cosine", finder=finder)
        heads.append(embedder.network.head.weight)
        trained.save(embedder, tmp_path / str(finder is None))
    assert torch.equal(*heads)
    assert "finder" in (tmp_path / "False/network.json").read_text()
    assert "finder" not in (tmp_path / "True/network.json").read_text()


def test_a_finder_that_network_json_and_weights_do_not_agree_on_is_refused(tmp_path):
    trained.save(trained.new("small_resnet", 8, 32, "cosine", finder=OwnFinder(Shape(4, 32, True))), tmp_path / "model")
    for text, message in (
        ('"channels": 4', "the weights do not fit network.json"),
        ('"most_px": 32', "network.json is of another version .the finder's most_px -1: expected 1 to 1024"),
    ):
        written = (tmp_path / "model/network.json").read_text()
        (tmp_path / "model/network.json").write_text(
            written.replace(text, f"{text.split(':')[0]}: {5 if '4' in text else -1}")
        )
        with pytest.raises(ValueError, match=message):
            trained.load(tmp_path / "model")
        (tmp_path / "model/network.json").write_text(written)
