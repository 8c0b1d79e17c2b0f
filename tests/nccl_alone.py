"""What processes of several GPUs say to one another, said by one to itself: messages by NCCL, objects by Gloo."""

import copy

import torch
from torch import distributed, nn

from bgbias import ranks
from bgbias.training import shared


def main() -> None:
    torch.manual_seed(0)
    ranks.join()
    try:
        group = distributed.group.WORLD
        assert group._get_backend(torch.device("cuda")).name() == "nccl", "CUDA tensors do not travel by NCCL"
        found = [None]
        distributed.all_gather_object(found, {"scores": [0.5]})
        assert found == [{"scores": [0.5]}]
        network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.AdaptiveAvgPool2d(1), nn.Flatten()).cuda()
        images = torch.randn(7, 3, 9, 9, device="cuda")
        alone = copy.deepcopy(network)
        alone(images).pow(3).sum().backward()
        ranks._world = ranks._World(count=2)  # of which the other is not there: sums are those of this one
        together = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        rows = torch.tensor([2, 0, 1, 6, 5, 4, 3])
        embeddings = shared.gather_rows(together(images[rows]), rows, 7)
        embeddings.pow(3).sum().backward()
        shared.add_gradients(together.parameters())
        for one, other in zip(alone.parameters(), together.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)
        shared.average([statistic := torch.full((3,), 4.0, device="cuda"), torch.tensor(3)])
        assert statistic.tolist() == [2, 2, 2]
    finally:
        ranks._world = ranks._World()
        ranks.leave()
    print("all said")


if __name__ == "__main__":  # not where pytest collects it
    main()
