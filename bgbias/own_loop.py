"""A training loop that is not ours: a transform that makes a photo's two pictures, and the swapped test photos."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from bgbias.ablations import of_bytes
from bgbias.errors import InputError
from bgbias.photos.compose import paste
from bgbias.photos.foreground import OBJECT
from bgbias.photos.levels import numbers_classes

BACKGROUND_SHARE = (0.3, 1.0)  # of a background's area that is seen
UNSEEN = 100  # masks in a row without an object are no chance: a random crop leaves one out now and then


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
        self.backgrounds, self.replace_first, self.unseen = backgrounds, replace_first, 0

    def forward(self, photo: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two pictures.

        Args:
            photo: uint8 (3, H, W).
            mask: uint8 (1, H, W), 255 where the object is, 0 where it is not, also in between; or of 0 and 1 only.

        Returns:
            uint8 (3, H, W) each.

        Raises:
            ValueError: another dtype or shape; or a hundredth mask in a row that does not reach 128, as those of a
                class's number, or of floats below 1 that were turned to bytes; masks of class numbers and 255.
        """
        size = photo.shape[-2:]
        _refuse_others("BackgroundPair", photo=(photo, (3, *size)), mask=(mask, (1, *size)))
        mask = _meant(mask)
        self.unseen = 0 if (most := int(mask.max())) >= OBJECT else self.unseen + 1
        if self.unseen == UNSEEN:
            raise InputError(f"BackgroundPair: {UNSEEN} masks in a row have no object, this one reaches {_scale(most)}")
        first = self._replaced(photo, mask) if torch.rand(()) < self.replace_first else photo
        return first, self._replaced(photo, mask)

    def _replaced(self, photo: Tensor, mask: Tensor) -> Tensor:
        background = self.backgrounds[int(torch.randint(len(self.backgrounds), ()))]
        size = photo.shape[-2:]
        whole = (3, *background.shape[-2:])
        _refuse_others("BackgroundPair", background=(background, whole))  # on a GPU floats would come out black
        ratio = size[1] / size[0]
        drawn = v2.RandomResizedCrop(size, BACKGROUND_SHARE, (ratio, ratio))(background)
        return paste(photo[None], mask[None], v2.RandomHorizontalFlip()(drawn)[None])[0]


def on_backgrounds(photos: Tensor, masks: Tensor, backgrounds: Tensor) -> Tensor:
    """Put the objects of photos on other backgrounds, to be embedded and measured.

    Args:
        photos: uint8 (B, 3, H, W).
        masks: uint8 (B, 1, H, W), 255 where the object is, 0 where it is not, also in between; or of 0 and 1 only.
        backgrounds: uint8 (B, 3, H, W), one for each photo.

    Returns:
        uint8 (B, 3, H, W).

    Raises:
        ValueError: another dtype or shape; masks of class numbers and 255; or those of a batch of which none reaches
            128, as of a class's number, or of floats below 1 that were turned to bytes; a single photo's may be empty.

    >>> photos, masks = torch.full((2, 3, 8, 8), 200, dtype=torch.uint8), torch.ones(2, 1, 8, 8, dtype=torch.uint8)
    >>> on_backgrounds(photos, masks, torch.zeros_like(photos)).unique().item()
    200
    """
    whole, single = ((len(photos), channels, *photos.shape[-2:]) for channels in (3, 1))
    _refuse_others("on_backgrounds", photos=(photos, whole), masks=(masks, single), backgrounds=(backgrounds, whole))
    masks = _meant(masks)
    if len(masks) and (most := int(masks.max())) < OBJECT and (most or len(masks) > 1):
        raise InputError(f"on_backgrounds: masks reach {_scale(most)}")
    return paste(photos, masks, backgrounds)


def _refuse_others(where: str, **expected: tuple[Tensor, tuple[int, ...]]) -> None:
    """Raise an InputError for the first tensor, by its name, that is not of bytes or not of its shape."""
    for name, (picture, shape) in expected.items():
        found = f"a {type(picture).__name__}"
        if isinstance(picture, Tensor):
            found = f"{str(picture.dtype).removeprefix('torch.')} {tuple(picture.shape)}"
        if found != f"uint8 {shape}":
            are = "are" if len(shape) == 4 else "is"
            raise InputError(f"{where}: {name} {are} {found}, expected uint8 {shape}: bring it to bytes of that shape")


def _meant(masks: Tensor) -> Tensor:
    if numbers_classes(torch.bincount(masks.flatten(), minlength=256).tolist()):
        raise InputError("masks of class numbers, and of 255 along edges, which would be objects: give 0 and 1 only")
    return of_bytes(masks)


def _scale(most: int) -> str:
    """Say what is wrong with masks that reach so little, and the mend."""
    mend = "give 255, or 1, where it is; multiply floats by 255 before they are bytes"
    return f"{most} of 255, so no object would be seen: {mend}"
