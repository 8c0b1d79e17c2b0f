"""Near-duplicates of queries in the gallery that they search: a customer's photo that is the shop's, saved anew.

And of backgrounds, which would show queries on products of the gallery.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
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
from bgbias.errors import refuse
from bgbias.photos.pack import Pack
from bgbias.photos.views import BATCH

PIECE = 2**15  # photos of the gallery whose pairs are in one file
Backgrounds = Mapping[str, np.ndarray]  # name -> centre square, uint8 (S, S, 3)


class Doubles:
    """Looks for them once, and keeps what is found of each piece of the gallery, so that an interrupted audit goes on.

    The gallery is decoded for that once more: its embeddings may have been made before, for other queries. Of several
    processes the first does it, as it decodes the photos of a folder, on all cores of its machine.
    """

    def __init__(self, gallery: Gallery, queries: Pack, geometry: Geometry, cache: Cache, backgrounds: Backgrounds):
        """Take the gallery, its queries' pictures as `gallery.compared` gives them, by this geometry, and the cache.

        Backgrounds are refused where the gallery has a near-duplicate; those that are certainly none are not given.
        """
        self.gallery, self.queries, self.cache, self.backgrounds = gallery, queries, cache, backgrounds
        self.pieces = [range(gallery.size)[start : start + PIECE] for start in range(0, gallery.size, PIECE)]
        asked = [gallery.content, gallery.size, gallery.rows.tolist(), geometry]
        of_backgrounds = [hashlib.sha256(picture.tobytes()).hexdigest() for picture in backgrounds.values()]
        self.made_from = fingerprint(["near-duplicates", *asked, *of_backgrounds])

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

        Raises:
            InputError: a background is a near-duplicate of a photo of the gallery, and shows its object.
        """
        return _once(self._found[0])

    def mirrored(self) -> list[tuple[int, int]]:
        """Likewise the pairs of which one is a near-duplicate of the other's mirror image alone."""
        return _once(self._found[1] - self._found[0])

    @cached_property
    def _found(self) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
        """Queries, or backgrounds (below 0), each with what is its near-duplicate, and that of its mirror image."""
        found = set(), set()
        with tqdm(total=self.gallery.size, desc="near-duplicates", unit="photo", leave=False, delay=5) as bar:
            for rows in self.pieces:
                before = bar.n
                pairs = self.cache.folder(_file(rows), self.made_from, partial(self._write, rows, bar), np.load)
                for query, row, mirrored in pairs.tolist():
                    found[mirrored].add((query, row))
                bar.update(before + len(rows) - bar.n)
        names, paths = list(self.backgrounds), self.gallery.table.path
        shown = {query: f"{names[~query]} = {paths[row]}" for query, row in sorted(found[0]) if query < 0}.values()
        refuse(shown, "audited photos among the backgrounds, with their objects; give a folder without them")
        return found

    def _write(self, rows: range, bar: tqdm, path: Path) -> None:
        plain = [*self.gallery.rows, *(~place for place in range(len(self.backgrounds)))]
        queries, found = [*plain, *self.gallery.rows], []
        for start in range(0, len(rows), BATCH):
            batch = np.array(rows[start : start + BATCH])
            pairs = self._find(self.gallery.compared(batch))
            found += [(queries[query], batch[place], query >= len(plain)) for query, place in pairs]
            bar.update(len(batch))
        with files.whole_file(path) as unfinished:
            np.save(unfinished, np.array(found, dtype=np.int64).reshape(-1, 3))

    @cached_property
    def _find(self) -> Callable[[Sequence[np.ndarray]], list[tuple[int, int]]]:
        mirrored = (picture[:, ::-1] for picture in self.queries)
        return near_duplicates_of([*self.queries, *self.backgrounds.values(), *mirrored])


def _once(found: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each pair once; of (query, query) and of two queries, of which each finds the other, the reverse is there."""
    return sorted(pair for pair in found if pair[0] < pair[1] or pair[::-1] not in found)


def _file(rows: range) -> str:
    return f"near_duplicates/{rows[0]}.npy"
