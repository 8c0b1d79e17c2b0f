"""Foreground masks: made for every photo, and checked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from bgbias import cutouts, files, images, params

FOREGROUND = 128  # a pixel from this value on counts as object, as in the study's mask quality
TINY = 0.01  # of the photo, a tenth of its sides: too few pixels of a network's input to tell a class from
NEARLY_FULL = 0.9  # of the photo: there is hardly a background to swap
BORDER = 0.5  # of the outermost pixels: objects rarely reach so far, an inverted mask does


class _Task(NamedTuple):
    photo: Path
    given: Path | None
    target: Path
    options: params.Masks
    threads: int  # of a network


def file_of(out: Path, path: str) -> Path:
    """Where the mask of the photo `path` lies: under its whole name, so that no two photos share a mask.

    >>> file_of(Path("masks"), "apple/a.jpg").as_posix()
    'masks/apple/a.jpg.png'
    """
    return out / f"{path}.png"


def make(table: pd.DataFrame, raw: Path, out: Path, options: params.Masks, workers: int | None = None) -> None:
    """Write the soft mask of every photo as an 8-bit PNG of the upright photo's size, see `file_of`.

    Masks that already lie in `out` (they must be of the same options) are kept, so a stopped run goes on.

    Args:
        table: image table as from `images.check_table`, its paths relative to `raw`.
        raw: the raw dataset's folder.
        out: folder of the masks.
        options: method and settings.
        workers: processes; 1: this one; None: what suits method and machine.

    Raises:
        FileNotFoundError: a photo or a given mask is missing.
        ValueError: a photo or mask does not decode, a photo has no mask or one of another size, or rembg
            cannot load or run the model.
    """
    workers = workers or _workers(options.method)
    threads = max(1, images.cores() // workers)  # more threads than cores: 0.35 s a photo instead of 0.28 s
    tasks = [
        _Task(raw / path, raw / mask if mask else None, file_of(out, path), options, threads)
        for path, mask in zip(table.path, table.mask_path, strict=True)
    ]
    missing = [task for task in tasks if not task.target.is_file()]
    if missing and options.method == "rembg":
        METHODS["rembg"](Image.new("RGB", (1, 1)), missing[0])  # downloads, or refuses, once, not in each worker
    with tqdm(total=len(tasks), initial=len(tasks) - len(missing), desc="masks", unit="photo") as bar:
        for _ in _run(missing, workers):
            bar.update()


def _workers(method: str) -> int:
    # u2net on two cores: 0.28 s a photo with one worker of two threads; 0.29 s with two workers of one, which
    # take twice the memory, 0.9 GB each. On a GPU the others decode and write while one computes.
    return images.cores() if method != "rembg" or _on_gpu() else max(1, images.cores() // 4)


def _on_gpu() -> bool:
    import onnxruntime  # slow, like rembg, and not needed by the other methods

    return onnxruntime.get_device() != "CPU"  # rembg takes the GPU by itself


def _executor(method: str, workers: int) -> Executor:
    if method == "rembg" and _on_gpu():
        return ThreadPoolExecutor(workers)  # they share the network
    cutouts.session.cache_clear()  # it takes as much memory as a worker
    # spawned: the fork of a process with threads (of onnxruntime, OpenMP) may hang
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def _run(tasks: list[_Task], workers: int) -> Iterator[None]:
    if workers == 1 or not tasks:
        yield from map(_make_one, tasks)
        return
    pool = _executor(tasks[0].options.method, workers)
    running = set()
    try:
        for task in tasks:
            running.add(pool.submit(_make_one, task))
            if len(running) == 4 * workers:  # enough to keep all busy
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in as_completed(running))
    finally:
        pool.shutdown(cancel_futures=True)


def _make_one(task: _Task) -> None:
    photo = images.read_photo(task.photo)
    mask = METHODS[task.options.method](photo, task)
    if mask.size != photo.size:
        sizes = "{} x {} pixels, but its mask has {} x {}".format(*photo.size, *mask.size)
        raise ValueError(f"{task.photo}: {sizes}: replace the mask, or make others by another method")
    with files.whole_file(task.target) as partial:
        mask.save(partial, format="PNG", compress_level=1)  # a third of the time for a tenth more bytes


def _given(photo: Image.Image, task: _Task) -> Image.Image:
    mend = "choose masks.<dataset>.method grabcut or rembg"
    if task.given is None:
        raise ValueError(f"{task.photo}: the dataset brings no mask: {mend}")
    if not task.given.is_file():
        raise FileNotFoundError(f"{task.photo}: its mask {task.given} is missing: add it, or {mend}")
    return images.read_photo(task.given, "L")


METHODS = {
    "given": _given,
    "rembg": lambda photo, task: cutouts.rembg(photo, task.options.rembg_model, task.threads),
    "grabcut": lambda photo, task: cutouts.grabcut(photo, task.options.grabcut_px),
}


def suspicion(mask: np.ndarray) -> str:
    """Name what is probably wrong with a mask, uint8 (H, W) or (H, W, 1).

    Returns:
        The first that fits: "empty" (no pixel of 128 or more), "tiny" (covers less than 0.01 of the photo),
        "nearly_full" (more than 0.9), "border" (more than half of the outermost pixels), "" for nothing.

    >>> suspicion(np.zeros((4, 6), dtype=np.uint8)), suspicion(np.eye(4, dtype=np.uint8) * 255)
    ('empty', '')
    """
    found, share = mask.reshape(mask.shape[:2]) >= FOREGROUND, mask.mean() / 255
    if not found.any():
        return "empty"
    if share < TINY:
        return "tiny"
    if share > NEARLY_FULL:
        return "nearly_full"
    inner = found[1:-1, 1:-1]
    return "border" if found.sum() - inner.sum() > BORDER * (found.size - inner.size) else ""


def summary(masks: Iterable[np.ndarray]) -> dict[str, float]:
    """Count masks, read one by one, by their `suspicion`.

    Returns:
        masks (how many), mean_share (mean of the soft share of the photo that they cover), empty, tiny,
        nearly_full, border, suspect (the sum of these four) and suspect_share.

    Raises:
        ValueError: there are no masks.
    """
    shares, kinds = [], Counter(empty=0, tiny=0, nearly_full=0, border=0)
    for mask in masks:
        shares.append(mask.mean() / 255)
        kinds[suspicion(mask)] += 1
    if not shares:
        raise ValueError("no masks to count: make them first")
    suspect = len(shares) - kinds.pop("", 0)
    rates = {"mean_share": float(np.mean(shares)), "suspect_share": suspect / len(shares)}
    return {"masks": len(shares), **kinds, "suspect": suspect, **rates}
