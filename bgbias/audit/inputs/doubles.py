"""Near-duplicates of queries in the gallery that they search: a customer's photo that is the shop's, saved anew."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from bgbias import files
from bgbias.audit.inputs.gallery import Gallery
from bgbias.cache import Cache, fingerprint
from bgbias.config.params import Geometry
from bgbias.datasets.near_duplicates import near_duplicates_of
from bgbias.photos.pack import Pack
from bgbias.photos.views import BATCH

PIECE = 2**15  # photos of the gallery whose pairs are in one file


class Doubles:
    """Looks for them once, and keeps what is found of each piece of the gallery, so that an interrupted audit goes on.

    The gallery is decoded for that once more: its embeddings may have been made before, for other queries. Of several
    processes the first does it, as it decodes the photos of a folder, on all cores of its machine.
    """

    def __init__(self, gallery: Gallery, queries: Pack, geometry: Geometry, cache: Cache):
        """Take the gallery, its queries' pictures as `gallery.compared` gives them, by this geometry, and the cache."""
        self.gallery, self.queries, self.cache = gallery, queries, cache
        self.pieces = [range(gallery.size)[start : start + PIECE] for start in range(0, gallery.size, PIECE)]
        asked = [gallery.content, gallery.size, gallery.rows.tolist(), geometry]
        self.made_from = fingerprint(["near-duplicates", *asked])

    def left(self) -> int:
        """How many photos of the gallery are left to look through."""
        kept = self.cache.root / self.made_from
        return sum(len(rows) for rows in self.pieces if not (kept / _file(rows)).is_file())

    def seconds_each(self) -> float:
        """How long a photo of the gallery takes, by one batch."""
        find, rows = near_duplicates_of(self.queries.subset(np.s_[:1])), np.array(self.pieces[0][:BATCH])
        started = perf_counter()
        find(self.gallery.compared(rows))
        return (perf_counter() - started) / len(rows)

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs, in order: rows of the gallery's table, of a query and of its near-duplicate in the gallery.

        A query that is searched itself is no pair with itself, and two that are near-duplicates are one pair.
        """
        found = set()
        with tqdm(total=self.gallery.size, desc="near-duplicates", unit="photo", leave=False, delay=5) as bar:
            for rows in self.pieces:
                before = bar.n
                pairs = self.cache.folder(_file(rows), self.made_from, partial(self._write, rows, bar), np.load)
                found |= set(map(tuple, pairs.tolist()))
                bar.update(before + len(rows) - bar.n)
        # of (query, query) and of two queries, of which each finds the other, the reverse is there, too
        return sorted(pair for pair in found if pair[0] < pair[1] or pair[::-1] not in found)

    def _write(self, rows: range, bar: tqdm, path: Path) -> None:
        queries, found = self.gallery.rows, []
        for start in range(0, len(rows), BATCH):
            batch = np.array(rows[start : start + BATCH])
            pairs = self._find(self.gallery.compared(batch))
            found += [(queries[query], batch[place]) for query, place in pairs]
            bar.update(len(batch))
        with files.whole_file(path) as unfinished:
            np.save(unfinished, np.array(found, dtype=np.int64).reshape(-1, 2))

    @cached_property
    def _find(self) -> Callable[[Sequence[np.ndarray]], list[tuple[int, int]]]:
        return near_duplicates_of(self.queries)


def _file(rows: range) -> str:
    return f"near_duplicates/{rows[0]}.npy"
