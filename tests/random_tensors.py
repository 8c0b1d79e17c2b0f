"""Random tensors, the same for the same seed."""

import torch
from torch.nn.functional import normalize


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def random_bytes(*shape, seed=0):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def random_grid(photos=9, backgrounds=3, dimensions=5, seed=0):
    """Embeddings in which photo, background and noise all play a part."""
    source = torch.Generator().manual_seed(seed)
    parts = [(photos, 1), (1, backgrounds), (photos, backgrounds)]
    return normalize(sum(torch.randn(*part, dimensions, generator=source) for part in parts), dim=2)
