"""What tests of a GPU share: where there is none, they are skipped."""

from collections.abc import Iterator

import pytest
import torch

from bgbias import seeding

CUDA = torch.device("cuda")
MARKS = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


@pytest.fixture
def as_stages() -> Iterator[None]:
    """Compute as stages do, see `seeding.deterministic`."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.allow_tf32
    seeding.deterministic(1)
    yield
    cudnn.deterministic, cudnn.allow_tf32 = before
