"""How many masks are made at once, by what, and within the memory that there is."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from time import sleep
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image
from test_masks_make import draw, network

from bgbias.config import params
from bgbias.masks import make, segment, workers


def test_the_number_of_workers_suits_method_and_processor(monkeypatch):
    monkeypatch.setattr("bgbias.cores.count", lambda: 16)
    assert (workers.by_cores("grabcut"), workers.by_cores("rembg")) == (16, 4)
    monkeypatch.setattr("onnxruntime.get_device", lambda: "GPU")
    assert workers.by_cores("rembg") == 16


@pytest.mark.parametrize(("free", "expected"), [(None, 4), (9.3, 4), (9.1, 3), (4.6, 2), (2.2, 1), (0, 1)])
def test_the_number_of_workers_follows_the_memory_and_says_so(free, expected, capsys):
    assert workers.by_memory(4, 2_300_000_000, free if free is None else round(free * 1e9)) == expected
    said = (
        f"masks: {expected} worker{'s' * (expected > 1)}, not 4: each takes 2.3 GB, and {free} GB of memory are free\n"
    )
    found = capsys.readouterr().out
    assert found == ("" if expected == 4 else said.replace("0 GB of", "0.0 GB of"))


def test_the_free_memory_is_the_container_s_where_that_is_less(tmp_path, monkeypatch):
    machine = workers.free_memory()
    assert machine is None or 1e8 < machine < 1e14
    monkeypatch.setattr(workers, "GROUP", tmp_path)
    for limit, expected in (("max", machine), ("5000", 3000), ("1" + 30 * "0", machine)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("2000\n")
        assert workers.free_memory() == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("free", [10**12, 1])
def test_masks_are_made_by_as_many_workers_as_have_memory(tmp_path, monkeypatch, capsys, free):
    segment.session.cache_clear()
    draw(tmp_path / "a.png")
    asked = []
    monkeypatch.setattr("bgbias.cores.count", lambda: 8)
    monkeypatch.setattr(make, "free_memory", lambda: free)
    monkeypatch.setattr(make, "executor", lambda method, count: asked.append(count) or ThreadPoolExecutor(1))
    options = params.Masks(method="rembg", rembg_model=str(network(tmp_path / "net.onnx")), grabcut_px=64)
    make.make_masks(pd.DataFrame({"path": ["a.png"], "mask_path": [""]}), tmp_path, tmp_path / "out", options)
    assert asked == [2 if free > 1 else 1]
    assert ("masks: 1 worker, not 2: each takes" in capsys.readouterr().out) == (free == 1)


@pytest.mark.parametrize(("alone_s", "asked"), [(60.0, []), (0.0, [3])])
def test_few_masks_are_made_without_other_processes(tmp_path, monkeypatch, alone_s, asked):
    paths, started = [f"{number}.png" for number in range(4)], []
    for path in paths:
        draw(tmp_path / path)
    monkeypatch.setattr("bgbias.cores.count", lambda: 3)
    monkeypatch.setattr(make, "ALONE_S", alone_s)
    monkeypatch.setattr(make, "executor", lambda method, count: started.append(count) or ThreadPoolExecutor(1))
    options = params.Masks(method="grabcut", rembg_model="", grabcut_px=64)
    make.make_masks(pd.DataFrame({"path": paths, "mask_path": [""] * 4}), tmp_path, tmp_path / "out", options)
    assert started == asked and len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.parametrize(
    ("method", "count", "device", "kind", "most"),
    [
        ("grabcut", 3, "CPU", ProcessPoolExecutor, 3),
        ("rembg", 3, "CPU", ProcessPoolExecutor, 3),
        ("rembg", 1, "CPU", ThreadPoolExecutor, 2),
        ("rembg", 3, "GPU", ThreadPoolExecutor, 3),
    ],
)
def test_one_network_serves_threads_and_each_process_has_its_own(monkeypatch, method, count, device, kind, most):
    monkeypatch.setattr("onnxruntime.get_device", lambda: device)
    with workers.executor(method, count) as pool:
        assert type(pool) is kind and pool._max_workers == most


def test_threads_take_turns_with_the_network_and_decode_meanwhile(tmp_path, monkeypatch):
    """Decoding waits for the other photo's network, and the other way round; two networks at once would be seen."""
    segment.session.cache_clear()
    paths, at_work, meet = [f"{number}.png" for number in range(4)], [], Barrier(2)
    for path in paths:
        draw(tmp_path / path)
    options = params.Masks(method="rembg", rembg_model=str(network(tmp_path / "net.onnx")), grabcut_px=64)
    inner = SimpleNamespace(run=None)

    def run(*args):
        at_work.append(len(at_work))
        assert len(at_work) == 1
        sleep(0.05)
        at_work.pop()

    inner.run = run
    shared = segment._one_at_a_time(SimpleNamespace(inner_session=inner)).inner_session
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shared.run, range(8)))

    def read(path):
        try:
            meet.wait(5)  # two photos are in hand at once
        except BrokenBarrierError:
            pytest.fail("one photo after the other")
        return Image.open(path).convert("RGB")

    monkeypatch.setattr("bgbias.photos.decode.read_photo", read)
    table = pd.DataFrame({"path": paths, "mask_path": [""] * 4})
    make.make_masks(table, tmp_path, tmp_path / "out", options, workers=1)
    assert len(list((tmp_path / "out").iterdir())) == 4
