"""The embeddings of every view, each made once."""

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from time import perf_counter

import numpy as np
from tqdm import tqdm

from bgbias import ranks
from bgbias.audit import progress
from bgbias.audit.inputs import views
from bgbias.audit.inputs.gallery import Gallery
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measures.answers import SAMPLE, ask_again, fingerprinted, identity, some
from bgbias.cache import Cache, fingerprint
from bgbias.external.steady import refuse_changed
from bgbias.models import embedder as embedders
from bgbias.photos.views import parts
from bgbias.remedies.passes import Embeddings

PIECES, PIECE = "gallery", 2**15  # folder of a gallery's embeddings until all are made, and how many are in a file


def embed(
    embedder: embedders.Embedder,
    pictures: Pictures,
    cache: Cache,
    quick: bool = False,
    passes: int = 0,
    only: Sequence[str] | None = None,
) -> Embeddings:
    """Embed every view, after saying how long that will take; what an earlier run has made is kept.

    Args:
        embedder: the model.
        pictures: of the audit.
        cache: where embeddings are kept, under names that are the same for quick audits and full ones.
        quick: the views of a quick audit only, see `views.names`.
        passes: of pictures through the model that attention maps will take, for the time that is said.
        only: these views; None: all.

    Returns:
        View -> a row for each photo of `views.rows_of`.

    Raises:
        ValueError: see `models.embedder.embed`; or a background is a photo of the gallery, see `Doubles`.
    """
    ranks.enough(len(pictures.labels), "photos")
    of_first, opened, second, pool = identity(embedder, pictures), {}, pictures.second_kind, pictures.second_pool
    of_second = fingerprint([of_first], [second.masks.folder]) if second else None
    of_pool = fingerprint([of_first, pool.identity]) if pool else None
    names = only or views.names(pictures.draws, quick, bool(second), bool(pool), pictures.places is not None)
    if pictures.gallery:
        of_queries = views.OF_ONE_EACH if pictures.gallery.one_each else views.OF_A_SAMPLE
        names = [view for view in names if view.startswith(of_queries)]
    sizes = {view: len(views.rows_of(pictures, view)) for view in names}
    others = {views.SECOND: of_second, views.POOL: of_pool}
    made_from = {view: others.get(view.partition("/")[0] + "/", of_first) for view in sizes}
    left = sum(size for view, size in sizes.items() if not (cache.root / made_from[view] / f"{view}.npy").is_file())
    clean = pictures.gallery and _Gallery(embedder, pictures.gallery, cache)
    left += clean.left() if clean else 0
    others = pictures.doubles.left() if pictures.doubles and only is None else 0
    seconds = (
        seconds_each(embedder, pictures) if left else 0.0,
        others,
        pictures.doubles.seconds_each() if others else 0.0,
    )
    print(progress.cost(left, passes, pictures.input_px, *seconds), flush=True)
    if pictures.doubles and only is None:
        pictures.doubles.pairs()  # kept; it may refuse the backgrounds, and embedding takes longer
    with tqdm(total=sum(sizes.values()), desc="embedding", unit="picture") as bar:
        for view, size in sizes.items():
            bar.set_postfix_str(view)
            before = bar.n
            if size:
                make = partial(_made, embedder, pictures, view, bar)
                opened[view] = partial(cache.array, view, made_from[view], size, make)
                opened[view]()
            bar.update(before + size - bar.n)
    if clean:
        clean.embed()
        opened["clean"] = clean.open
    _ask_again(embedder, pictures, Embeddings(opened))
    return Embeddings(opened)


def _ask_again(embedder: embedders.Embedder, pictures: Pictures, embedded: Embeddings) -> None:
    """Ask again for the last swapped photos and for some as they are, whenever they were embedded."""
    last = [view for view in embedded if view.startswith("swapped/")][-1]
    rows = np.arange(len(pictures.labels))[-SAMPLE:]
    shown, paths = views.compose(pictures, last, rows), list(pictures.table.path[rows])
    refuse_changed(embedder, shown, paths, embedded[last][-SAMPLE:])
    ask_again(embedder, pictures.gallery or pictures, embedded["clean"])


class _Gallery:
    """The embeddings of a gallery, kept in pieces, so that an interrupted run goes on, until all are in one file."""

    def __init__(self, embedder: embedders.Embedder, gallery: Gallery, cache: Cache):
        rows = some(len(gallery.table))
        self.embedder, self.gallery, self.cache, self.size = embedder, gallery, cache, len(gallery.table)
        self.made_from = fingerprinted(embedder, gallery.photo(rows), list(gallery.table.path[rows]), gallery.content)

    def left(self) -> int:
        """How many photos are left to embed."""
        folder = self.cache.root / self.made_from
        done = len(list((folder / PIECES).glob("*.npy"))) * PIECE
        return 0 if (folder / "clean.npy").is_file() else max(0, self.size - done)

    def open(self) -> np.ndarray:
        return self.cache.array("clean", self.made_from, self.size, self._pieces)

    def embed(self) -> None:
        self.open()
        ranks.by_first(partial(shutil.rmtree, self.cache.root / self.made_from / PIECES, ignore_errors=True))

    def _pieces(self) -> Iterator[np.ndarray]:
        with tqdm(total=self.size, desc="embedding the gallery", unit="picture") as bar:
            for start in range(0, self.size, PIECE):
                end = min(start + PIECE, self.size)
                yield self.cache.array(
                    f"{PIECES}/{start}", self.made_from, end - start, partial(self._made, start, end)
                )
                bar.update(end - start)

    def _made(self, start: int, end: int) -> Iterator[np.ndarray]:
        rows, names = np.arange(start, end), list(self.gallery.table.path[start:end])

        def one(part: slice) -> np.ndarray:
            batch = self.gallery.photo(rows[part])
            return embedders.embed(self.embedder, embedders.portions(self.embedder, batch), names[part]).numpy()

        yield from ranks.spread(one, parts(len(rows)))


def seconds_each(embedder: embedders.Embedder, pictures: Pictures) -> float:
    """How long it takes to compose and embed a picture, by one batch."""
    started = perf_counter()
    batch = next(views.batches(pictures, "swapped/0"))
    embedders.embed(embedder, embedders.portions(embedder, batch), list(pictures.table.path[: len(batch)]))
    return (perf_counter() - started) / len(batch)


def _made(embedder: embedders.Embedder, pictures: Pictures, view: str, bar: tqdm) -> Iterator[np.ndarray]:
    """A view's embeddings, batch after batch; several processes share them."""
    rows = views.rows_of(pictures, view)
    names = [f"{path} ({view})" for path in pictures.table.path[rows]]

    def one(part: slice) -> np.ndarray:
        batch = views.compose(pictures, view, rows[part])
        return embedders.embed(embedder, embedders.portions(embedder, batch), names[part]).numpy()

    for found in ranks.spread(one, parts(len(rows))):
        yield found
        bar.update(len(found))
