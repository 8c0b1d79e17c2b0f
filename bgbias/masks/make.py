"""Foreground masks: made for every photo, and checked."""

import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, as_completed, wait
from pathlib import Path
from time import process_time
from typing import NamedTuple

import pandas as pd
from PIL import ExifTags, Image, ImageOps
from tqdm import tqdm

from bgbias import cores, files, ranks
from bgbias.config import params
from bgbias.errors import InputError
from bgbias.masks import segment
from bgbias.masks.workers import by_cores, by_memory, executor, free_memory, on_gpu, peak_memory
from bgbias.photos import decode

ALONE_S = 2.0  # of a core: this process makes masks by itself at first, as starting others takes 1.5 s
TURNED = range(2, 9)  # EXIF orientations; from 5 on width and height change places


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
    (['grabcut', 128, None], [])
    """
    if options.method == "rembg":
        return ["rembg", segment.parts(options.rembg_model)[0]], [segment.model_file(options.rembg_model)]
    settings = [options.grabcut_px, options.grabcut_radius] if options.method == "grabcut" else []
    return [options.method, *settings], []


def make_masks(table: pd.DataFrame, raw: Path, out: Path, options: params.Masks, workers: int | None = None) -> None:
    """Write the soft mask of every photo as an 8-bit PNG of the upright photo's size, see `file_of`.

    Whole masks that already lie in `out` (they must be of the same options) are kept, so a stopped run goes on. Several
    processes share the photos, the memory and the cores.

    Args:
        table: image table as returned by `table.check_table`, its paths relative to `raw`.
        raw: the raw dataset's folder.
        out: folder of the masks.
        options: method and settings.
        workers: processes; 1: this one; None: what suits method and machine, and number of photos.

    Raises:
        FileNotFoundError: a photo or a given mask is missing.
        ValueError: a photo or mask does not decode, a photo has no mask or one of another size, it is not certain
            how a mask is turned, or rembg cannot load or run the model.
    """
    ranks.enough(len(table), "photos")
    tasks = [
        _Task(raw / path, raw / mask if mask else None, file_of(out, path), options, cores.count())
        for path, mask in zip(table.path, table.mask_path, strict=True)
    ]
    own = tasks[ranks.rank() :: ranks.count()]
    missing, free = [task for task in own if not _is_whole(task.target)], free_memory()
    if missing and options.method == "rembg":
        with ranks.alone():  # it downloads, or refuses, once, not in each worker
            segment.cut_out(Image.new("RGB", (1, 1)), options, cores.count())
    alone_s = ALONE_S if workers is None else 0.0
    if missing and not workers:
        workers = by_cores(options.method)
        if options.method == "rembg" and not on_gpu():
            workers = by_memory(workers, peak_memory(), free)
    threads = max(1, cores.count() // (workers or 1))  # more threads than cores: 0.35 s a photo instead of 0.28 s
    missing = [task._replace(threads=threads) for task in missing]
    with tqdm(total=len(own), initial=len(own) - len(missing), desc="masks", unit="photo") as bar, ranks.alone():
        for _ in _run(missing, workers, alone_s):
            bar.update()
    ranks.wait()


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


def _run(tasks: list[_Task], workers: int, alone_s: float) -> Iterator[None]:
    method = tasks[0].options.method if tasks else ""
    if method != "rembg":
        started, left = process_time(), iter(tasks)
        while workers == 1 or process_time() - started < alone_s:
            if (task := next(left, None)) is None:
                return
            yield _make_one(task)
        tasks = list(left)
    if not tasks:
        return
    if workers > 1:
        segment.session.cache_clear()  # it takes as much memory as a worker
    running = set()
    with executor(method, workers) as pool:
        for task in tasks:
            running.add(pool.submit(_make_one, task))
            if len(running) == 4 * workers:  # enough to keep all busy
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in as_completed(running))


def _make_one(task: _Task) -> None:
    photo = decode.read_photo(task.photo)
    given = task.options.method == "given"
    mask = _given(photo, task) if given else segment.cut_out(photo, task.options, task.threads)
    if mask.size != photo.size:
        sizes = "{} x {} pixels, but its mask has {} x {}".format(*photo.size, *mask.size)
        raise InputError(f"{task.photo}: {sizes}: replace the mask, or make others by another method")
    upright = Image.Exif()
    if orientation(task.photo) in TURNED:
        upright[ExifTags.Base.Orientation] = 1  # so that the mask can be given again
    with files.whole_file(task.target) as partial:
        mask.save(partial, format="PNG", compress_level=1, exif=upright)  # a third of the time for a tenth more bytes


def _given(photo: Image.Image, task: _Task) -> Image.Image:
    mend = "choose masks.<dataset>.method grabcut or rembg"
    if task.given is None:
        fetch = "add masks under data/sources, fetch them by `dvc exp run -f -S 'datasets=[<dataset>]' raw@<dataset>`"
        raise InputError(f"{task.photo}: the dataset brings no mask: {fetch}, or {mend}")
    if not task.given.is_file():
        raise FileNotFoundError(f"{task.photo}: its mask {task.given} is missing: add it, or {mend}")
    mask = decode.read_mask(task.given)
    try:
        return mask_as_photo(mask, orientation(task.given), orientation(task.photo), photo.size)
    except ValueError as error:
        raise InputError(f"{task.photo}: {error}") from None


def orientation(path: Path) -> int | None:
    """Read the EXIF orientation out of the head of a JPEG, PNG or WebP; None where it has none."""
    with Image.open(path) as picture:
        return picture.getexif().get(ExifTags.Base.Orientation)


def mask_as_photo(mask: Image.Image, own: int | None, turned: int | None, upright: tuple[int, int]) -> Image.Image:
    """Turn a mask as its photo is turned, where it is of the photo's pixels as they are stored.

    Programs that cut out objects mostly drop the tag: some have turned the pixels before, some have not. The mask's
    size tells which, but where the photo's is the same before and after.

    Args:
        mask: upright by its own tag.
        own: its orientation; None: it has none.
        turned: the photo's.
        upright: width and height of the upright photo.

    Raises:
        ValueError: the size does not tell.

    >>> mask_as_photo(Image.new("L", (4, 2)), None, 6, (2, 4)).size
    (2, 4)
    >>> mask_as_photo(Image.new("L", (4, 2)), None, 3, (4, 2))
    Traceback (most recent call last):
    bgbias.errors.InputError: turned by its EXIF orientation 3, and its mask has none, so it is of the upright photo \
or of the stored one: save the photo upright, or give the mask a tag (1: of the upright photo; 3: of the stored one)
    """
    if turned not in TURNED or own is not None:
        return mask
    stored = upright[::-1] if turned >= 5 else upright
    if mask.size == upright == stored:
        raise InputError(
            f"turned by its EXIF orientation {turned}, and its mask has none, so it is of the upright photo or of the "
            f"stored one: save the photo upright, or give the mask a tag (1: of the upright photo; {turned}: of the "
            "stored one)"
        )
    if mask.size == stored:
        mask.getexif()[ExifTags.Base.Orientation] = turned
        return ImageOps.exif_transpose(mask)
    return mask
