"""What computing reproducibly asks of PyTorch."""

import torch

from bgbias import seeding


def test_convolutions_on_a_gpu_are_reproducible_and_of_whole_fp32_numbers(monkeypatch):
    cudnn = torch.backends.cudnn
    for flag, value in {"deterministic": False, "allow_tf32": True}.items():
        monkeypatch.setattr(cudnn, flag, value)
    seeding.deterministic(1)
    assert cudnn.deterministic and not cudnn.allow_tf32
