"""The embeddings of every view, each made once."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bgbias import audited, compose, donors, files, masks, probe_views, removal
from bgbias.audit import pictures as of_pictures
from bgbias.audit import views
from bgbias.audit.cache import Cache, fingerprint
from bgbias.audit.pictures import Pictures

SAMPLE = 16  # photos


def identity(embedder: audited.Audited, pictures: Pictures) -> str:
    """Fingerprint of embedder, pictures and the code of the views: of equal ones, all embeddings are equal.

    What an embedder is, its answer to some photos tells: weights, normalisation and code all have a part in it.
    """
    rows = np.unique(np.linspace(0, len(pictures.labels) - 1, SAMPLE).round().astype(int))
    answer = audited.embed(embedder, [pictures.photo(rows)], list(pictures.table.path[rows]))
    code = [Path(module.__file__) for module in (compose, donors, masks, probe_views, removal, of_pictures, views)]
    answer = hashlib.sha256(answer.numpy().tobytes()).hexdigest()
    return fingerprint(embedder.name, answer, pictures.identity, files.checksum(*code))


def embed(embedder: audited.Audited, pictures: Pictures, cache: Cache) -> dict[str, Tensor]:
    """View -> float32 (M, D), a row for each photo of `views.rows_of`; what an earlier run has made is read.

    Raises:
        ValueError: as of `audited.embed`.
    """
    made_from, found = identity(embedder, pictures), {}
    sizes = {view: len(views.rows_of(pictures, view)) for view in views.VIEWS}
    with tqdm(total=sum(sizes.values()), desc="embedding", unit="picture") as bar:
        for view, size in sizes.items():
            bar.set_postfix_str(view)
            before = bar.n
            if size:
                make = _make(embedder, pictures, view, bar)
                found[view] = torch.from_numpy(cache.array(view, made_from, make))
            bar.update(before + size - bar.n)
    return found


def _make(embedder: audited.Audited, pictures: Pictures, view: str, bar: tqdm):
    names = [f"{path} ({view})" for path in pictures.table.path[views.rows_of(pictures, view)]]
    return lambda: audited.embed(embedder, _counted(views.batches(pictures, view), bar), names).numpy()


def _counted(batches: Iterable[Tensor], bar: tqdm) -> Iterator[Tensor]:
    for batch in batches:
        yield batch
        bar.update(len(batch))
