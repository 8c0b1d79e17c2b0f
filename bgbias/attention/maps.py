"""Where an embedder looks: its attention maps on photos."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from bgbias import ranks
from bgbias.attention import saliency
from bgbias.attention.fold import folded
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.models import precision
from bgbias.models.embedder import Embedder
from bgbias.photos.views import Photos
from bgbias.seeding import generator, torch_generator

PHOTOS_AT_ONCE = 8  # smoothgrad's 25 copies of them make a batch of 200
MAPS = 12  # photos whose maps are kept for figures
COARSE = 5  # cells of a feature map's side, at least; 7 of most networks at 224 px
POOLING = 8  # modules of an attention pool that give tokens, at most; a transformer has dozens
PIXELS = {"cpu": 1_500_000, "cuda": 20_000_000}  # at once: they fill the processor,
BYTES = 2**14  # and, at so many for each of them, no more than what a GPU has left


class Attention:
    """Attention maps of an embedder, by the method that the parameters name.

    What is explained is the distance of a photo's embedding from that of a black image, or its similarity with
    another photo's.
    """

    def __init__(self, embedder: Embedder, options: params.Attention, seed: int):
        """Freeze an embedder in evaluation mode, merge its batch norms in a copy, and embed the black image.

        Raises:
            ValueError: Grad-CAM is asked for, and the embedder has no feature map, or enlarges the object before, so
                that the map's places are not the photo's.
        """
        finder = embedder.card.finder
        if options.method == "grad_cam" and finder and finder.zoom:
            mend = "set attention.method to smoothgrad"
            raise InputError(
                f"{embedder.name}: enlarges the object, and Grad-CAM's maps are of what it enlarges: {mend}"
            )
        self.embedder, self.options, self.seed = folded(embedder.requires_grad_(False)), options, seed
        precision.remark(self.embedder, options.precision, "attention maps", "attention.precision")
        black = torch.zeros(1, 3, embedder.input_px, embedder.input_px, dtype=torch.uint8)
        self.black = embedder.normalise(black)
        self.reference = self.embedder(self.black)
        self.layer = last_map(self.embedder, self.black) if options.method == "grad_cam" else None

    def distance(self, images: Tensor) -> Tensor:
        """Distances (N,) of normalised images from the black one, with the loss's own distance."""
        return saliency.distances(self.embedder.card.distance, self._embed(images), self.reference)

    def _embed(self, images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.options.precision == "bf16"):
            return self.embedder(images).float()

    def maps(self, pictures: Tensor, image_ids: Sequence[int]) -> Tensor:
        """Attention maps.

        Args:
            pictures: uint8 (B, 3, H, W).
            image_ids: of the photos, which seed smoothgrad's noise: the batching changes nothing.

        Returns:
            float (B, H, W) in [0, 1].
        """
        return saliency.attention_map(self.unscaled(pictures, image_ids))

    def unscaled(self, pictures: Tensor, image_ids: Sequence[int], others: Tensor | None = None) -> Tensor:
        """What `maps` scales to [0, 1] and clamps, all in its order.

        Args:
            pictures: uint8 (B, 3, H, W).
            image_ids: of the photos.
            others: float (B, D), an embedding of length 1 for each photo: the similarity with it is explained, by
                smoothgrad only; None: the distance from the black image.

        Returns:
            float (B, H, W), at least 0.

        Raises:
            ValueError: others are given, and the method is not smoothgrad.
        """
        if others is not None and self.options.method != "smoothgrad":
            raise InputError(f"pairs are explained by smoothgrad, not by {self.options.method}: set attention.method")
        copies = {"smoothgrad": self.options.copies, "integrated_gradients": self.options.steps}
        pixels = copies.get(self.options.method, 1) * pictures.shape[2] * pictures.shape[3]
        image_ids, some = torch.as_tensor(image_ids), max(1, _at_once(self.black.device) // pixels)
        with precision.convolutions(self.options.precision):
            return torch.cat(
                [
                    self._unscaled(pictures[part], image_ids[part], None if others is None else others[part])
                    for part in torch.arange(len(pictures)).split(some)
                ]
            )

    def _unscaled(self, pictures: Tensor, image_ids: Tensor, others: Tensor | None) -> Tensor:
        images = self.embedder.normalise(pictures)
        if self.options.method == "smoothgrad":
            with ThreadPoolExecutor() as pool:  # drawing leaves Python's lock to others
                noise = torch.stack(list(pool.map(partial(self._noise, images[0]), image_ids.tolist())))
            if others is not None:
                return saliency.pair_saliency(self._embed, images, others.to(images.device), noise)
            return saliency.smoothgrad(self.distance, images, noise)
        if self.options.method == "integrated_gradients":
            return saliency.integrated_gradients(self.distance, images, self.black, self.options.steps)
        return saliency.grad_cam(self.distance, images, self.layer)

    def _noise(self, image: Tensor, image_id: int) -> Tensor:
        """Drawn by the CPU whatever computes the map: a GPU's own numbers would be others, and so would its maps."""
        source = torch_generator(torch.device("cpu"), self.seed, "attention noise", image_id)
        noise = torch.randn((self.options.copies, *image.shape), generator=source)
        return self.options.noise_share * noise.to(image.device)


def _at_once(where: torch.device) -> int:
    if where.type == "cpu":
        return PIXELS["cpu"]
    return min(PIXELS["cuda"], torch.cuda.mem_get_info(where)[0] // BYTES)


def last_map(embedder: Embedder, images: Tensor) -> nn.Module:
    """Find the last module to finish that gives a map, (N, C, S, S) of more than one cell, for Grad-CAM.

    Where there are tokens, (N, T, D), more than an attention pool has, only maps after the last of them count. So what
    a vision transformer's heads give, (N, heads, T, D), is not taken for a map, nor its first layer for its last; and
    what is not square may be (N, S, S, C).

    Raises:
        ValueError: there is none.
    """
    seen, sides = [], {}

    def look(module: nn.Module, given: tuple, output: object) -> None:
        if not isinstance(output, Tensor):
            return
        if output.ndim == 3 and output.shape[1] > 1:
            seen.append(None)
        elif output.ndim == 4 and output.shape[2] == output.shape[3] > 1:
            seen.append(module)
            sides[module] = output.shape[3]

    modules = (module for module in embedder.network.modules() if not isinstance(module, torch.jit.ScriptModule))
    hooks = [module.register_forward_hook(look) for module in modules]  # TorchScript takes none
    embedder(images)
    for hook in hooks:
        hook.remove()
    if seen.count(None) > POOLING:
        seen = seen[-seen[::-1].index(None) :] if seen[-1] else []
    maps = list(filter(None, seen))
    if not maps:
        raise InputError(f"{embedder.name}: has no feature map for Grad-CAM: set attention.method to smoothgrad")
    if (side := sides[maps[-1]]) < COARSE:
        mend = "raise its input_px, or set attention.method to smoothgrad"
        print(f"{embedder.name}: Grad-CAM's maps have {side} x {side} cells, too few to tell where it looks: {mend}")
    return maps[-1]


def choose(image_ids: np.ndarray, limit: int | Literal["all"], seed: int) -> np.ndarray:
    """The test photos that are scored: all, or a random choice that every regime and loss shares."""
    order = generator(seed, "attention photos").permutation(len(image_ids))
    return image_ids[order if limit == "all" else order[:limit]]


def measure(
    attention: Attention, photos: Photos, image_ids: np.ndarray, seen: Callable[[slice], Iterator[Tensor]]
) -> tuple[np.ndarray, np.ndarray]:
    """Score a view, some photos at a time; several processes share them.

    Args:
        attention: of the embedder.
        photos: for their masks.
        image_ids: of the photos to score.
        seen: part -> what the network sees of image_ids[part].

    Returns:
        Scores (N,), NaN where undefined, and the first maps as bytes (MAPS, H, W).
    """

    def one(part: slice) -> tuple[Tensor, list[Tensor]]:
        some = image_ids[part]
        maps = attention.maps(torch.cat(list(seen(part))), some).cpu()
        masks = torch.cat(list(photos.foregrounds(some)))[:, 0].float() / 255
        kept = [(255 * map_).byte() for map_ in maps[: max(0, MAPS - part.start)]]
        return saliency.attention_score(maps, masks), kept

    scores, kept = [], []
    starts = range(0, len(image_ids), PHOTOS_AT_ONCE)
    with tqdm(total=len(image_ids), desc="attention", unit="photo") as progress:
        for of_some, maps in ranks.spread(one, [slice(start, start + PHOTOS_AT_ONCE) for start in starts]):
            scores.append(of_some)
            kept += maps
            progress.update(len(of_some))
    return torch.cat(scores).numpy(), torch.stack(kept).numpy()
