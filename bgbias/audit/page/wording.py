"""Numbers as text: values, their intervals, what they were counted on."""

import re
from typing import NamedTuple

from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.verdict.wording import Estimate
from bgbias.report.tables import end

NOT_DEFINED, NO_INTERVAL, NOT_MEASURED = "not defined", "no interval", "not measured"
OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*)")  # of a command; a browser may break a line after its hyphens


class Unit(NamedTuple):
    """How a number is written: times `factor`, with `digits` decimals and the sign of its unit."""

    factor: float
    digits: int
    sign: str


PERCENT, POINTS, PLAIN = Unit(100, 1, "\u00a0%"), Unit(100, 1, "\u00a0points"), Unit(1, 2, "")


def number(value: float, unit: Unit) -> str:
    """Write a number without its unit, with a true minus sign, and none before a zero.

    >>> number(0.9127, PERCENT), number(-0.25, PLAIN), number(-0.0001, PERCENT)
    ('91.3', '−0.25', '0.0')
    """
    return f"{unit.factor * value:z.{unit.digits}f}".replace("-", "−")  # noqa: RUF001 (the true minus sign)


def value(estimate: Estimate, unit: Unit) -> str:
    """Write the value of an estimate, with its unit.

    >>> value({"value": 0.5}, PLAIN), value({"value": None}, PLAIN)
    ('0.50', 'not defined')
    """
    return NOT_DEFINED if estimate["value"] is None else number(estimate["value"], unit) + unit.sign


def interval(estimate: Estimate, unit: Unit) -> str:
    """Write the 95 % interval of an estimate; in points so that the side of 0 of each end is seen.

    >>> interval({"low": -0.0004, "high": 0.25}, POINTS), interval({"low": None, "high": None}, PERCENT)
    ('−0.04 to 25.0', 'no interval')
    """
    if estimate["low"] is None or estimate["high"] is None:
        return NO_INTERVAL
    ends = estimate["low"], estimate["high"]
    if unit is POINTS:
        return " to ".join(end(100 * one) for one in ends).replace("-", "−")  # noqa: RUF001 (the true minus sign)
    return " to ".join(number(one, unit) for one in ends)


def counts(estimate: Estimate) -> str:
    r"""Say what an estimate was counted on; of one query a class, queries alone.

    >>> counts({"queries": 1480, "classes": 1, "undefined": 2})
    '1,480\xa0queries, 1\xa0class; 2\xa0left\xa0out'
    >>> counts({"queries": 40, "classes": 40, "undefined": 0})
    '40\xa0queries'
    """
    text = many(estimate["queries"], "query", "queries")
    if estimate["classes"] != estimate["queries"]:
        text += f", {many(estimate['classes'], 'class', 'classes')}"
    return text + (f"; {estimate['undefined']:,}\u00a0left\u00a0out" if estimate["undefined"] else "")


def many(count: int, singular: str, plural: str) -> str:
    r"""Write a count and its noun, which stay on one line.

    >>> many(1, "photo", "photos"), many(2000, "photo", "photos")
    ('1\xa0photo', '2,000\xa0photos')
    """
    return f"{count:,}\u00a0{singular if count == 1 else plural}"


def kept_together(text: str) -> Html:
    r"""Return a sentence whose numbers stay on the line of their percent sign, and whose options stay whole.

    >>> kept_together("50 % by --mask-method rembg")
    '50\xa0% by <span class="whole">--mask-method</span> rembg'
    """
    parts = OPTION.split(text.replace(" %", "\u00a0%"))
    return joined(*(tag("span", part, class_="whole") if number % 2 else part for number, part in enumerate(parts)))


def command(words: str) -> Html:
    """Return a command that breaks between its words alone; what is copied is the command.

    >>> command("ls a-b")
    '<span class="whole">ls</span> <span class="whole">a-b</span>'
    """
    return Html(" ".join(tag("span", word, class_="whole") for word in words.split(" ")))
