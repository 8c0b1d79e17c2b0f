"""Foreground masks of every method, and the checks on them."""

import re

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from PIL import Image

from bgbias import files
from bgbias.config import params
from bgbias.masks import segment
from bgbias.masks.make import file_of, make_masks
from bgbias.photos.foreground import OBJECT


@pytest.fixture(autouse=True)
def no_download(tmp_path, monkeypatch):
    """A home of rembg without models, and no way to download one."""

    def refuse(*args, **kwargs):
        raise OSError("no\nnetwork")

    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("pooch.retrieve", refuse)
    segment.session.cache_clear()


def draw(path, width=60, height=40, x=30, y=20, radius=12):
    """Write a photo of a red disc on green noise; return its true mask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    disc = np.hypot(np.arange(height)[:, None] - y, np.arange(width) - x) < radius
    noise = np.random.default_rng(0).integers(0, 90, (height, width, 3))
    photo = noise + np.where(disc[..., None], (160, 20, 20), (20, 120, 60))
    Image.fromarray(photo.astype(np.uint8)).save(path)
    return disc


def network(path, scale=1.0, side=320):
    """Write a network of u2net's input and output: the mean over the channels, times `scale`."""
    shapes = {"x": [1, 3, side, side], "y": [1, 1, side, side]}
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in shapes.items())
    mean = helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1)
    factor = helper.make_tensor("factor", TensorProto.FLOAT, [], [scale])
    graph = helper.make_graph([mean, helper.make_node("Mul", ["mean", "factor"], ["y"])], "net", [x], [y], [factor])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def make(folder, paths, method, out="out", model="u2net", mask_paths=None, workers=1):
    table = pd.DataFrame({"path": paths, "mask_path": mask_paths or [""] * len(paths)})
    options = params.Masks(method=method, rembg_model=str(model), grabcut_px=64)
    make_masks(table, folder, folder / out, options, workers)


def written(folder, path):
    mask = Image.open(file_of(folder / "out", path))
    assert mask.mode == "L"
    return np.asarray(mask)


def iou(mask, truth):
    return ((mask >= OBJECT) & truth).sum() / ((mask >= OBJECT) | truth).sum()


def test_every_photo_has_a_mask_of_its_own(tmp_path):
    paths = ["a/1.png", "b/1.png", "b/1.jpg", "b/deep/1.png"]
    truths = [draw(tmp_path / path, x=10 * number) for number, path in enumerate(paths)]
    for path, truth in zip(paths, truths, strict=True):
        Image.fromarray(truth).save(tmp_path / f"{path}.truth.png")
    make(tmp_path, paths, "given", mask_paths=[f"{path}.truth.png" for path in paths])
    for path, truth in zip(paths, truths, strict=True):
        np.testing.assert_array_equal(written(tmp_path, path), truth * 255)
    found = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")]
    assert sorted(found) == ["a/1.png.png", "b/1.jpg.png", "b/1.png.png", "b/deep/1.png.png"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_run_goes_on(tmp_path, workers, capfd):
    paths = [f"{number}.png" for number in range(12)]
    truths = [draw(tmp_path / path) for path in paths]
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"3\.png: does not decode .*: replace or remove it"):
        make(tmp_path, paths, "grabcut", workers=workers)
    first = file_of(tmp_path / "out", "0.png")
    assert first.is_file()  # what was made is kept
    Image.new("L", (60, 40), 7).save(first)  # as no method makes it
    draw(tmp_path / "3.png")
    make(tmp_path, paths, "grabcut", workers=workers)
    assert written(tmp_path, "0.png").max() == 7
    assert min(iou(written(tmp_path, path), truths[0]) for path in paths[1:]) > 0.8
    assert len(list((tmp_path / "out").iterdir())) == 12  # and nothing half-written
    capfd.readouterr()
    make(tmp_path, paths, "grabcut", workers=workers)
    assert "12/12" in capfd.readouterr().err


@pytest.mark.parametrize("cut", [0, 9, 60, -15])
def test_a_damaged_mask_is_made_again(tmp_path, capsys, cut):
    for path in ("a.png", "b.png"):
        draw(tmp_path / path)
    make(tmp_path, ["a.png", "b.png"], "grabcut")
    mask = file_of(tmp_path / "out", "a.png")
    whole = mask.read_bytes()
    mask.write_bytes(whole[:cut])
    capsys.readouterr()
    make(tmp_path, ["a.png", "b.png"], "grabcut")
    assert mask.read_bytes() == whole
    assert re.search(rf"(?m)^{mask} is damaged \(.*\): made again$", capsys.readouterr().err)


def test_a_mask_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def stop_halfway(picture, path, **options):
        path.write_bytes(b"half")
        raise OSError("disk full")

    draw(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "save", stop_halfway)
    with pytest.raises(OSError, match="disk full"):
        make(tmp_path, ["a.png"], "grabcut")
    assert not list((tmp_path / "out").iterdir())


def test_a_bad_given_mask_is_refused(tmp_path):
    draw(tmp_path / "a.png", 60, 40)
    draw(tmp_path / "small.png", 20, 10)
    fetch = r"`dvc exp run -f -S 'datasets=\[<dataset>\]' raw@<dataset>`"  # `dvc repro` knows those of params.yaml
    with pytest.raises(ValueError, match=f"a.png: .*no mask: add .* by {fetch}, or choose masks"):
        make(tmp_path, ["a.png"], "given")
    with pytest.raises(FileNotFoundError, match=r"a.png: its mask .*b.png is missing: add it, or choose"):
        make(tmp_path, ["a.png"], "given", mask_paths=["b.png"])
    with pytest.raises(ValueError, match=r"a.png: 60 x 40 pixels, but its mask has 20 x 10: replace the mask"):
        make(tmp_path, ["a.png"], "given", mask_paths=["small.png"])
    assert not (tmp_path / "out").exists()


