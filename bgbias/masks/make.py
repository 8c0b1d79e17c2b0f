"""Foreground masks: made for every photo, and checked."""

import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ThreadPoolExecutor, as_completed, wait
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from PIL import Image
from tqdm import tqdm

from bgbias import files
from bgbias.config import params
from bgbias.files import processes
from bgbias.masks import segment
from bgbias.photos import pack


class _Task(NamedTuple):
    photo: Path
    given: Path | None
    target: Path
    options: params.Masks
    threads: int  # of a network


def file_of(out: Path, path: str) -> Path:
    """Return where the mask of the photo `path` lies: under its whole name, so that no two photos share a mask.

    >>> file_of(Path("masks"), "apple/a.jpg").as_posix()
    'masks/apple/a.jpg.png'
    """
    return out / f"{path}.png"


def made_from(options: params.Masks) -> tuple[list, list[Path]]:
    """Return what masks depend on beside their photos, for `cache.fingerprint`: settings, and files.

    A network counts by its file's content, whatever its name or path.

    >>> made_from(params.Masks(method="grabcut", rembg_model="u2net", grabcut_px=128))
    (['grabcut', 128], [])
    """
    if options.method == "rembg":
        return ["rembg"], [segment.model_file(options.rembg_model)]
    return [options.method, *([options.grabcut_px] if options.method == "grabcut" else [])], []


def make_masks(table: pd.DataFrame, raw: Path, out: Path, options: params.Masks, workers: int | None = None) -> None:
    """Write the soft mask of every photo as an 8-bit PNG of the upright photo's size, see `file_of`.

    Whole masks that already lie in `out` (they must be of the same options) are kept, so a stopped run goes on.

    Args:
        table: image table as returned by `table.check_table`, its paths relative to `raw`.
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
    threads = max(1, pack.cores() // workers)  # more threads than cores: 0.35 s a photo instead of 0.28 s
    tasks = [
        _Task(raw / path, raw / mask if mask else None, file_of(out, path), options, threads)
        for path, mask in zip(table.path, table.mask_path, strict=True)
    ]
    missing = [task for task in tasks if not _is_whole(task.target)]
    if missing and options.method == "rembg":
        METHODS["rembg"](Image.new("RGB", (1, 1)), missing[0])  # downloads, or refuses, once, not in each worker
    with tqdm(total=len(tasks), initial=len(tasks) - len(missing), desc="masks", unit="photo") as bar:
        for _ in _run(missing, workers):
            bar.update()


def _is_whole(mask: Path) -> bool:
    try:
        with Image.open(mask) as opened:
            opened.verify()  # the checksums of all its parts
    except FileNotFoundError:
        return False
    except Exception as error:  # whatever the decoder trips over
        print(f"{mask} is damaged ({type(error).__name__}): made again", file=sys.stderr)
        return False
    return True


def _workers(method: str) -> int:
    # u2net on two cores: 0.28 s a photo with one worker of two threads; 0.29 s with two workers of one, which
    # take twice the memory, 0.9 GB each. On a GPU the others decode and write while one computes.
    return pack.cores() if method != "rembg" or _on_gpu() else max(1, pack.cores() // 4)


def _on_gpu() -> bool:
    import onnxruntime  # slow, like rembg, and not needed by the other methods

    return onnxruntime.get_device() != "CPU"  # rembg takes the GPU by itself


def _executor(method: str, workers: int) -> AbstractContextManager[Executor]:
    if method == "rembg" and _on_gpu():
        return ThreadPoolExecutor(workers)  # they share the network
    segment.session.cache_clear()  # it takes as much memory as a worker
    return processes.pool(workers)


def _run(tasks: list[_Task], workers: int) -> Iterator[None]:
    if workers == 1 or not tasks:
        yield from map(_make_one, tasks)
        return
    running = set()
    with _executor(tasks[0].options.method, workers) as pool:
        for task in tasks:
            running.add(pool.submit(_make_one, task))
            if len(running) == 4 * workers:  # enough to keep all busy
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in as_completed(running))


def _make_one(task: _Task) -> None:
    photo = pack.read_photo(task.photo)
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
    return pack.read_mask(task.given)


METHODS = {
    "given": _given,
    "rembg": lambda photo, task: segment.rembg(photo, task.options.rembg_model, task.threads),
    "grabcut": lambda photo, task: segment.grabcut(photo, task.options.grabcut_px),
}
