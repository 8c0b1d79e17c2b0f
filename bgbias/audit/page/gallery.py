"""Photos with their nearest neighbours, attention and masks, embedded into the page."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from bgbias.audit.measures.examples import Masked, Row
from bgbias.audit.page.markup import Html, joined, tag
from bgbias.errors import InputError
from bgbias.report import overlays

LONGEST_PX, QUALITY = 224, 82  # some 10 KB a photo
NOTHING_LOST = (
    "No search that is right on a photo as it is goes wrong on its first random background (doubtful masks aside)."
)
SHEET_PX = 3 * 112  # three pictures side by side


def before_and_after(rows: Sequence[Row]) -> Html:
    """Show the first row as everyone reads it: the photo and what it finds, then the same on another background."""
    if not rows:
        return tag("p", NOTHING_LOST, class_="lead")
    first = rows[0]
    halves = [_half(first, "clean", "This photo"), _half(first, "swapped", "The same on another background")]
    caption = "The search that loses most: the worst case, not a usual one."
    return joined(tag("div", *halves, class_="before-after"), tag("p", caption, class_="counted"))


def _half(shown: Row, view: str, name: str) -> Html:
    photo, neighbours = getattr(shown, view), getattr(shown, f"neighbours_{view}")
    arrow = tag("span", "→", class_="arrow", aria_hidden="true")
    return tag(
        "div", _figure(photo, f"{name}: {shown.class_name}", name), arrow, _neighbour("It finds", *neighbours[0])
    )


def sheet(masked: Sequence[Masked]) -> Html:
    """Show photos, masks and cut-outs side by side."""
    shown = [
        tag("figure", _image(np.concatenate(one[1:], 1), f"Photo, mask and cut-out of {one.path}", SHEET_PX))
        for one in masked
    ]
    return tag("div", *shown, class_="sheet")


def row(shown: Row) -> Html:
    """Show a query and its neighbours: a strip for the clean photo, one for the swapped photo."""
    head = tag("h3", shown.class_name, *([] if shown.one_each else [tag("code", shown.path)]))
    return tag("article", head, _strip(shown, "clean"), _strip(shown, "swapped"), class_="row")


def _strip(shown: Row, view: str) -> Html:
    parts = ("{}", "neighbours_{}", "attention_{}", "pair_{}")
    photo, neighbours, attention, pair = (getattr(shown, part.format(view)) for part in parts)
    right = [neighbour[2] for neighbour in neighbours]
    caption = f"{view.capitalize()}: {sum(right)} of {len(neighbours)} right"
    if shown.one_each:
        found = f"found at rank {right.index(True) + 1}" if any(right) else "not among these"
        caption = f"{view.capitalize()}: {found}"
    query = [_figure(photo, f"The query, {view}: {shown.class_name}", caption)]
    retrieved = [_neighbour(f"Neighbour {number}", *neighbour) for number, neighbour in enumerate(neighbours, start=1)]
    if attention is not None:
        query.append(_figure(overlay(photo, attention), f"Where the model looks in it, {view}", "Attention"))
    if pair:  # each map beside its photo
        maps = overlay(photo, pair[0]), overlay(neighbours[0][0], pair[1])
        query.append(_figure(maps[0], f"What makes it like neighbour 1, {view}", "Like neighbour 1"))
        retrieved.insert(1, _figure(maps[1], f"What makes neighbour 1 like the query, {view}", "Like the query"))
    kind = "strip explained" if pair else "strip alone" if attention is None else "strip"
    return tag("div", tag("div", *query, class_="query"), tag("div", *retrieved, class_="found"), class_=kind)


def _neighbour(which: str, photo: np.ndarray, name: str, right: bool) -> Html:
    verdict = "right" if right else "wrong"
    sign = tag("span", "✓" if right else "✗", class_="sign", aria_hidden="true")
    return _figure(photo, f"{which}, {verdict}: {name}", name, verdict, sign)


def _figure(photo: np.ndarray, alt: str, caption: str, kind: str | None = None, sign: str = "") -> Html:
    caption = tag("figcaption", caption)
    return tag("figure", tag("div", _image(photo, alt), sign, class_="picture"), caption, class_=kind)


def _image(photo: np.ndarray, alt: str, longest_px: int = LONGEST_PX) -> Html:
    height, width = photo.shape[:2]
    source = data_uri(photo, longest_px)
    return tag("img", src=source, alt=alt, width=width, height=height, loading="lazy", decoding="async")


def data_uri(photo: np.ndarray, longest_px: int = LONGEST_PX) -> str:
    """Return a photo, uint8 (H, W, 3), as a JPEG in a data: URI, shrunk to 224 px where it is larger."""
    picture = Image.fromarray(photo)
    picture.thumbnail((longest_px, longest_px))
    written = io.BytesIO()
    picture.save(written, format="JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode("ascii")


def overlay(photo: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """Lay an attention map, float (S, S) in [0, 1], over its photo, uint8 (S, S, 3); see `overlays.overlay`.

    Raises:
        ValueError: the map is of another size than the photo.
    """
    if attention.shape != photo.shape[:2]:
        raise InputError(f"attention {attention.shape} of a photo {photo.shape[:2]}: enlarge it to the photo's size")
    return overlays.overlay(photo, (attention * 255).round().astype(np.uint8))
