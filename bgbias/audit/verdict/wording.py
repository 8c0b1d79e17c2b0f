"""Estimates as text, and what their intervals show."""

from collections.abc import Sequence

Estimate = dict  # of `bootstrap.Estimate`


def percent(estimate: Estimate) -> str:
    """Write a share in percent.

    >>> percent({"value": 0.908})
    '90.8 %'
    """
    return f"{100 * estimate['value']:.1f} %"


def points(*estimates: Estimate) -> str:
    """Write an estimate in points of a hundred, or the range of several; no sign before zero.

    >>> points({"value": 0.528}, {"value": 0.394}), points({"value": -0.0001}, {"value": 0.0})
    ('39.4 to 52.8 points', '0.0 points')
    """
    return f"{span(*estimates, digits=1)} points"


def span(*estimates: Estimate, digits: int) -> str:
    """Write an estimate times a hundred, or the range of several that do not read alike.

    >>> span({"value": 0.67}, {"value": 0.53}, digits=0), span({"value": 0.671}, {"value": 0.669}, digits=0)
    ('53 to 67', '67')
    """
    values = sorted(100 * estimate["value"] for estimate in estimates)
    return " to ".join(dict.fromkeys(f"{value:z.{digits}f}" for value in (values[0], values[-1])))


def interval(estimate: Estimate) -> str:
    """Write the interval of an estimate, and of how many classes.

    >>> interval({"low": 0.1, "high": 0.25, "classes": 8})
    '95 % interval 10.0 to 25.0, 8 classes'
    """
    return f"95 % interval {ends(estimate)}, {estimate['classes']} classes"


def intervals(estimates: Sequence[tuple[str, Estimate]]) -> str:
    """Write the intervals of one estimate or several, each with how it was made.

    >>> one, other = {"low": 0.1, "high": 0.25, "classes": 8}, {"low": 0.0, "high": 0.125, "classes": 8}
    >>> intervals([("by grabcut", one), ("on walls", other)])
    '95 % intervals 10.0 to 25.0 by grabcut, 0.0 to 12.5 on walls, 8 classes'
    >>> intervals([("", one)])
    '95 % interval 10.0 to 25.0, 8 classes'
    """
    if len(estimates) == 1:
        return interval(estimates[0][1])
    listed = ", ".join(f"{ends(estimate)} {how}" for how, estimate in estimates)
    return f"95 % intervals {listed}, {estimates[0][1]['classes']} classes"


def ends(estimate: Estimate) -> str:
    """Write the ends of an interval.

    >>> ends({"low": 0.1, "high": 0.25})
    '10.0 to 25.0'
    """
    return f"{100 * estimate['low']:.1f} to {100 * estimate['high']:.1f}"


def side(estimate: Estimate, level: float) -> int:
    """1: above a level, -1: below, 0: the interval holds it.

    >>> side({"low": 0.1, "high": 0.3}, 0.0), side({"low": 0.1, "high": 0.3}, 0.2)
    (1, 0)
    """
    return (estimate["low"] > level) - (estimate["high"] < level)


def negative(estimate: Estimate) -> Estimate:
    """Turn a loss into a gain."""
    return estimate | {"value": -estimate["value"], "low": -estimate["high"], "high": -estimate["low"]}
