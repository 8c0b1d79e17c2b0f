"""Scores of repeats, over draws of backgrounds and over training seeds: means and standard deviations."""

from math import isnan, nan
from statistics import mean, stdev

from bgbias.metrics.names import SD

Scores = dict[str, float]


def over(repeats: list[Scores], suffix: str) -> Scores:
    """The mean of each score, and where there are several repeats, its sample standard deviation.

    Args:
        repeats: the same scores of each repeat.
        suffix: of the standard deviation's name. Scores that are standard deviations themselves get none, nor counts.

    >>> over([{"recall_at_1": 0.25}, {"recall_at_1": 0.75}], "_sd")
    {'recall_at_1': 0.5, 'recall_at_1_sd': 0.3535533905932738}
    >>> over([{"recall_at_1": 0.25}], "_sd")
    {'recall_at_1': 0.25}
    """
    columns = {name: [repeat[name] for repeat in repeats] for name in repeats[0]}
    merged = {name: mean(values) for name, values in columns.items()}
    for name, values in columns.items():
        if len(repeats) > 1 and isinstance(values[0], float) and not name.endswith("_sd"):
            merged[f"{name}{suffix}"] = stdev(values) if not any(map(isnan, values)) else nan
    return merged


def over_views(seeds: list[dict[str, Scores]]) -> dict[str, Scores]:
    """`over` for each view: of each seed view -> scores.

    >>> over_views([{"clean": {"map_at_r": 0.5}}, {"clean": {"map_at_r": 0.5}}])
    {'clean': {'map_at_r': 0.5, 'map_at_r_seeds_sd': 0.0}}
    """
    return {view: over([seed[view] for seed in seeds], SD) for view in seeds[0]}
