"""Cutting the object out of a photo: GrabCut, and the networks of rembg."""

import sys
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import ModuleType

import numpy as np
from PIL import Image

from bgbias import files, ranks
from bgbias.config import params
from bgbias.errors import InputError, as_input_error, refuse_unknown

MEND = (
    "give rembg_model (params.yaml: of masks.<dataset>; an audit: --rembg-model) a model of rembg, such as u2net, or "
    "one and a file of it, such as isnet-general-use:FILE, or take the method grabcut"
)
OTHER_TASKS = ("sam", "u2net_cloth_seg")  # of rembg's sessions: they want points, or give three masks
U2NET_PX = 320  # side of its input

# GrabCut's prior, a disc around the centre; radii in half short sides. Against the hand masks of the study's 20
# CUB photos: IoU 0.54; 0.53 with a probable radius of 0.9, 0.48 with a sure radius of 1/3 beside it. Rather too
# little than too much: what is left of the old background passes for the object in every swapped view. More
# iterations change nothing but the time.
SURE_RADIUS, PROBABLE_RADIUS, BORDER_SHARE, ITERATIONS = 0.25, 0.65, 0.03, 2


def cut_out(photo: Image.Image, options: params.Masks, threads: int) -> Image.Image:
    """Cut out the object by the method of the options, "grabcut" or "rembg"; see these."""
    match options.method:
        case "grabcut":
            return grabcut(photo, options.grabcut_px, options.grabcut_radius)
        case "rembg":
            return rembg(photo, options.rembg_model, threads)
    raise ValueError(f"the method {options.method} cuts nothing out")