def test_the_mask_of_a_rotated_photo_is_upright(tmp_path):
    truth, exif = draw(tmp_path / "upright.png", x=22), Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying = Image.open(tmp_path / "upright.png").rotate(90, expand=True)
    lying.save(tmp_path / "a.jpg", exif=exif, quality=95)
    make(tmp_path, ["a.jpg"], "grabcut")
    assert iou(written(tmp_path, "a.jpg"), truth) > 0.8


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (60, 60), (400, 100)])
def test_grabcut_finds_the_object_in_the_centre(tmp_path, size):
    truth = draw(tmp_path / "a.png", *size, x=0.45 * size[0], y=0.5 * size[1], radius=0.3 * min(size))
    mask = np.asarray(segment.grabcut(Image.open(tmp_path / "a.png"), 64))
    assert iou(mask, truth) > 0.8
    assert ((mask > 0) & (mask < 255)).any() == (max(size) > 64)  # soft where the photo was shrunk


@pytest.mark.parametrize(("method", "device"), [("grabcut", "CPU"), ("rembg", "CPU"), ("rembg", "GPU")])
def test_masks_do_not_depend_on_workers_or_order(tmp_path, monkeypatch, method, device):
    monkeypatch.setattr("onnxruntime.get_device", lambda: device)  # on a GPU the workers are threads
    paths, model = [f"{number}.png" for number in range(4)], network(tmp_path / "net.onnx")
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((150, 100)).save(tmp_path / path)
    make(tmp_path, paths, method, out="one", model=model)
    make(tmp_path, paths[::-1], method, out="two", model=model, workers=2)
    assert files.checksum(tmp_path / "one") == files.checksum(tmp_path / "two")


@pytest.mark.parametrize(
    ("kind", "model", "side"),
    [
        ("u2net", "u2net", 320),
        ("u2net", "elsewhere/net.onnx", 320),
        ("u2net", "u2net:elsewhere/net.onnx", "any"),
        ("isnet-general-use", "isnet-general-use:elsewhere/net.onnx", 1024),
        ("bria-rmbg", "bria-rmbg:elsewhere/net.onnx", "any"),
        ("birefnet-general-lite", "birefnet-general-lite:elsewhere/net.onnx", "any"),
    ],
)
def test_a_network_by_name_or_file_gives_what_rembg_gives(tmp_path, monkeypatch, kind, model, side):
    import rembg

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL_CHECKSUM_DISABLED", "1")
    path = network(tmp_path / "home/models" / kind / f"{kind}.onnx", side=side)  # where rembg looks
    draw(tmp_path / "a.png", 70, 50)
    expected = rembg.remove(Image.open(tmp_path / "a.png"), session=rembg.new_session(kind), only_mask=True)
    if "elsewhere" in model:
        (tmp_path / "elsewhere").mkdir()
        path.rename(tmp_path / "elsewhere/net.onnx")
    make(tmp_path, ["a.png"], "rembg", model=model)
    mask = written(tmp_path, "a.png")
    np.testing.assert_array_equal(mask, np.asarray(expected))
    assert mask.shape == (50, 70)
    assert len(np.unique(mask)) > 50  # soft


@pytest.mark.parametrize("peak", [0, 1, 200, 255])
def test_photos_are_normalised_to_rembg_s_own_floats(tmp_path, monkeypatch, peak):
    import rembg

    path = network(tmp_path / "net.onnx")
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    pixels = np.random.default_rng(0).integers(0, peak + 1, (50, 70, 3), dtype=np.uint8)
    how = Image.fromarray(pixels), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (320, 320)
    theirs = rembg.new_session("u2net_custom", model_path=str(path)).normalize(*how)
    ours = segment.session(str(path), 1).normalize(*how)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        np.testing.assert_array_equal(ours[name], expected, strict=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [0, float("nan")])
def test_a_network_that_finds_nothing_gives_an_empty_mask(tmp_path, monkeypatch, scale):
    draw(tmp_path / "a.png")
    make(tmp_path, ["a.png"], "rembg", model=network(tmp_path / "net.onnx", scale))
    assert written(tmp_path, "a.png").max() == 0


def test_a_model_that_rembg_cannot_use_is_refused(tmp_path):
    draw(tmp_path / "a.png")
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    reasons = {
        "u3net": "unknown model of rembg 'u3net'; close to it are u2net",
        "withoutbg": "unknown model of rembg 'withoutbg'",  # sends photos to a service
        "u2net": r"rembg cannot download u2net: .*no network",
        tmp_path / "missing.onnx": "missing.onnx: no such file",
        tmp_path / "broken.onnx": "Protobuf parsing failed",
        network(tmp_path / "large.onnx", side=640): "its input has 640 px, that of u2net 320: name its kind, as in KI",
        network(tmp_path / "any.onnx", side="any"): "its input has any px, that of u2net 320: name its kind, as in KI",
        f"isnet-general-use:{network(tmp_path / 'u2net.onnx')}": "Got: 1024 Expected: 320",
        f"isnt:{tmp_path / 'u2net.onnx'}": "unknown model of rembg 'isnt'; known are birefnet-general",
    }
    for model, reason in reasons.items():
        mend = r".*--rembg-model\) a model of rembg, such as u2net, or one and a file of it"
        with pytest.raises(ValueError, match=f"rembg cannot use {model} .*{reason}.*: {mend}") as refusal:
            make(tmp_path, ["a.png"], "rembg", model=model, workers=2)
        assert "\n" not in str(refusal.value)
