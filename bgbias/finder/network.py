"""The object finder: an encoder-decoder on a shrunken copy of the image, and what its soft mask leaves of the image.

Hiding the background at the image, before any feature pools it, is early masking (Aniraj et al. 2023, "Masking
strategies for background bias removal in computer vision models"). The mask is predicted, so a query needs none.
"""

import dataclasses
import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, grid_sample, interpolate

from bgbias.errors import InputError

SPREAD = 2.2  # half a zoomed square's side, in standard deviations of the mask: of a disc 2 would be its radius
SMALLEST = 0.25  # side of a zoomed square, as a share of the image's
MOST_CHANNELS, LARGEST_PX = 512, 1024


@dataclasses.dataclass(frozen=True)
class Shape:
    """What must be known of a finder to build it again.

    Attributes:
        channels: of its finest layers; the coarser ones have more.
        most_px: images of a longer side are shrunk by the least whole factor that keeps them within it.
        zoom: whether the square around the object is enlarged to the image's size.
        encoder: name of the network whose first layers see the image for it; None: it has layers of its own.
        background: share of the background's contrast that is left, 0 to 1; 0: all of it is the mean colour.
    """

    channels: int
    most_px: int
    zoom: bool
    encoder: str | None = None
    background: float = 0.0

    def __post_init__(self):
        """Refuse what cannot be, such as a network.json that was edited."""
        for name, most in (("channels", MOST_CHANNELS), ("most_px", LARGEST_PX)):
            number = getattr(self, name)
            if type(number) is not int or not 1 <= number <= most:
                raise InputError(f"the finder's {name} {number!r}: expected 1 to {most}")
        if not isinstance(self.zoom, bool):
            raise InputError(f"the finder's zoom {self.zoom!r}: expected true or false")
        if not isinstance(self.encoder, str | None):
            raise InputError(f"the finder's encoder {self.encoder!r}: expected a network's name")
        if type(self.background) not in (int, float) or not 0 <= self.background <= 1:
            raise InputError(f"the finder's background {self.background!r}: expected 0 to 1")


class Finder(nn.Module):
    """Finds the object: normalised images (N, 3, H, W) to logits (N, 1, h, w), at half the side of the shrunken copy.

    It standardises each channel of each image first, so that it works behind any network's normalisation. `seen` of a
    subclass makes logits of what is standardised.
    """

    def __init__(self, shape: Shape):
        """Keep the shape."""
        super().__init__()
        self.shape = shape

    def forward(self, images: Tensor) -> Tensor:
        """Shrink and standardise, then look."""
        factor = math.ceil(max(images.shape[2:]) / self.shape.most_px)
        images = avg_pool2d(images, factor) if factor > 1 else images
        images = images - images.mean((2, 3), keepdim=True)
        return self.seen(images / (images.square().mean((2, 3), keepdim=True) + 1e-6).sqrt())

    def masks(self, images: Tensor) -> Tensor:
        """Find the object: normalised images (N, 3, H, W) to soft masks (N, 1, H, W) in [0, 1]."""
        return torch.sigmoid(_like(images, self(images)))

    def shown(self, images: Tensor) -> Tensor:
        """Show the object: the background fades towards 0, the mean colour; and enlarge it where the shape says so."""
        masks, left = self.masks(images), self.shape.background
        faded = images * (left + (1 - left) * masks)
        return zoomed(faded, masks) if self.shape.zoom else faded


