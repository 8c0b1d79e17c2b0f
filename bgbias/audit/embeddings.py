"""The embeddings of every view, each made once."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from time import perf_counter

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias import ranks
from bgbias.audit import progress, views
from bgbias.audit.pictures import Pictures
from bgbias.cache import Cache, fingerprint
from bgbias.models import embedder as embedders
from bgbias.photos.views import parts

SAMPLE = 16  # photos


def identity(embedder: embedders.Embedder, pictures: Pictures) -> str:
    """Fingerprint of embedder and pictures: of equal ones, all embeddings are equal.

    What an embedder is, its files tell, and its answer to some photos: weights, normalisation and foreign code all have
    a part in that.
    """
    rows = np.unique(np.linspace(0, len(pictures.labels) - 1, SAMPLE).round().astype(int))
    answer = ranks.gather(embedders.embed(embedder, [pictures.photo(rows)], list(pictures.table.path[rows])))[0]
    answer = hashlib.sha256(answer.numpy().tobytes()).hexdigest()
    return fingerprint([answer, pictures.identity, torch.get_num_threads()], embedder.files)


class Embeddings(Mapping):
    """View -> float32 (M, D), a row for each photo of `views.rows_of`.

    A view is mapped from its file whenever it is asked for: memory holds those that are in use.
    """

    def __init__(self, opened: dict[str, Callable[[], np.ndarray]]):
        """Take what opens each view."""
        self.opened = opened

    def __getitem__(self, view: str) -> Tensor:
        """Open a view."""
        return torch.from_numpy(self.opened[view]())

    def __iter__(self) -> Iterator[str]:
        """The views' names."""
        return iter(self.opened)

    def __len__(self) -> int:
        """How many views there are."""
        return len(self.opened)


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

    Raises:
        ValueError: see `models.embedder.embed`.
    """
    ranks.enough(len(pictures.labels), "photos")
    of_first, opened, second, pool = identity(embedder, pictures), {}, pictures.second, pictures.second_pool
    of_second = fingerprint([of_first], [second.masks.folder]) if second else None
    of_pool = fingerprint([of_first, pool.identity]) if pool else None
    names = only or views.names(pictures.draws, quick, bool(second), bool(pool))
    sizes = {view: len(views.rows_of(pictures, view)) for view in names}
    others = {views.SECOND: of_second, views.POOL: of_pool}
    made_from = {view: others.get(view.partition("/")[0] + "/", of_first) for view in sizes}
    left = sum(size for view, size in sizes.items() if not (cache.root / made_from[view] / f"{view}.npy").is_file())
    said = progress.cost(left, passes, pictures.input_px, _seconds_each(embedder, pictures) if left else 0.0)
    print(said, flush=True)
    with tqdm(total=sum(sizes.values()), desc="embedding", unit="picture") as bar:
        for view, size in sizes.items():
            bar.set_postfix_str(view)
            before = bar.n
            if size:
                make = partial(_made, embedder, pictures, view, bar)
                opened[view] = partial(cache.array, view, made_from[view], size, make)
                opened[view]()
            bar.update(before + size - bar.n)
    return Embeddings(opened)


def _seconds_each(embedder: embedders.Embedder, pictures: Pictures) -> float:
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
