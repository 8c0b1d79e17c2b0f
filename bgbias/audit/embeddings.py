"""The embeddings of every view, each made once."""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias.audit import views
from bgbias.audit.pictures import Pictures
from bgbias.cache import Cache, fingerprint
from bgbias.models import embedder as embedders

SAMPLE = 16  # photos


def identity(embedder: embedders.Embedder, pictures: Pictures) -> str:
    """Fingerprint of embedder and pictures: of equal ones, all embeddings are equal.

    What an embedder is, its files tell, and its answer to some photos: weights, normalisation and foreign code all have
    a part in that.
    """
    rows = np.unique(np.linspace(0, len(pictures.labels) - 1, SAMPLE).round().astype(int))
    answer = embedders.embed(embedder, [pictures.photo(rows)], list(pictures.table.path[rows]))
    answer = hashlib.sha256(answer.numpy().tobytes()).hexdigest()
    return fingerprint([answer, pictures.identity, torch.get_num_threads()], embedder.files)


def embed(embedder: embedders.Embedder, pictures: Pictures, cache: Cache) -> dict[str, Tensor]:
    """View -> float32 (M, D), a row for each photo of `views.rows_of`; what an earlier run has made is read.

    Raises:
        ValueError: as of `models.embedder.embed`.
    """
    made_from, found = identity(embedder, pictures), {}
    sizes = {view: len(views.rows_of(pictures, view)) for view in views.views(pictures.draws)}
    with tqdm(total=sum(sizes.values()), desc="embedding", unit="picture") as bar:
        for view, size in sizes.items():
            bar.set_postfix_str(view)
            before = bar.n
            if size:
                make = _make(embedder, pictures, view, bar)
                found[view] = torch.from_numpy(cache.array(view, made_from, make))
            bar.update(before + size - bar.n)
    return found


def _make(embedder: embedders.Embedder, pictures: Pictures, view: str, bar: tqdm):
    names = [f"{path} ({view})" for path in pictures.table.path[views.rows_of(pictures, view)]]
    return lambda: embedders.embed(embedder, _counted(views.batches(pictures, view), bar), names).numpy()


def _counted(batches: Iterable[Tensor], bar: tqdm) -> Iterator[Tensor]:
    for batch in batches:
        yield batch
        bar.update(len(batch))
