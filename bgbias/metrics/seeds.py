"""What other training seeds would move, as several of them tell it (numbers only)."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy import special

from bgbias.metrics.bootstrap import LEVEL
from bgbias.metrics.names import SD

Z = float(special.ndtri((1 + LEVEL) / 2))


class Spread(NamedTuple):
    """How far a figure, the mean over several seeds, may lie from that of all seeds.

    Attributes:
        variance: of the mean.
        freedom: its degrees of freedom, seeds - 1.
    """

    variance: float
    freedom: int


def spread(sd: float, seeds: int) -> Spread:
    """Return the spread of a mean over networks of several training seeds.

    Args:
        sd: their sample standard deviation.
        seeds: how many, 2 or more.

    >>> spread(0.03, 3)
    Spread(variance=0.0003, freedom=2)
    """
    return Spread(sd**2 / seeds, seeds - 1)


def spreads(metrics: Mapping) -> dict[str, Spread]:
    """Return how far the figures of a regime may lie from those of all seeds: measure -> spread; nothing of one seed.

    Args:
        metrics: as the stage evaluate records them.

    >>> spreads({"seeds": 3, "clean": {"map_at_r": 0.5, "map_at_r_seeds_sd": 0.03}})
    {'map_at_r_clean': Spread(variance=0.0003, freedom=2)}
    """
    sds = {
        f"{name.removesuffix(SD)}_{view}": sd
        for view, scores in metrics.items()
        if isinstance(scores, Mapping)
        for name, sd in scores.items()
        if name.endswith(SD)
    }
    sds |= {f"attention_score_{view}": score.get(f"mean{SD}") for view, score in metrics.get("attention", {}).items()}
    seeds = metrics["seeds"]
    return {name: spread(math.nan if sd is None else sd, seeds) for name, sd in sds.items()} if seeds > 1 else {}


def widened(value: float, low: float, high: float, spreads: Sequence[Spread]) -> tuple[float, float]:
    """Widen the interval of a difference, that of the networks as trained, by what other seeds would change.

    The variances of classes and seeds add up, on either side of the value, as if the seeds of what differs were
    independent. Those of seeds are known from few, so Student's t takes the place of the normal quantile, with the
    degrees of freedom of Welch and Satterthwaite (Welch 1947, The generalization of Student's problem). What seeds
    change from class to class is in both variances: the result is rather too wide than too narrow.

    The same seed draws the same photos in two regimes, so their figures may move together. Simulated with three seeds,
    the interval holds the truth in 95 of 100 cases where they are independent, in 97 to 98 where their correlation is
    0.6, and in 90 to 95 where it is -0.5. Of 21 networks of the demo and of packages (three seeds each of 3 and of 4
    regimes, Recall@1 and MAP@R, clean and swapped) it is 0.25 on average, of eight figures from -0.3 to 0.6. Pairing
    the seeds would hold the truth in 91 to 96 of 100 whatever the correlation, but be wider up to one of some 0.2, for
    then it knows the variance of seeds from half as many degrees of freedom; so they are not paired.

    Args:
        value: the difference.
        low: lower end of its 95 % interval by bootstrap over classes.
        high: upper end.
        spreads: of the figures that differ; none for a figure of one network, which is taken as it is.

    Returns:
        Both ends; NaN where a number is.

    >>> low, high = widened(0.04, 0.01, 0.07, [spread(0.03, 3), spread(0.01, 3)])
    >>> round(low, 3), round(high, 3)
    (-0.016, 0.096)
    """
    seeds = sum(one.variance for one in spreads)
    if seeds == 0:
        return low, high
    classes = ((high - low) / (2 * Z)) ** 2
    freedom = (classes + seeds) ** 2 / sum(one.variance**2 / one.freedom for one in spreads)
    longer = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) / Z
    below, above = (longer * math.hypot(end - value, Z * math.sqrt(seeds)) for end in (low, high))
    return value - below, value + above
