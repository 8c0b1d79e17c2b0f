"""What makes an audit's figures doubtful: masks that look wrong or differ by kind, and near-duplicates."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bgbias.audit.inputs import views
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measures import second_masks
from bgbias.datasets import near_duplicates
from bgbias.errors import InputError
from bgbias.photos.extent import doubt_px
from bgbias.report.tables import masks_in_doubt, some_in_doubt

FLAGS = {key: key for key in ("empty", "border", "tiny", "soft")} | {"nearly_full": "full"}  # suspicion -> key
MOST_PAIRS = 100  # of near-duplicates, that are listed
ANY, FLIPS = "found by any model", "found by any model that has learnt with flips"


def of_masks(pictures: Pictures, scores: dict[str, dict]) -> dict:
    """Return the doubtful masks, the drop without their photos, and how far it moves with masks smaller or larger.

    Changed masks are seen on the backgrounds of the first draw, and compared with whole ones on the same: the drop with
    changed masks, less that of this draw with masks as they are, query by query.

    Args:
        pictures: of the audit.
        scores: what is measured -> its estimates.
    """
    of_changes = [f"{what}_{change}" for what in ("drop", "moved") for change in views.CHANGES]
    return {
        "flagged": flagged(pictures),
        "radius_px": doubt_px(pictures.input_px),
        "drop_without": scores.get("drop_without_doubtful"),
        **{name: scores[name] for name in of_changes if name in scores},
    }


def flagged(pictures: Pictures) -> dict[str, list[str]]:
    """Return what is doubtful of masks -> the paths of their photos, sorted."""
    kinds, paths = np.array(pictures.doubts), pictures.table.path.to_numpy()
    return {key: sorted(paths[kinds == kind]) for kind, key in FLAGS.items()}


def some(suspicions: Sequence[str], of: str = "") -> list[str]:
    """Say how many masks are in doubt, a sentence; nothing where none is.

    Args:
        suspicions: what is probably wrong with each, as of `Pictures.doubts`.
        of: what the masks are called, such as "val ".

    Raises:
        InputError: most are, so nothing can be concluded of backgrounds.
    """
    counts = {key: suspicions.count(kind) for kind, key in FLAGS.items() if kind in suspicions}
    if doubt := masks_in_doubt(counts, len(suspicions), of):
        raise InputError(doubt)
    return [some_in_doubt(counts, len(suspicions), of)] if counts else []


def by_second_masks(pictures: Pictures, scores: dict[str, dict], columns: dict[str, np.ndarray]) -> dict | None:
    """Return what masks of the second kind give, see `second_masks.summary`; None where there are none.

    Args:
        pictures: of the audit.
        scores: what is measured -> its estimates.
        columns: name of a measure -> float64 (N,), its value of each photo.
    """
    if not pictures.second_kind:
        return None
    flagged = {key: pictures.second_doubts.count(kind) for kind, key in FLAGS.items()}
    table = pictures.table[["path", "class_name"]].assign(**columns)
    of_kind = {"kind": pictures.second_kind.name, "mark": pictures.second_kind.mark, "flagged": flagged}
    return of_kind | second_masks.summary(table, scores)


def of_photos(pictures: Pictures, scores: dict[str, dict]) -> dict:
    """Return the near-duplicates, and the scores without them: of each two, the one of the later row is left out.

    Where there is a gallery, those of its queries: these are left out.

    Args:
        pictures: of the audit.
        scores: what is measured -> its estimates.
    """
    pairs = pictures.near_duplicates
    paths, mirrored = (pictures.gallery or pictures).table.path.to_numpy(), said_of_mirrored(pictures)
    return {
        "queries" if pictures.gallery else "photos": alike(pictures),
        "pair_count": len(pairs),
        "pairs": [[paths[row] for row in pair] for pair in pairs[:MOST_PAIRS]],
        "said": said_of_alike(pictures),
        **({"mirrored": mirrored} if mirrored else {}),
        **{f"{what}_without": scores.get(f"{what}_without_duplicates") for what in ("clean", "drop")},
    }


def alike(pictures: Pictures) -> int:
    """Count the photos that are near-duplicates; where there is a gallery, the queries that have one in it."""
    if pictures.gallery:
        return int(doubled(pictures).sum())
    return len({row for pair in pictures.near_duplicates for row in pair})


def said_of_alike(pictures: Pictures) -> str:
    """Say how many these are, and what is to be done; "" where there are none."""
    pairs, gallery = pictures.near_duplicates, pictures.gallery
    if not gallery:
        return near_duplicates.describe(pairs, *_named(pictures.table))
    which = f"{alike(pictures):,} of {len(gallery.rows):,} queries have a near-duplicate in the gallery"
    if gallery.one_each and pairs:
        one, other = (gallery.table.path.iloc[row] for row in pairs[0])
        how = f"recompressed, resized or slightly cropped; {len(pairs)} pair{'s' * (len(pairs) > 1)}"
        return f"{which} ({how}, such as {one} = {other}), the wrong photo to find: keep one of each."
    mend = "leave these queries out" if gallery.apart else "keep one of each"
    return near_duplicates.describe(pairs, *_named(gallery.table), which, mend)


def said_of_mirrored(pictures: Pictures) -> str:
    """Say how many are near-duplicates of others' mirror images; "" where none is, or each photo finds itself."""
    pairs, gallery = pictures.mirrored, pictures.gallery
    rows = {row for pair in pairs for row in pair}
    if gallery and gallery.one_each:
        return ""
    which = f"{len(rows)} of {len(pictures.table)} photos are near-duplicates of others' mirror images"
    if gallery:
        asked = f"{len(rows & {*gallery.rows.tolist()}):,} of {len(gallery.rows):,} queries"
        which = f"{asked} have a near-duplicate of their mirror image in the gallery"
    return near_duplicates.describe(pairs, *_named((gallery or pictures).table), which).replace(ANY, FLIPS)


def doubled(pictures: Pictures) -> np.ndarray:
    """Whether each query has a near-duplicate in the gallery, bool (Q,)."""
    return np.isin(pictures.gallery.rows, np.array(pictures.near_duplicates, dtype=np.int64).reshape(-1))


def _named(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    return list(table.path), list(table.class_name)
