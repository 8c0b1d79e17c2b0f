"""What a random ranking scores: by hand, by simulation, by retrieval of random embeddings."""

import pytest
import torch
from torch.nn.functional import normalize

from bgbias.metrics.chance import chance
from bgbias.metrics.retrieval import per_query

LABELS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3])  # 3 is lone


def test_chance_by_hand():
    # of three references two are of the class: orders hh-, h-h, -hh; R = 2
    found = chance(torch.tensor([0, 0, 0, 1]))
    assert found["recall_at_1"][0].item() == found["r_precision"][0].item() == pytest.approx((1 + 1 + 0) / 3)
    assert (found["r_precision"][0]).item() == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found["map_at_r"][0].item() == pytest.approx((1 + 0.5 + 0.25) / 3)


def test_chance_is_what_random_rankings_score_on_average():
    source, times = torch.Generator().manual_seed(0), 20_000
    expected = chance(LABELS)
    for query in (0, 5, 8):
        hits = LABELS[torch.arange(len(LABELS)) != query] == LABELS[query]
        order = torch.rand(times, len(hits), generator=source).argsort(1)
        r = int(hits.sum())
        top = hits[order][:, :r].double()
        precision = top.cumsum(1) / torch.arange(1, r + 1)
        assert top[:, 0].mean().item() == pytest.approx(expected["recall_at_1"][query].item(), abs=0.015)
        assert top.mean().item() == pytest.approx(expected["r_precision"][query].item(), abs=0.015)
        assert (precision * top).mean().item() == pytest.approx(expected["map_at_r"][query].item(), abs=0.015)


def test_random_embeddings_score_chance():
    source = torch.Generator().manual_seed(0)
    labels = torch.arange(80).repeat(20)
    points = normalize(torch.randn(len(labels), 32, generator=source))
    found, expected = per_query(points, points, labels, [1]), chance(labels)
    for name, tolerance in (("recall_at_1", 0.01), ("r_precision", 0.002), ("map_at_r", 0.0005)):
        assert found[name].mean().item() == pytest.approx(expected[name].mean().item(), abs=tolerance)


def test_rows_are_those_of_retrieval():
    points = normalize(torch.randn(len(LABELS), 4, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(chance(LABELS)["rows"], per_query(points, points, LABELS, [1])["rows"])


def test_lone_query_is_not_counted_but_is_a_reference():
    assert chance(LABELS)["rows"].tolist() == list(range(10))
    assert chance(LABELS)["recall_at_1"][0].item() == 0.4


def test_two_photos_of_one_class_cannot_be_missed():
    assert all(chance(torch.tensor([5, 5]))[name].tolist() == [1, 1] for name in ("recall_at_1", "map_at_r"))


def test_only_lone_queries_are_refused():
    with pytest.raises(ValueError, match="every class has a single photo"):
        chance(torch.arange(3))
