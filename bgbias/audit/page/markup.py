"""HTML put together from elements; all text is escaped unless it is HTML already."""

import html

VOID = ("img", "meta")


class Html(str):
    """HTML, put in as it is. Only `tag` and `joined` make it, and texts of this project."""

    __slots__ = ()


def joined(*parts: str) -> Html:
    """Join parts one after another, text escaped.

    >>> joined("a < b", Html("<br>"))
    'a &lt; b<br>'
    """
    return Html("".join(part if isinstance(part, Html) else _escaped(part) for part in parts))


def tag(name: str, /, *inside: str, **attributes: object) -> Html:
    """Return an element.

    Args:
        name: of the element.
        inside: text, which is escaped, and elements.
        attributes: class_ is written class, aria_label aria-label; those that are None are left out.

    >>> tag("p", "a < b", tag("b", "c"), class_="wide", title=None)
    '<p class="wide">a &lt; b<b>c</b></p>'
    """
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    opened = "".join([f"<{name}", *(f' {key}="{_escaped(str(value))}"' for key, value in named.items()), ">"])
    return Html(opened if name in VOID else f"{opened}{joined(*inside)}</{name}>")


def _escaped(text: str) -> str:
    """Also names of files that are no UTF-8, which Python reads as lone surrogates and cannot write."""
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))
