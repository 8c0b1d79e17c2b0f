"""Attention maps and attention scores (tensors and a callable only)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

Distance = Callable[[Tensor], Tensor]
Embed = Callable[[Tensor], Tensor]


def distances(name: str, embeddings: Tensor, reference: Tensor) -> Tensor:
    """Distance of embeddings from a reference: "euclidean" or "cosine".

    Args:
        name: of the distance.
        embeddings: float (N, D), of length 1.
        reference: float (R, D), of length 1, R a divisor of N: the first is of the first N / R embeddings, and so on.

    Returns:
        float (N,).

    >>> points = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    >>> distances("cosine", points, points[:1]).tolist()
    [0.0, 0.3999999761581421]
    >>> distances("cosine", points, points).tolist()
    [0.0, 0.0]
    """
    if len(reference) > 1:
        reference = reference.repeat_interleave(len(embeddings) // len(reference), 0)
    if name == "euclidean":
        return torch.linalg.vector_norm(embeddings - reference, dim=1)
    return 1 - (embeddings @ reference[0] if len(reference) == 1 else (embeddings * reference).sum(1))


def smoothgrad(distance: Distance, images: Tensor, noise: Tensor) -> Tensor:
    """How much each pixel moves the image away from a reference, averaged over noisy copies.

    For each copy the gradient of the distance, its signed mean over the channels, the absolute value of that;
    summed over the copies (Kobs & Hotho 2022, after SmoothGrad of Smilkov et al. 2017). Captum's NoiseTunnel
    averages the gradients before anyone can take the absolute value, so it computes another thing.

    Args:
        distance: inputs (N, C, H, W) -> distances of their embeddings from the reference's, (N,).
        images: float (B, C, H, W), normalised.
        noise: float (B, copies, C, H, W), to be added to the copies, in units of each image's value range.

    Returns:
        float (B, H, W), at least 0.
    """
    span = images.amax((1, 2, 3)) - images.amin((1, 2, 3))
    copies = images[:, None] + noise * span[:, None, None, None, None]
    flat = copies.flatten(0, 1).contiguous(memory_format=torch.channels_last).requires_grad_()
    (gradient,) = torch.autograd.grad(distance(flat).sum(), flat)
    return gradient.mean(1).abs().unflatten(0, noise.shape[:2]).sum(1)


def pair_saliency(embed: Embed, images: Tensor, references: Tensor, noise: Tensor) -> Tensor:
    """How much each pixel moves an image's cosine similarity with another image, whose embedding is held.

    Explained is a similarity of two images, either side by itself, as Stylianou et al. 2019 ("Visualizing deep
    similarity networks") do. They divide the similarity among the places of the pooled feature map; Chen et al. 2020
    ("Adapting Grad-CAM for embedding networks") weight feature maps by gradients of triplets. Here it is the gradient
    at the pixels, by `smoothgrad`: nothing needs to be known of the network, but what is found is where small changes
    move the similarity, up or down, and not how much of it comes from there.

    Args:
        embed: inputs (N, C, H, W) -> embeddings (N, D) of length 1.
        images: float (B, C, H, W), normalised.
        references: float (B, D), the embeddings of the other images, of length 1.
        noise: as for `smoothgrad`.

    Returns:
        float (B, H, W), at least 0.

    >>> def embed(images):  # the right column is not looked at
    ...     return torch.nn.functional.normalize(images[:, 0, :, 0])
    >>> image, other = torch.tensor([[[[1.0, 7.0], [0.0, 7.0]]]]), torch.tensor([[0.6, 0.8]])
    >>> pair_saliency(embed, image, other, torch.zeros(1, 1, 1, 2, 2))[0].tolist()
    [[0.0, 0.0], [0.800000011920929, 0.0]]
    """
    return smoothgrad(lambda copies: distances("cosine", embed(copies), references), images, noise)


def integrated_gradients(distance: Distance, images: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """Captum's integrated gradients of the distance from a baseline image (Sundararajan et al. 2017).

    Args:
        distance: as for `smoothgrad`.
        images: float (B, C, H, W), normalised.
        baseline: float (1, C, H, W), normalised.
        steps: of the integration.

    Returns:
        float (B, H, W), at least 0: the absolute value of the signed channel mean, as for `smoothgrad`.
    """
    from captum.attr import IntegratedGradients  # takes half a second, and the study's method does not need it

    method = IntegratedGradients(distance)
    found = method.attribute(images, baseline.expand_as(images), n_steps=steps, internal_batch_size=256)
    return found.mean(1).abs()


def grad_cam(distance: Distance, images: Tensor, layer: nn.Module) -> Tensor:
    """Captum's Grad-CAM of the distance at the last feature map (Selvaraju et al. 2017).

    Args:
        distance: as for `smoothgrad`.
        images: float (B, C, H, W), normalised.
        layer: the module whose output is the last feature map.

    Returns:
        float (B, H, W), at least 0, enlarged from the feature map by bilinear interpolation.
    """
    from captum.attr import LayerGradCam

    found = LayerGradCam(distance, layer).attribute(images, relu_attributions=True)
    return interpolate(found, images.shape[2:], mode="bilinear")[:, 0].detach()


def attention_map(saliency: Tensor) -> Tensor:
    """Scale saliency to [0, 1]: (g - min) / (99th percentile - min), clamped.

    Args:
        saliency: float (B, H, W).

    Returns:
        float (B, H, W); all zeros where the 99th percentile is the minimum.

    >>> attention_map(torch.arange(101.0).reshape(1, 1, 101))[0, 0, [0, 33, 99, 100]].tolist()
    [0.0, 0.3333333432674408, 1.0, 1.0]
    """
    flat = saliency.flatten(1)
    low = flat.amin(1, keepdim=True)
    high = _percentile_99(flat)
    scaled = ((flat - low) / (high - low)).nan_to_num(0.0).clamp(0, 1)
    return scaled.reshape(saliency.shape)


def _percentile_99(flat: Tensor) -> Tensor:
    """As `flat.quantile(0.99, dim=1, keepdim=True)`, of which only the largest hundredth is sorted."""
    rank = 0.99 * (flat.shape[1] - 1)  # from the smallest, between two values
    below = int(rank)
    largest = flat.topk(flat.shape[1] - below, dim=1).values
    return torch.lerp(largest[:, -1:], largest[:, -2:-1], rank - below) if rank > below else largest[:, -1:]


def attention_score(attention: Tensor, masks: Tensor) -> Tensor:
    """How much of the attention falls on the object beyond its share of the area.

    With p = sum(M) / N over N pixels and a = sum(A * M) / sum(A): (a - p) / (1 - p) (Kobs & Hotho 2022).
    0: as much as its area alone would get; 1: all of it; negative: less.

    Args:
        attention: A, float (B, H, W), at least 0.
        masks: M, soft foreground masks, float (B, H, W) in [0, 1].

    Returns:
        float (B,); NaN where the score is undefined: an empty mask, a full mask, no attention at all.

    >>> mask = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
    >>> attention_score(torch.tensor([[[1.0, 1.0, 1.0, 1.0]]]), mask).item()
    0.0
    >>> round(attention_score(torch.tensor([[[3.0, 1.0, 0.0, 0.0]]]), mask).item(), 4)
    0.6667
    """
    p = masks.mean((1, 2))
    a = (attention * masks).sum((1, 2)) / attention.sum((1, 2))
    return torch.where((p > 0) & (p < 1), (a - p) / (1 - p), torch.nan)
