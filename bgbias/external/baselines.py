"""What is found without any learning: colours, and edges. A learned embedder should beat both."""

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from bgbias.errors import unknown
from bgbias.models.cards import Input

LEVELS = 8  # of each colour
CELL_PX, ORIENTATIONS, CLIP = 8, 9, 0.2
FLAT = 1e-3  # a last number, so that a picture without any edge has an embedding, too: all flat ones are alike


class ColourHistogram(nn.Module):
    """The joint histogram of colours (Swain & Ballard 1991, "Color indexing"), square-rooted.

    So the cosine of two is the Bhattacharyya coefficient of their histograms.
    """

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Pictures of 0..1, float (N, 3, H, W), to float (N, LEVELS ** 3)."""
        levels = (images * LEVELS).long().clamp(0, LEVELS - 1).flatten(2)
        colours = (levels[:, 0] * LEVELS + levels[:, 1]) * LEVELS + levels[:, 2]
        counts = torch.zeros(len(images), LEVELS**3, device=images.device)
        return counts.scatter_add_(1, colours, torch.ones_like(colours, dtype=counts.dtype)).sqrt()


class Hog(nn.Module):
    """Histograms of oriented gradients (Dalal & Triggs 2005), as scikit-image computes them by default, but for FLAT.

    Of the three colours the one with the steepest gradient counts; 9 directions without sign, in cells of 8 x 8 pixels,
    normalised by L2-Hys in blocks of 2 x 2 cells, at every cell.
    """

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Pictures of 0..1, float (N, 3, H, W), H and W at least 16, to float (N, D)."""
        down, right = torch.zeros_like(images), torch.zeros_like(images)
        down[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
        right[..., 1:-1] = images[..., 2:] - images[..., :-2]
        steepest = torch.hypot(down, right).argmax(1, keepdim=True)
        down, right = down.gather(1, steepest)[:, 0], right.gather(1, steepest)[:, 0]
        degrees = torch.rad2deg(torch.atan2(down, right)) % 180
        places = (degrees * ORIENTATIONS / 180).long().clamp(max=ORIENTATIONS - 1)
        votes = one_hot(places, ORIENTATIONS) * torch.hypot(down, right)[..., None]
        rows, columns = (side // CELL_PX for side in votes.shape[1:3])
        votes = votes[:, : rows * CELL_PX, : columns * CELL_PX]
        cells = votes.reshape(len(images), rows, CELL_PX, columns, CELL_PX, ORIENTATIONS).mean((2, 4))
        blocks = cells.unfold(1, 2, 1).unfold(2, 2, 1)  # (N, rows - 1, columns - 1, ORIENTATIONS, 2, 2)
        blocks = blocks.permute(0, 1, 2, 4, 5, 3).flatten(3)
        blocks = _of_length_1(_of_length_1(blocks).clamp(max=CLIP)).flatten(1)
        return torch.cat([blocks, torch.full_like(blocks[:, :1], FLAT)], 1)


def _of_length_1(blocks: Tensor) -> Tensor:
    return blocks / (blocks.square().sum(-1, keepdim=True) + 1e-10).sqrt()


BASELINES = {"colour_histogram": ColourHistogram, "hog": Hog}


def from_baseline(target: str, where: torch.device) -> tuple[nn.Module, Input]:
    """Make one of BASELINES, which takes pictures of 0..1.

    Raises:
        ValueError: there is no such baseline.

    >>> network, expected = from_baseline("hog", torch.device("cpu"))
    >>> network(torch.zeros(1, 3, expected.input_px, expected.input_px)).shape
    torch.Size([1, 1765])
    """
    if target not in BASELINES:
        raise unknown("baseline", target, BASELINES)
    return BASELINES[target](), Input(64, (0.0,) * 3, (1.0,) * 3)
