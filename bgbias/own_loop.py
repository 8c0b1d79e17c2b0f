"""The cure in a training loop that is not ours: a transform that makes a photo's two pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from bgbias.errors import InputError
from bgbias.photos.compose import paste

BACKGROUND_SHARE = (0.3, 1.0)  # of a background's area that is seen


class BackgroundPair(nn.Module):
    """Make two pictures of a photo whose backgrounds differ, as the regime `rising` has them.

    It comes last, after transforms that crop and flip photo and mask alike, and draws from PyTorch's global generator
    as those of torchvision do.

    >>> pair = BackgroundPair([torch.full((3, 40, 60), 9, dtype=torch.uint8)], replace_first=0.0)
    >>> photo, mask = torch.full((3, 8, 8), 200, dtype=torch.uint8), torch.zeros(1, 8, 8, dtype=torch.uint8)
    >>> first, second = pair(photo, mask)
    >>> first.unique().item(), second.unique().item()
    (200, 9)
    """

    def __init__(self, backgrounds: Sequence[Tensor], replace_first: float = 0.5):
        """Take the pool.

        Args:
            backgrounds: uint8 (3, H, W) each, of any sizes; not those that you will test with.
            replace_first: probability that the first picture of a pair has another background, too; the second always
                has one.

        Raises:
            ValueError: no backgrounds, or a probability outside of [0, 1].
        """
        super().__init__()
        if not len(backgrounds):
            raise InputError("BackgroundPair: no backgrounds: give some pictures, uint8 (3, H, W) each")
        if not 0 <= replace_first <= 1:
            raise InputError(f"BackgroundPair: replace_first is {replace_first}: a probability, from 0 to 1")
        self.backgrounds, self.replace_first = backgrounds, replace_first

    def forward(self, photo: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two pictures.

        Args:
            photo: uint8 (3, H, W).
            mask: uint8 (1, H, W), 255 where the object is, 0 where it is not, also in between; or of 0 and 1 only.

        Returns:
            uint8 (3, H, W) each.

        Raises:
            ValueError: another dtype or shape.
        """
        for name, picture, channels in (("photo", photo, 3), ("mask", mask, 1)):
            if picture.dtype != torch.uint8 or picture.shape != (channels, *photo.shape[-2:]):
                found = f"{str(picture.dtype).removeprefix('torch.')} {tuple(picture.shape)}"
                expected = f"uint8 {(channels, *photo.shape[-2:])}"
                raise InputError(f"BackgroundPair: {name} is {found}, expected {expected}: turn it into bytes first")
        if mask.max() == 1:  # else no object would be seen in any picture, without a word
            mask = 255 * mask
        first = self._replaced(photo, mask) if torch.rand(()) < self.replace_first else photo
        return first, self._replaced(photo, mask)

    def _replaced(self, photo: Tensor, mask: Tensor) -> Tensor:
        background = self.backgrounds[int(torch.randint(len(self.backgrounds), ()))]
        size = photo.shape[-2:]
        ratio = size[1] / size[0]
        drawn = v2.RandomResizedCrop(size, BACKGROUND_SHARE, (ratio, ratio))(background)
        return paste(photo[None], mask[None], v2.RandomHorizontalFlip()(drawn)[None])[0]
