"""Photos with their nearest neighbours and attention, embedded into the page."""

import base64
import io

import numpy as np
from PIL import Image

from bgbias.audit.examples import Row
from bgbias.audit.page.markup import Html, tag
from bgbias.errors import InputError
from bgbias.report import figures

LONGEST_PX, QUALITY = 224, 82  # some 10 KB a photo


def row(shown: Row) -> Html:
    """Show a query and its neighbours: a strip for the clean photo, one for the swapped photo."""
    head = tag("h3", shown.class_name, tag("code", shown.path))
    return tag("article", head, _strip(shown, "clean"), _strip(shown, "swapped"), class_="row")


def _strip(shown: Row, view: str) -> Html:
    parts = ("{}", "neighbours_{}", "attention_{}", "pair_{}")
    photo, neighbours, attention, pair = (getattr(shown, part.format(view)) for part in parts)
    right = sum(neighbour[2] for neighbour in neighbours)
    caption = f"{view.capitalize()}: {right} of {len(neighbours)} right"
    query = [_figure(photo, f"The query, {view}: {shown.class_name}", caption)]
    retrieved = [_neighbour(number, *neighbour) for number, neighbour in enumerate(neighbours, start=1)]
    if attention is not None:
        query.append(_figure(overlay(photo, attention), f"Where the model looks in it, {view}", "Attention"))
    if pair:  # each map beside its photo
        maps = overlay(photo, pair[0]), overlay(neighbours[0][0], pair[1])
        query.append(_figure(maps[0], f"What makes it like neighbour 1, {view}", "Like neighbour 1"))
        retrieved.insert(1, _figure(maps[1], f"What makes neighbour 1 like the query, {view}", "Like the query"))
    kind = "strip explained" if pair else "strip"
    return tag("div", tag("div", *query, class_="query"), tag("div", *retrieved, class_="found"), class_=kind)


def _neighbour(number: int, photo: np.ndarray, name: str, right: bool) -> Html:
    verdict = "right" if right else "wrong"
    sign = tag("span", "✓" if right else "✗", class_="sign", aria_hidden="true")
    return _figure(photo, f"Neighbour {number}, {verdict}: {name}", name, verdict, sign)


def _figure(photo: np.ndarray, alt: str, caption: str, kind: str | None = None, sign: str = "") -> Html:
    height, width = photo.shape[:2]
    picture = tag("img", src=data_uri(photo), alt=alt, width=width, height=height, loading="lazy", decoding="async")
    return tag("figure", tag("div", picture, sign, class_="picture"), tag("figcaption", caption), class_=kind)


def data_uri(photo: np.ndarray) -> str:
    """Return a photo, uint8 (H, W, 3), as a JPEG in a data: URI, shrunk to 224 px where it is larger."""
    picture = Image.fromarray(photo)
    picture.thumbnail((LONGEST_PX, LONGEST_PX))
    written = io.BytesIO()
    picture.save(written, format="JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode("ascii")


def overlay(photo: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """Apply `figures.overlay` to a photo that need not be square: filled up to a square, and cut again.

    Raises:
        ValueError: the map is of another size than the photo.
    """
    height, width = photo.shape[:2]
    if attention.shape != (height, width):
        raise InputError(f"attention {attention.shape} of a photo {(height, width)}: enlarge it to the photo's size")
    filled = (0, max(height, width) - height), (0, max(height, width) - width)
    weights = np.pad((attention * 255).round().astype(np.uint8), filled)
    return figures.overlay(np.pad(photo, (*filled, (0, 0))), weights)[:height, :width]
