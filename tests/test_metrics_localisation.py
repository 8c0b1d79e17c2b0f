"""Whether attention lies on the object: by hand, by brute force, ties shared."""

import pytest
import torch

from bgbias.metrics.localisation import pointing_game, relevance_rank_accuracy
from bgbias.photos.foreground import OBJECT

MASK = torch.tensor([[[1.0, 0.9, 0.5], [0.4, 0.0, 0.0]]])  # three pixels are the object's


def test_relevance_rank_accuracy_by_hand():
    attention = torch.tensor([[[9.0, 1.0, 5.0], [7.0, 0.0, 0.0]]])  # the top three: 9, 7, 5
    assert relevance_rank_accuracy(attention, MASK).item() == pytest.approx(2 / 3)


def test_measures_equal_brute_force_over_all_orders_of_tied_pixels():
    source = torch.Generator().manual_seed(0)
    attention = torch.randint(0, 3, (6, 4, 5), generator=source).float()  # many ties
    masks = torch.rand(6, 4, 5, generator=source)
    for i in range(6):
        on_object = (masks[i] >= 0.5).flatten()
        m, hits, points = int(on_object.sum()), 0.0, 0.0
        for _ in range(4000):
            shuffle = torch.randperm(20, generator=source)
            order = shuffle[attention[i].flatten()[shuffle].argsort(descending=True, stable=True)]
            hits += on_object[order[:m]].double().mean().item() / 4000
            points += on_object[order[0]].item() / 4000
        assert relevance_rank_accuracy(attention, masks)[i].item() == pytest.approx(hits, abs=0.02)
        assert pointing_game(attention, masks)[i].item() == pytest.approx(points, abs=0.03)


def test_most_attended_pixel_on_or_off_the_object():
    attention = torch.zeros(2, 2, 3)
    attention[0, 0, 2] = attention[1, 1, 0] = 1  # mask 0.5: on it; 0.4: beside it
    assert pointing_game(attention, MASK.expand(2, 2, 3)).tolist() == [1, 0]


def test_a_pixel_is_the_object_s_where_it_is_in_the_mask_s_bytes():
    levels = torch.arange(256)
    masks, attention = levels[:, None, None] / 255 * torch.tensor([[1.0, 0.0]]), torch.tensor([[[1.0, 0.0]]])
    on_object = pointing_game(attention.expand(256, 1, 2), masks)
    assert torch.equal(on_object == 1, levels >= OBJECT)


@pytest.mark.parametrize("measure", [relevance_rank_accuracy, pointing_game])
def test_all_attention_on_the_object_is_one_and_all_beside_it_zero(measure):
    on_object = (MASK >= 0.5).float()
    assert measure(on_object, MASK).item() == 1
    assert measure(1 - on_object, MASK).item() == 0


@pytest.mark.parametrize("measure", [relevance_rank_accuracy, pointing_game])
def test_flat_attention_gives_the_object_s_share_of_the_area(measure):
    assert measure(torch.zeros(1, 2, 3), MASK).item() == 0.5


@pytest.mark.parametrize("measure", [relevance_rank_accuracy, pointing_game])
def test_only_the_order_of_attention_matters(measure):
    attention = torch.rand(5, 2, 3, generator=torch.Generator().manual_seed(0))
    masks = MASK.expand(5, 2, 3)
    assert torch.equal(measure(attention, masks), measure(attention.exp() * 3 - 7, masks))


@pytest.mark.parametrize("measure", [relevance_rank_accuracy, pointing_game])
def test_an_object_of_no_or_every_pixel_is_undefined(measure):
    masks = torch.stack([torch.zeros(2, 3), torch.ones(2, 3), MASK[0]])
    assert measure(torch.rand(3, 2, 3), masks).isnan().tolist() == [True, True, False]


@pytest.mark.parametrize("measure", [relevance_rank_accuracy, pointing_game])
def test_other_shapes_and_broken_attention_are_refused(measure):
    with pytest.raises(ValueError, match=r"attention \(1, 3, 2\) and masks \(1, 2, 3\) differ"):
        measure(torch.rand(1, 3, 2), MASK)
    with pytest.raises(ValueError, match="attention is not finite"):
        measure(torch.full((1, 2, 3), torch.nan), MASK)
