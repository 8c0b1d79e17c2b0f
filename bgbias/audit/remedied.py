"""Remedies on the pictures that an audit sees, of a folder or a dataset: what it has embedded comes from the cache."""

from functools import partial

import numpy as np
import torch

from bgbias.audit import progress
from bgbias.audit.inputs.pictures import Pictures
from bgbias.audit.measured_on import LEARNING, Splits, searched_of
from bgbias.audit.measures import answers, embeddings
from bgbias.cache import Cache, fingerprint
from bgbias.finder.network import Finder
from bgbias.models.embedder import Embedder
from bgbias.remedies import passes, recovery
from bgbias.remedies.pictures import Shown

KNOWN = {"foreground_grey": "grey", "foreground_mean": "mean_colour"}  # view of an audit -> pass of the clean view
REMEDIES = "remedies"  # folder of their embeddings


def measure(
    model: Embedder, splits: Splits, cache: Cache, finder: Finder | None = None
) -> tuple[dict[str, dict], recovery.Learnt | None]:
    """Embed what is not known yet, learn, choose and measure: see `recovery`; what a finder shows, too."""
    tested, seed = splits.tested, splits.tested.seed
    weights = finder and {name: weight.tolist() for name, weight in finder.state_dict().items()}
    shown_by = finder and [finder.shape, weights]
    searched, known = searched_of(tested), {}
    settings = [REMEDIES, answers.identity(model, tested), *filter(None, [shown_by, searched])]
    made_from = fingerprint(settings, [splits.learnt_from.folder])
    learnt, chosen_on = _learnt(model, splits, cache, finder, made_from) if splits.learning else (None, None)
    drawn = passes.Swaps(tested.pool, tested.draws, seed, tested.purpose)
    shown, keep = Shown(tested.photos, splits.learnt_from, seed, finder), partial(_kept, cache, made_from)
    if searched is None:
        print("as audits show them, test photos:", end=" ", flush=True)
        known = _known(embeddings.embed(model, tested, cache, only=[*_as_is(tested), *KNOWN]))
    rows = dict.fromkeys(_as_is(tested), len(tested.labels) - (searched or 0)) | {"clean": len(tested.labels)}
    new = {view for view in rows if not (cache.root / made_from / f"{REMEDIES}/{view}.npy").is_file()}
    left = sum(rows[view] * (len(shown.names) - len(known.get(view, ()))) for view in new)
    seconds_each = embeddings.seconds_each(model, tested) if left else 0.0
    print(f"as remedies show them, test photos: {progress.cost(left, 0, tested.input_px, seconds_each)}", flush=True)
    split = passes.embedded(model, tested.photos, tested.image_ids, drawn, shown, keep, known, searched)
    split = split._replace(places=_tensor(tested.places))
    answers.ask_again(model, tested, split.views[0]["as_is"])
    return recovery.measure(split, chosen_on, learnt, seed), learnt


def _learnt(
    model: Embedder, splits: Splits, cache: Cache, finder: Finder | None, made_from: str
) -> tuple[recovery.Learnt, passes.Split]:
    """What is learnt of training photos, as validation chooses it, and the embeddings of validation photos."""
    (photos, training, _), (others, validation, searched) = (splits.learning[split] for split in LEARNING)
    seed = splits.tested.seed
    swaps = passes.training_swaps(model, photos, training, splits.learnt_from, seed)
    drawn, shown = passes.Swaps(splits.chosen_by, 1, seed), Shown(others, splits.learnt_from, seed, finder)
    settings = [made_from, validation.tolist(), *filter(None, [searched])]
    made_from_others = fingerprint(settings, [others.photos.folder, others.masks.folder])
    keep = partial(_kept, cache, made_from_others)
    chosen_on = passes.embedded(model, others, validation, drawn, shown, keep, gallery=searched)
    return recovery.learn(swaps, chosen_on), chosen_on._replace(places=_tensor(splits.chosen_places))


def _tensor(of_all: np.ndarray | None) -> torch.Tensor | None:
    return None if of_all is None else torch.from_numpy(of_all)


def _kept(cache: Cache, made_from: str, view: str, rows: int, make: passes.Make) -> np.ndarray:
    return cache.array(f"{REMEDIES}/{view}", made_from, rows, make)


def _as_is(tested: Pictures) -> list[str]:
    return ["clean", *(f"swapped/{draw}" for draw in range(tested.draws))]


def _known(embedded: passes.Embeddings) -> passes.Known:
    """View -> pass -> what opens it, of what audits embed, too."""
    known = {view: {"as_is": opens} for view, opens in embedded.opened.items() if view not in KNOWN}
    known["clean"] |= {name: embedded.opened[view] for view, name in KNOWN.items()}
    return known