def grabcut(photo: Image.Image, long_side: int, radius: float | None = None) -> Image.Image:
    """Cut out the object in the centre with GrabCut (Rother et al. 2004), without a network's weights.

    A disc in the centre is taken for object whatever it shows, so no mask is empty.

    Args:
        photo: RGB.
        long_side: in pixels, what the photo is shrunk to first. The mask is brought back up bilinearly, which
            makes its edge soft; the edge stays hard where the photo is no larger than this.
        radius: of the disc that is probably object to begin with, in half short sides; None: PROBABLE_RADIUS.

    Returns:
        Mode "L", of the photo's size.

    Raises:
        ValueError: the shrunk photo has less than three pixels in a row, so none is left as background.
    """
    import cv2

    small = photo.copy()
    small.thumbnail((long_side, long_side))
    y, x = (np.arange(side) - (side - 1) / 2 for side in (small.height, small.width))
    distance = np.hypot(y[:, None], x) / (min(small.size) / 2)
    labels = np.where(distance < (radius or PROBABLE_RADIUS), cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    border = max(1, round(BORDER_SHARE * min(small.size)))
    labels[:border] = labels[-border:] = labels[:, :border] = labels[:, -border:] = cv2.GC_BGD
    labels[distance <= max(SURE_RADIUS, distance.min())] = cv2.GC_FGD
    if (labels == cv2.GC_FGD).all():
        raise InputError(f"GrabCut at {small.width} x {small.height} pixels: raise masks.<dataset>.grabcut_px")
    cv2.setNumThreads(1)  # the workers already use all cores
    cv2.setRNGSeed(0)  # else the clusters of colours would depend on the photos before
    cv2.grabCut(np.array(small), labels, None, None, None, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    is_object = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    return Image.fromarray(is_object.astype(np.uint8) * 255).resize(photo.size, Image.Resampling.BILINEAR)


def rembg(photo: Image.Image, model: str, threads: int) -> Image.Image:
    """Cut out the object with a network of rembg: the soft mask alone, as `rembg p -om` writes it.

    rembg stretches each mask to 0..255. An output that is constant or not a number divides by zero there: no
    object was found, and the mask is empty.

    Args:
        photo: RGB.
        model: a model of rembg by name, downloaded where it is not there yet; or KIND:FILE, a local .onnx file and the
            model of rembg that says its size, normalisation and what its output means; or the path of a file of
            u2net's size, which is taken for one.
        threads: of the network, on a CPU.

    Returns:
        Mode "L", of the photo's size.

    Raises:
        ValueError: rembg cannot load or run the model.
    """
    try:
        with np.errstate(invalid="raise"):
            return _library().remove(photo, session=session(model, threads), only_mask=True)
    except FloatingPointError:
        return Image.new("L", photo.size)
    except Exception as error:  # of rembg, onnxruntime, pooch, requests...
        raise InputError(f"rembg cannot use {model} ({' '.join(str(error).split())}): {MEND}") from None


def _library() -> ModuleType:
    """Import rembg, and keep PyTorch's threads: numba, which it brings, sets them to all cores."""
    torch = sys.modules.get("torch")
    threads = torch and torch.get_num_threads()
    import rembg.sessions

    if torch:
        torch.set_num_threads(threads)
    return rembg


def refuse_unpinned(options: params.Masks) -> None:
    """Raise an InputError where the options name a network's file that does not hold what its name tells.

    See `files.pinned`: DVC would not see another file of the name.
    """
    if options.method == "rembg" and (network := Path(parts(options.rembg_model)[1])).is_file():
        files.pinned(network)


def kinds() -> dict[str, type]:
    """The sessions of rembg by name that cut one object out by themselves, here: no prompts, no service elsewhere."""
    found = {kind.name(): kind for kind in _library().sessions.sessions_class if kind.is_local()}
    return {name: kind for name, kind in found.items() if name not in OTHER_TASKS}


def parts(model: str) -> tuple[str, str]:
    """Return the kind and the file of a model, "" for what it does not name.

    >>> parts("u2net"), parts("isnet-general-use:net.onnx"), parts("net.onnx")
    (('u2net', ''), ('isnet-general-use', 'net.onnx'), ('', 'net.onnx'))
    """
    kind, colon, file = model.partition(":")
    return ("", model) if model.endswith(".onnx") and not colon else (kind, file)


def model_file(model: str) -> Path:
    """Return the file of a network of rembg, downloaded where it is not there yet.

    Args:
        model: as in `rembg`.

    Raises:
        InputError: rembg knows no such model, cannot download it, or there is no such file.
    """
    kind, file = parts(model)
    if kind:
        refuse_unknown("model of rembg", [kind], kinds())
    if not file:
        with as_input_error(f"rembg cannot download {model}: connect to the network, or {MEND}"):
            file = ranks.by_first(kinds()[kind].download_models)
    if not Path(file).is_file():
        raise InputError(f"{file}: no such file: {MEND}")
    return Path(file)


@lru_cache(maxsize=1)  # loading takes a second
def session(model: str, threads: int):
    """Open a session of rembg, which rembg.remove wants; see `rembg`."""
    import onnxruntime

    path = str(model_file(model))
    kind = parts(model)[0] or "u2net"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    of_file = {"download_models": classmethod(lambda *args, **kwargs: path)}  # rembg takes files from its home only
    opened = type(kind, (kinds()[kind],), of_file)(kind, options, model_path=path)
    side = opened.inner_session.get_inputs()[0].shape[2]
    if not parts(model)[0] and side != U2NET_PX:
        raise InputError(f"its input has {side} px, that of u2net {U2NET_PX}: name its kind, as in KIND:{model}")
    return _quicker(_one_at_a_time(opened))


def _one_at_a_time(session):
    """Let threads that share a session take turns with its network, which takes most of the time and memory."""
    run, lock = session.inner_session.run, Lock()

    def in_turn(*args, **kwargs) -> list[np.ndarray]:
        with lock:
            return run(*args, **kwargs)

    session.inner_session.run = in_turn
    return session


def _quicker(session):
    """Let a session normalise photos by a table of the 256 levels: to the same floats as rembg, in a third of the time.

    rembg divides by the largest level, subtracts the mean and divides by the sd in float64, pixel by pixel.
    """

    def normalize(photo: Image.Image, mean: tuple, std: tuple, size: tuple, *args, **kwargs) -> dict[str, np.ndarray]:
        small = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS))
        levels = np.arange(256) / max(small.max(), 1e-6)
        planes = [
            ((levels - m) / sd).astype(np.float32)[small[..., c]]
            for c, (m, sd) in enumerate(zip(mean, std, strict=True))
        ]
        return {session.inner_session.get_inputs()[0].name: np.stack(planes)[None]}

    session.normalize = normalize
    return session
