"""The attention map of a 227 px photo by BN-Inception: 25 noisy copies, forward and back.

    python -m benchmarks.attention

published: as the study's code does it: a copy of the network with gradients of all its parameters, the layout and
           batch norm that PyTorch has by default, torch.quantile
bgbias:    the pipeline's path: frozen parameters, folded batch norm, channels last
bf16:      the same with `attention.precision: bf16`
forward:   the 25 copies forward alone, twice: what a backward pass to the images costs at least
"""

import argparse
import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks import harness
from bgbias.attention.maps import Attention
from bgbias.attention.saliency import attention_score, distances
from bgbias.config import read
from bgbias.models import trained
from bgbias.models.embedder import Embedder

SIDE = 227


def published(embedder: Embedder, pictures: Tensor, noise: Tensor) -> Tensor:
    """The study's loop over photos; noise (N, copies, 3, H, W) in units of a photo's value range."""
    maps = []
    for picture, its_noise in zip(pictures, noise, strict=True):
        image = embedder.normalise(picture[None]).contiguous()
        copies = (image + its_noise * (image.max() - image.min())).requires_grad_()
        black = embedder(embedder.normalise(torch.zeros_like(picture)[None]).contiguous()).detach()
        distances("cosine", embedder(copies), black).mean().backward()
        raw = copies.grad.mean(1).abs().sum(0)
        low, high = raw.min(), torch.quantile(raw, 0.99)
        maps.append(((raw - low) / (high - low)).clamp(0, 1))
    return torch.stack(maps)


def correlation(one: Tensor, other: Tensor) -> float:
    """Of two sets of maps, pixel by pixel."""
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].item()


def cases(options: argparse.Namespace) -> Iterator[harness.Case]:
    """One case."""
    settings = replace(read.load().attention, copies=5 if options.quick else 25)
    torch.manual_seed(0)
    embedder = trained.new("bn_inception", 128, SIDE, "cosine")
    plain = copy.deepcopy(embedder).to(memory_format=torch.contiguous_format)
    pictures = torch.randint(0, 256, (1, 3, 9, 9), dtype=torch.uint8)
    pictures = torch.nn.functional.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
    ours = {name: Attention(copy.deepcopy(embedder), replace(settings, precision=name), 0) for name in ("fp32", "bf16")}
    noise = torch.stack(
        [ours["fp32"]._noise(embedder.normalise(picture[None])[0], i) for i, picture in enumerate(pictures)]
    )
    mask = torch.zeros(len(pictures), SIDE, SIDE)
    mask[:, 60:160, 60:160] = 1

    def forward() -> None:
        with torch.no_grad():
            for _ in range(2):
                ours["fp32"].embedder(noise[0])

    def difference(results: dict[str, Tensor]) -> float:
        exact, found = (attention_score(results[name], mask) for name in ("published", "bgbias"))
        return (exact - found).abs().max().item()

    def notes(seconds: dict[str, float], results: dict[str, Tensor]) -> dict[str, float]:
        exact, fast = results["published"], results["bf16"]
        return {
            "map_correlation": correlation(exact, results["bgbias"]),
            "bf16_ratio_vs_published": seconds["published"] / seconds["bf16"],
            "bf16_map_correlation": correlation(exact, fast),
            "bf16_score_diff": (attention_score(exact, mask) - attention_score(fast, mask)).abs().max().item(),
        }

    yield harness.Case(
        name="attention",
        alternatives={
            "published": lambda: published(plain, pictures, noise),
            "bgbias": lambda: ours["fp32"].maps(pictures, range(len(pictures))),
            "bf16": lambda: ours["bf16"].maps(pictures, range(len(pictures))),
            "forward": forward,
        },
        ours="bgbias",
        published="published",
        bound="forward",
        pictures=len(pictures),
        difference=difference,
        repeats=5,
        notes=notes,
    )


if __name__ == "__main__":
    harness.run(__doc__, cases)
