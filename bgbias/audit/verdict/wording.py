"""Estimates as text, and what their intervals show."""

from collections.abc import Sequence

from bgbias.metrics.sample_size import FEWEST
from bgbias.report.tables import end

Estimate = dict  # value, low, high: float or None; queries, classes, undefined: int. See `bootstrap.Estimate`


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

    >>> interval({"low": 0.1, "high": 0.25, "queries": 40, "classes": 8})
    '95 % interval 10.0 to 25.0, 8 classes'
    """
    return f"95 % interval {ends(estimate)}, {counted(estimate)}"


def intervals(estimates: Sequence[tuple[str, Estimate]]) -> str:
    """Write the intervals of one estimate or several, each with how it was made.

    >>> of = {"queries": 40, "classes": 8}
    >>> one, other = {"low": 0.1, "high": 0.25} | of, {"low": 0.0, "high": 0.125} | of
    >>> intervals([("by grabcut", one), ("on walls", other)])
    '95 % intervals 10.0 to 25.0 by grabcut, 0.0 to 12.5 on walls, 8 classes'
    >>> intervals([("", one)])
    '95 % interval 10.0 to 25.0, 8 classes'
    """
    if len(estimates) == 1:
        return interval(estimates[0][1])
    listed = ", ".join(f"{ends(estimate)} {how}" for how, estimate in estimates)
    return f"95 % intervals {listed}, {counted(*(estimate for _, estimate in estimates))}"


def counted(*estimates: Estimate) -> str:
    """Say of how many classes estimates are; and where no interval has any width, that this is as all are alike.

    Of one query a class, queries are said.

    >>> alike = {"low": 0.0, "high": 0.0, "queries": 40, "classes": 8}
    >>> counted(alike), counted(alike, {"low": 0.1, "high": 0.25, "queries": 40, "classes": 8})
    ('8 classes, all alike: up to 31 % of others may not be', '8 classes')
    >>> counted({"low": 0.1, "high": 0.25, "queries": 8, "classes": 8})
    '8 queries'
    """
    count = estimates[0]["classes"]
    of = f"{count} {'queries' if count == estimates[0]['queries'] else 'classes'}"
    if any(estimate["low"] < estimate["high"] for estimate in estimates):
        return of
    return f"{of}, all alike: up to {100 * may_be_unlike(count):.0f} % of others may not be"


def may_be_unlike(alike: int) -> float:
    """Bound the share of classes that are unlike so many, drawn from them, that are all alike.

    The exact one-sided 95 % bound (Clopper & Pearson 1934), some 3 / n ("rule of three", Hanley & Lippman-Hand 1983).

    >>> round(may_be_unlike(10), 3), round(may_be_unlike(100), 3)
    (0.259, 0.03)
    """
    return 1 - 0.05 ** (1 / alike)


def most(drop: Estimate) -> float:
    """Bound a drop by its interval; where no class loses anything, by how many others may lose all.

    >>> most({"low": -0.1, "high": 0.25, "classes": 8}), round(most({"low": 0.0, "high": 0.0, "classes": 8}), 3)
    (0.25, 0.312)
    >>> most({"low": -0.1, "high": 0.0, "classes": 8}), most({"low": -0.1, "high": -0.1, "classes": 8})
    (0.0, -0.1)
    """
    return may_be_unlike(drop["classes"]) if drop["low"] == drop["high"] == 0 else drop["high"]


def ends(estimate: Estimate) -> str:
    """Write the ends of an interval, so that the side of 0 of each is seen.

    >>> ends({"low": 0.1, "high": 0.25}), ends({"low": -0.0004, "high": 0.0})
    ('10.0 to 25.0', '-0.04 to 0.0')
    """
    return f"{end(100 * estimate['low'])} to {end(100 * estimate['high'])}"


def side(estimate: Estimate, level: float) -> int:
    """1: above a level, -1: below, 0: the interval holds it.

    >>> side({"low": 0.1, "high": 0.3}, 0.0), side({"low": 0.1, "high": 0.3}, 0.2)
    (1, 0)
    """
    return (estimate["low"] > level) - (estimate["high"] < level)


def concluded(estimate: Estimate, said: str) -> str:
    """Write after a colon what an estimate shows; "" where its classes are too few to conclude anything.

    >>> concluded({"classes": 5}, "the loss depends on the masks"), concluded({"classes": 4}, "it does")
    (': the loss depends on the masks', '')
    """
    return f": {said}" if estimate["classes"] >= FEWEST else ""


def unshown(*estimates: tuple[str, Estimate], what: str = "no effect is shown") -> str:
    """Say of intervals that hold 0, each with how it was made, that they do; "" where none does, or there is none.

    >>> above, open_ = {"low": 0.1, "high": 0.3}, {"low": -0.1, "high": 0.3}
    >>> unshown(("", open_)), unshown(("", above)), unshown(("by given", above), ("by grabcut", open_))
    ('; no effect is shown', '', '; by grabcut, no effect is shown')
    """
    ways = [how for how, estimate in estimates if estimate["low"] is not None and not side(estimate, 0)]
    by = f"{' and '.join(ways)}, " if len(ways) < len(estimates) else ""
    return f"; {by}{what}" if ways else ""


def aside(estimate: Estimate, above: str, below: str) -> tuple[str, str]:
    """Say how far an estimate is from 0, and by a word on which side; and its interval, likewise without a sign.

    >>> aside({"value": -0.2, "low": -0.3, "high": -0.1, "queries": 40, "classes": 8}, "more", "less")
    ('20.0 points less', '95 % interval 10.0 to 30.0, 8 classes')
    """
    word, shown = (below, negative(estimate)) if estimate["value"] < 0 else (above, estimate)
    return f"{points(shown)} {word}", interval(shown)


def negative(estimate: Estimate) -> Estimate:
    """Turn a drop into a gain."""
    return estimate | {"value": -estimate["value"], "low": -estimate["high"], "high": -estimate["low"]}
