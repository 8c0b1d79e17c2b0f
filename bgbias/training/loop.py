"""The training loop, selection of the best epoch, checkpoints that resume."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from tqdm import tqdm

from bgbias import ranks
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.models import precision
from bgbias.models.embedder import Embedder
from bgbias.seeding import generator, torch_generator
from bgbias.training import checkpoints, consistency, shared
from bgbias.training.augment import Batch, add_noise
from bgbias.training.batch_norm import freeze_batch_norm, running_statistics, share_batch_norm
from bgbias.training.batches import Crops

Optimizer = torch.optim.Optimizer


def _adamw(groups: list[dict], options: params.Training) -> Optimizer:
    return torch.optim.AdamW(groups, betas=(options.momentum, 0.999), weight_decay=options.weight_decay)


def _rmsprop(groups: list[dict], options: params.Training) -> Optimizer:
    return torch.optim.RMSprop(groups, momentum=options.momentum, weight_decay=options.weight_decay)


def _constant(optimizer: Optimizer, options: params.Training) -> LRScheduler:
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def _one_cycle(optimizer: Optimizer, options: params.Training) -> LRScheduler:
    """Rise over the first fifth of the longest possible run, then fall to almost nothing (Smith 2018)."""
    steps = options.max_epochs * options.batches_per_epoch
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in optimizer.param_groups],
        total_steps=steps,
        pct_start=0.4 if steps == 5 else 0.2,  # a fifth of five steps has no length, by which PyTorch divides
        cycle_momentum=False,
    )


OPTIMIZERS = {"adamw": _adamw, "rmsprop": _rmsprop}
SCHEDULES = {"constant": _constant, "one_cycle": _one_cycle}


def fit(
    embedder: Embedder,
    loss: nn.Module,
    crops: Crops,
    weights_lr: float | None,
    validate: Callable[[Embedder], dict[str, float]],
    checkpoint: Path,
) -> pd.DataFrame:
    """Train until the validation MAP@R no longer rises, and leave the best epoch's weights in `embedder`.

    Several processes embed a share of each batch; loss, consistency and validation see all of it on each of them.

    Args:
        embedder: is trained in place: its trunk with the options' lr, its head with their head_lr.
        loss: embeddings and labels -> scalar.
        crops: the training batches and options.
        weights_lr: learning rate of the loss's class weights, where it has any.
        validate: embedder -> metrics of the validation split, with "map_at_r".
        checkpoint: written after every epoch; where it exists, training goes on from there. A damaged one is set aside,
            as CHECKPOINT.damaged, and training starts anew; standard error says so.

    Returns:
        The curve: columns epoch, loss, lr, val_map_at_r, val_recall_at_1.

    Raises:
        InputError: the loss is not finite; the checkpoint of the last good epoch stays.
    """
    options = crops.options
    precision.remark(embedder, options.precision, "training", "train.DATASET.precision")
    parts = ((embedder.network.trunk, options.lr), (embedder.network.head, options.head_lr))
    groups = [{"params": list(part.parameters()), "lr": lr} for part, lr in parts]
    if weights_lr is not None:
        groups.append({"params": list(loss.parameters()), "lr": weights_lr})
    if ranks.count() > 1 and not options.freeze_batch_norm:
        share_batch_norm(embedder)
    optimizer = OPTIMIZERS[options.optimizer](groups, options)
    schedule = SCHEDULES[options.schedule](optimizer, options)
    trained = {"embedder": embedder, "loss": loss, "optimizer": optimizer, "schedule": schedule}
    curve: list[dict] = []
    best = {"epoch": 0, "map_at_r": -1.0, "weights": embedder.state_dict()}
    if ranks.by_first(checkpoint.exists):
        curve, best = checkpoints.resume(checkpoint, trained) or (curve, best)
    batches = iter(_batches(crops, len(curve) + 1, embedder.mean.device))
    for epoch in range(len(curve) + 1, options.max_epochs + 1):
        if epoch > best["epoch"] + options.patience:
            break
        lr = optimizer.param_groups[0]["lr"]
        with precision.convolutions(options.precision):
            mean_loss, images_per_s = _epoch(embedder, loss, optimizer, schedule, crops, batches, epoch)
        shared.average(running_statistics(embedder))
        scores = ranks.gather(validate(embedder))[0]
        curve.append({"epoch": epoch, "loss": mean_loss, "lr": lr, **{f"val_{k}": v for k, v in scores.items()}})
        if scores["map_at_r"] > best["map_at_r"]:
            weights = {name: tensor.clone() for name, tensor in embedder.state_dict().items()}
            best = {"epoch": epoch, "map_at_r": scores["map_at_r"], "weights": weights}
        checkpoints.save(checkpoint, trained, curve, best)
        print(
            f"epoch {epoch:3}: loss {mean_loss:.4f}, validation MAP@R {scores['map_at_r']:.4f}, Recall@1 "
            f"{scores['recall_at_1']:.4f}, {images_per_s:.0f} images/s" + " *" * (best["epoch"] == epoch),
            flush=True,
        )
    embedder.load_state_dict(best["weights"])
    return pd.DataFrame(curve)


def _batches(crops: Crops, first_epoch: int, where: torch.device) -> DataLoader:
    """Give the batches of all epochs by the same workers, which go on while an epoch is validated."""
    options = crops.options
    epochs = range(first_epoch, options.max_epochs + 1)
    steps = [(epoch, step) for epoch in epochs for step in range(options.batches_per_epoch)]
    return DataLoader(
        crops, batch_size=None, sampler=steps, num_workers=options.workers, pin_memory=where.type == "cuda"
    )


def _epoch(
    embedder: Embedder,
    loss: nn.Module,
    optimizer: Optimizer,
    schedule: LRScheduler,
    crops: Crops,
    batches: Iterator[Batch],
    epoch: int,
) -> tuple[float, float]:
    """Train for one epoch; returns the mean loss and images/s."""
    options, where = crops.options, embedder.mean.device
    torch.manual_seed(int(generator(crops.seed, "dropout", epoch).integers(2**63)))  # a resumed training's is the same
    embedder.train()
    if options.freeze_batch_norm:
        freeze_batch_norm(embedder)
    noise = torch_generator(where, crops.seed, "training noise", epoch)
    total, start = torch.zeros((), device=where), time.perf_counter()
    own = islice(batches, options.batches_per_epoch)
    shown = tqdm(own, f"epoch {epoch}", options.batches_per_epoch, unit="batch", leave=False, delay=5)
    for step, batch in enumerate(shown):
        pictures, whole = embedder.normalise(batch.pictures(where)), len(batch.labels)
        images = add_noise(pictures, options.noise_share, noise, crops.rows, whole)
        with torch.autocast(where.type, torch.bfloat16, enabled=options.precision == "bf16"):
            embeddings = embedder(images)
        embeddings = shared.gather_rows(embeddings.float(), crops.rows, whole)
        value = loss(embeddings, batch.labels.to(where, non_blocking=True))
        if crops.regime.consistency:
            value = value + consistency.weight(crops.regime, options, epoch, step) * consistency.disagreement(
                embeddings
            )
        if not value.isfinite():
            raise InputError(
                f"the loss is {value.item()} in epoch {epoch}, step {step + 1}: lower the learning rates (train's "
                "lr, losses' weights_lr); the checkpoint of the last good epoch stays"
            )
        optimizer.zero_grad()
        value.backward()
        shared.add_gradients(embedder.parameters())
        optimizer.step()
        schedule.step()
        total += value.detach()
    seconds = time.perf_counter() - start
    return total.item() / options.batches_per_epoch, options.batches_per_epoch * options.batch_size / seconds