class OwnFinder(Finder):
    """A small encoder-decoder, which learns from scratch."""

    def __init__(self, shape: Shape):
        """Draw fresh weights from PyTorch's generator."""
        super().__init__(shape)
        width = shape.channels
        self.by_2 = _block(3, width, stride=2, side=5)
        self.by_4 = nn.Sequential(_block(width, 2 * width, stride=2), _block(2 * width, 2 * width))
        self.by_8 = nn.Sequential(_block(2 * width, 4 * width, stride=2), _block(4 * width, 4 * width))
        self.by_16 = nn.Sequential(
            _block(4 * width, 4 * width, stride=2),
            _block(4 * width, 4 * width),
            _block(4 * width, 4 * width, dilation=2),
        )
        self.across, self.up_8 = nn.Conv2d(4 * width, 2 * width, 1), nn.Conv2d(4 * width, 2 * width, 1)
        self.merged, self.up_2 = _block(2 * width, 2 * width), nn.Conv2d(2 * width, width, 1)
        self.refined, self.logits = _block(width, width), nn.Conv2d(width, 1, 1)

    def seen(self, images: Tensor) -> Tensor:
        """Encode, then add what each level knows to the finer one."""
        by_2 = self.by_2(images)
        by_4 = self.by_4(by_2)
        by_8 = self.by_8(by_4)
        merged = self.merged(self.across(by_8) + _like(by_8, self.up_8(self.by_16(by_8))))
        return self.logits(self.refined(by_2 + _like(by_2, self.up_2(by_4 + _like(by_4, merged)))))


class EncodedFinder(Finder):
    """A decoder of what the first layers of a known network see; these learn slowly, or not at all."""

    def __init__(self, shape: Shape, encoder: nn.Module):
        """Draw fresh weights of the decoder from PyTorch's generator.

        Args:
            shape: has the decoder's channels: twice as many but at the finest level.
            encoder: of `models.encoder.make`.
        """
        super().__init__(shape)
        self.encoder, coarser = encoder, len(encoder.channels) - 1
        widths = [shape.channels] + [2 * shape.channels] * coarser
        self.across = nn.ModuleList(nn.Conv2d(*ends, 1) for ends in zip(encoder.channels, widths, strict=True))
        finer = [shape.channels, *widths[:-1]]
        self.merged = nn.ModuleList(_block(*ends) for ends in zip(widths, finer, strict=True))
        self.logits = nn.Conv2d(shape.channels, 1, 1)

    def train(self, mode: bool = True) -> Self:
        """Switch modes, but for the encoder's, whose statistics stay."""
        super().train(mode)
        self.encoder.eval()
        return self

    def seen(self, images: Tensor) -> Tensor:
        """Encode, then add what each level knows to the finer one."""
        coarser = None
        for level, across, merged in reversed(list(zip(self.encoder(images), self.across, self.merged, strict=True))):
            level = across(level)
            coarser = merged(level if coarser is None else level + _like(level, coarser))
        return self.logits(coarser)


def zoomed(images: Tensor, masks: Tensor) -> Tensor:
    """Enlarge the square around each object to the image's size (bilinear); beyond the image lies 0.

    It is centred on the mask's mean, and half its side is SPREAD times the mask's standard deviation along the longer
    axis: a few wrong pixels move it little. Without an object it is the whole image.

    Args:
        images: float (N, C, S, S).
        masks: float (N, 1, S, S) in [0, 1].

    >>> image = torch.zeros(1, 1, 8, 8)
    >>> image[..., 5:7, 1:3] = 1
    >>> round(zoomed(image, image).mean().item(), 2)
    0.7
    """
    places = (torch.arange(images.shape[3], device=images.device) * 2 + 1) / images.shape[3] - 1
    weights = masks[:, 0] + 1e-5
    along = torch.stack([weights.sum(1), weights.sum(2)], 1)  # x and y: (N, 2, S)
    along = along / along.sum(2, keepdim=True)
    centre = (along * places).sum(2, keepdim=True)
    spread = (along * (places - centre).square()).sum(2).amax(1).sqrt()
    x, y = (centre + places * (SPREAD * spread).clamp(SMALLEST, 1)[:, None, None]).unbind(1)
    grid = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), 3)
    return grid_sample(images, grid, align_corners=False)


def _block(inputs: int, outputs: int, stride: int = 1, side: int = 3, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, side, stride, dilation * (side // 2), dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _like(image: Tensor, other: Tensor) -> Tensor:
    """Enlarge a map to the size of another."""
    return interpolate(other, size=image.shape[2:], mode="bilinear", align_corners=False)
