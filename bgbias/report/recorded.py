"""What the stages before the report have left of each regime of one dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, NotRequired

import numpy as np
import pandas as pd
from annotated_types import Ge, Le
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from bgbias import files
from bgbias.config.read import check
from bgbias.errors import InputError, refuse
from bgbias.metrics.names import METRICS

EMBEDDINGS = {"clean": "clean.npy", "swapped": "swapped/0.npy"}  # view -> file of the draw that is shown
PARTS = ("embeddings", "attention")
MIXED = "`dvc checkout` brings what belongs to the commit, `dvc repro` makes both anew"
ROUNDED = 1e-5  # by how much means of what files hold may differ from the figures of others
finite = with_config(ConfigDict(strict=True, allow_inf_nan=False))


Part = Annotated[float, Ge(-1), Le(1)]  # a share, or a difference of two: what is written in percent is refused


@finite
class Retrieval(TypedDict, extra_items=Part):
    """Scores of a view: the metrics of every table, and others."""

    recall_at_1: Part
    map_at_r: Part


@finite
class Attention(TypedDict, extra_items=float | None):
    """Attention scores of a view; None where no mask leaves one defined."""

    mean: Annotated[float, Le(1)] | None
    sd: float | None


@finite
class Metrics(TypedDict, extra_items=Retrieval):
    """What the stage evaluate writes of a regime; all other keys are swapped views."""

    clean: Retrieval
    swapped: Retrieval
    drop: Retrieval
    attention: dict[str, Attention]
    mask_iou: NotRequired[dict[str, Attention]]  # of networks with a finder
    queries: int
    lone_queries: int
    seeds: int


@finite
class Masks(TypedDict, extra_items=float):
    """What the stage masks writes: how many masks there are, and of how many of each kind is in doubt."""

    masks: int
    empty: int
    tiny: int
    nearly_full: int
    border: int


class Recorded(NamedTuple):
    """Scores of all networks, and embeddings and attention maps of one network a regime.

    Attributes:
        metrics: regime -> its metrics, as the stage evaluate records them.
        queries: regime -> a table of queries, see `comparison`.
        embeddings: view ("clean", "swapped") -> regime -> float (N, D), of the test photos.
        maps: view -> regime -> uint8 (P, S, S), attention on the first photos that were scored; of a network with a
            finder also, as "REGIME mask", the masks that it finds.
        image_ids: (P,), which photos these are: the same ones in every regime.
    """

    metrics: dict[str, dict]
    queries: dict[str, pd.DataFrame]
    embeddings: dict[str, dict[str, np.ndarray]]
    maps: dict[str, dict[str, np.ndarray]]
    image_ids: np.ndarray


def read(
    dataset: str, regimes: Sequence[str], seeds: Sequence[int], photos: int, swaps: Sequence[str], root: Path = Path()
) -> Recorded:
    """Read what the stages embed, attention and evaluate have written.

    Args:
        dataset: its name.
        regimes: one or more.
        seeds: of the trainings that were evaluated; the network of the first is shown.
        photos: P, how many attention maps.
        swaps: the swapped views.
        root: the folder of data and metrics.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: it does not read, or holds something else than its stage writes; metrics are of another number of
            seeds, or of another run than the queries, as after `git restore` without `dvc checkout`; attention was
            scored on other photos in one regime than in another.
    """
    folders = {part: root / "data" / part / dataset for part in ("embeddings", "attention", "queries")}
    metrics, queries = {}, {}
    measures = {f"{metric}_{view}": float for metric in METRICS for view in EMBEDDINGS}
    for regime in regimes:
        path, metrics[regime] = read_metrics(dataset, regime, root)
        refuse(set(swaps) - set(metrics[regime]), f"{path}: has no such view: {files.REMAKE}")
        how = {"index_col": "image_id", "dtype": measures | {"image_id": int}}
        file = folders["queries"] / f"{regime}.csv"
        queries[regime] = files.read_csv(file, ["class", *measures], **how)
        _refuse_queries_of_another_run(regime, metrics[regime], queries[regime], file)
    odd = [regime for regime in regimes if metrics[regime]["seeds"] != len(seeds)]
    refuse(odd, f"metrics of another number of seeds than {len(seeds)}: `dvc repro` makes those of params.yaml")
    folders |= {part: {regime: folders[part] / regime / str(seeds[0]) for regime in regimes} for part in PARTS}
    scored = {regime: folders["attention"][regime] / "scores.csv" for regime in regimes}
    how = {"columns": ["image_id"], "dtype": {"image_id": int}}
    ids = {regime: list(files.read_csv(path, **how).image_id) for regime, path in scored.items()}
    file, image_ids = scored[regimes[0]], np.array(ids[regimes[0]][:photos], dtype=int)
    known = files.read_csv(folders["embeddings"][regimes[0]] / "images.csv", ["image_id"], dtype=int).image_id
    refuse(set(image_ids) - set(known), f"{file}: has photos that were not embedded: {files.REMAKE}")
    others = [scored[regime] for regime in regimes if ids[regime] != ids[regimes[0]]]
    refuse(others, f"other photos are scored than in {file}; {files.REMAKE}")
    embeddings, maps = {}, {}
    for view, name in EMBEDDINGS.items():
        of_regime = {regime: folder / name for regime, folder in folders["embeddings"].items()}
        embeddings[view] = {
            regime: files.read_numbers(path, "f", len(known), None) for regime, path in of_regime.items()
        }
        maps[view] = {}
        for regime, folder in folders["attention"].items():
            maps[view][regime] = _maps(folder / f"{view}.npy", len(image_ids))
            if "mask_iou" in metrics[regime]:
                maps[view][f"{regime} mask"] = _maps(folder / f"mask_{view}.npy", len(image_ids))
    return Recorded(metrics, queries, embeddings, maps, image_ids)


def _refuse_queries_of_another_run(regime: str, metrics: Metrics, queries: pd.DataFrame, path: Path) -> None:
    others = {metrics["queries"]} - {len(queries)}
    refuse(others, f"{path}: another number of queries than the metrics of {regime} say; {MIXED}")
    means = queries.mean(numeric_only=True)
    for metric in METRICS:
        of_view = {view: means[f"{metric}_{view}"] for view in EMBEDDINGS}
        of_view["drop"] = of_view["clean"] - of_view["swapped"]
        for view, mean in of_view.items():
            refuse_mixed(regime, f"{metric}_{view}", metrics[view][metric], mean, path)


def refuse_mixed(regime: str, measure: str, figure: float, mean: float, path: Path) -> None:
    """Raise an InputError if a figure of a regime's metrics is not what a file or folder comes to."""
    if not abs(figure - mean) < ROUNDED:
        found = f"its mean {measure} is {mean:.6f}, that of the metrics of {regime} {figure:.6f}"
        raise InputError(f"{path}: {found}, so they are of different runs: {MIXED}")


def read_metrics(dataset: str, regime: str, root: Path = Path()) -> tuple[Path, Metrics]:
    """Read the metrics of a regime, and where they stand.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the file does not read, or holds something else than the stage evaluate writes.
    """
    path = root / "metrics/evaluate" / dataset / f"{regime}.json"
    return path, _checked(path, Metrics, dataset, regime)


def read_masks(dataset: str) -> Masks:
    """Read what the stage masks has counted."""
    return _checked(Path("metrics/masks") / f"{dataset}.json", Masks, dataset, "masks")


def _checked(path: Path, kind: type, *keys: str) -> dict:
    return check(files.read_json(path, *keys), kind, f"{path} ({files.REMAKE})")


def _maps(path: Path, photos: int) -> np.ndarray:
    maps = files.read_numbers(path, "u", None, None, None)
    if len(maps) < photos:
        raise InputError(f"{path}: {len(maps)} maps, expected {photos}: {files.REMAKE}")
    return maps[:photos]
