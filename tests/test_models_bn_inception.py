"""BN-Inception against the network that it is meant to be, and frozen batch norm."""

import pytest
import torch
from bn_inception_reference import images
from captum.attr import LayerGradCam
from torch.nn.functional import avg_pool2d

from bgbias.models.bn_inception import BNInception
from bgbias.training.batch_norm import freeze_batch_norm


@pytest.fixture
def network(reference):
    network = BNInception().eval()
    network.load_state_dict(reference.state_dict())
    return network


def test_weights_have_the_published_names_and_shapes_in_the_same_order(reference):
    expected = [(name, tensor.shape) for name, tensor in reference.state_dict().items()]
    assert [(name, tensor.shape) for name, tensor in BNInception().state_dict().items()] == expected


@pytest.mark.parametrize(("px", "side"), [(64, 2), (224, 7), (227, 7), (256, 8)])
def test_the_last_map_is_the_reference_s_to_the_bit(network, reference, px, side):
    seen = []
    network.features.register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        network(images(px))
        expected = reference.features(images(px))
    assert seen[0].shape == (2, 1024, side, side) and torch.equal(seen[0], expected)
    assert expected.std() > 0.1 and (expected[0] - expected[1]).std() > 0.01  # neither dead nor blind


@torch.no_grad()
def test_features_at_the_study_s_227_pixels_are_the_reference_s_to_the_bit(network, reference):
    assert torch.equal(network(images(227)), reference(images(227)))


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(256, 256), (256, 227), (64, 128)])
def test_features_at_other_sizes_are_the_mean_of_the_reference_s_last_map(network, reference, height, width):
    batch = images(256)[..., :height, :width]
    expected = reference.features(batch)
    assert torch.equal(network(batch), avg_pool2d(expected, expected.shape[2:]).flatten(1))
    assert torch.allclose(network(batch), expected.mean((2, 3)), atol=1e-5)


@torch.no_grad()
def test_channels_last_changes_nothing_but_rounding(network):
    expected = network(images(227))
    network.to(memory_format=torch.channels_last)
    features = network(images(227).contiguous(memory_format=torch.channels_last))
    assert torch.allclose(features, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(64, 5), (64, 30), (62, 64), (64, 71), (232, 227)])
def test_a_size_that_cannot_be_halved_evenly_is_refused(network, reference, height, width):
    batch = torch.zeros(1, 3, height, width)
    with pytest.raises(
        ValueError, match=f"cannot halve images of {height} x {width} pixels evenly: each side must have"
    ):
        network(batch)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match|Output size is too small"):
        reference.features(batch)


def test_every_weight_gets_a_gradient_and_so_does_the_picture(network):
    batch = images(64).requires_grad_()
    network(batch).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())
    assert batch.grad.any()


def test_grad_cam_finds_the_last_map(network):
    heat = LayerGradCam(lambda batch: network(batch).square().sum(1), network.features).attribute(images(64))
    assert heat.shape == (2, 1, 2, 2) and heat.abs().sum() > 0


def test_frozen_batch_norm_keeps_its_statistics_while_its_weights_train(network):
    for _ in range(2):
        network.train()
        freeze_batch_norm(network)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(images(64)).mean().backward()
    optimizer.step()
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    for name, tensor in network.state_dict().items():
        if name.endswith(statistics) or "_bn." in name:
            assert torch.equal(tensor, before[name]) == name.endswith(statistics), name
    assert network.training and network.features.training


def test_without_freezing_the_statistics_move(network):
    before = network.conv1_7x7_s2_bn.running_mean.clone()
    network.train()(images(64))
    assert not torch.equal(network.conv1_7x7_s2_bn.running_mean, before)
