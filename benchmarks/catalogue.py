"""A sample of queries in a gallery of a million: time and memory; and what larger galleries cost by the rates measured.

    python -m benchmarks.catalogue [--quick] [--json FILE]

search:   the queries against the whole gallery, mapped from a file of float32
measures: all that an audit makes of the embeddings: 12 such searches (5 draws, 2 of changed masks, 4 backgrounds)
decode:   photos of 500 px from JPEG to the centre crop of 224 px, as a gallery's photos are
embed:    a ResNet-18 at 224 px, as an audit runs it

Memory is what the process holds beside pages of files (RssAnon of /proc/self/status), looked at every 10 ms; mapped
pages are the system's cache, which it takes back when memory is needed. Times are CPU seconds of one thread.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import onnxruntime
import pandas as pd
import torch

from benchmarks import drawn, harness
from bgbias import files
from bgbias.audit.inputs import gallery, sample
from bgbias.audit.measures.embeddings import Embeddings
from bgbias.audit.measures.sampled import Sampled
from bgbias.command import memory
from bgbias.external.exported import exported
from bgbias.external.spec import load
from bgbias.metrics.retrieval import per_query
from bgbias.models.embedder import embed, portions
from bgbias.report import tables

DRAWS, GRID, PX = 5, 4, 224
SEARCHES = 1 + DRAWS + 2 + GRID  # of an audit of a sample, by masks of one kind
SIZES = {"photos": 1_000_000, "classes": 100_000, "dimensions": 128, "queries": 5_000}
QUICK = {"photos": 30_000, "classes": 3_000, "dimensions": 64, "queries": 500}
LARGE = (1_000_000, 10_000_000, 100_000_000)  # photos, whose cost is told
CORES = 16  # of a machine whose hours are told
PART = 2**16  # embeddings that are drawn at a time


def simulated(folder: Path, photos: int, classes: int, dimensions: int, queries: int) -> tuple[SimpleNamespace, dict]:
    """What stands for an audit's pictures, and a file of embeddings for each view: of class, background and noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, photos)
    own, behind = (rng.standard_normal((count, dimensions), dtype=np.float32) for count in (classes, 100))

    def made(rows: np.ndarray, share: float) -> np.ndarray:
        noise = rng.standard_normal((len(rows), dimensions), dtype=np.float32)
        points = own[labels[rows]] + share * behind[rng.integers(100, size=len(rows))] + 1.5 * noise
        return points / np.linalg.norm(points, axis=1, keepdims=True)

    paths = {"clean": folder / "clean.npy"}
    mapped = np.lib.format.open_memmap(paths["clean"], "w+", np.float32, (photos, dimensions))
    for start in range(0, photos, PART):
        rows = np.arange(start, min(start + PART, photos))
        mapped[rows] = made(rows, 0.3)
    mapped.flush()
    rows = sample.draw(labels, queries, 0)
    views = [f"swapped/{name}" for name in (*range(DRAWS), "eroded", "dilated")] + [f"grid/{n}" for n in range(GRID)]
    for view in views:
        paths[view] = folder / f"{view.replace('/', '-')}.npy"
        np.save(paths[view], made(rows, 1.0))
    table = pd.DataFrame({"path": np.arange(photos).astype(str), "class_id": labels, "class_name": labels.astype(str)})
    audited = {"table": table.loc[rows].reset_index(drop=True), "labels": labels[rows], "doubts": [""] * len(rows)}
    audited |= {"gallery": gallery.Gallery(table, photos, rows, None, None, ""), "near_duplicates": [], "mirrored": []}
    pictures = SimpleNamespace(**audited, draws=DRAWS, seed=42, input_px=PX, second_kind=None)
    return pictures, {view: lambda path=path: np.load(path, mmap_mode="c") for view, path in paths.items()}


def measured(run: Callable[[], object]) -> dict[str, float]:
    """CPU seconds of a run, and what the process holds at its peak beside pages of files."""
    peak, done = [_beside_files()], threading.Event()

    def look() -> None:
        while not done.wait(0.01):
            peak.append(_beside_files())

    looking = threading.Thread(target=look)
    looking.start()
    started, wall = time.thread_time(), time.perf_counter()
    run()
    seconds = {"cpu_s": time.thread_time() - started, "wall_s": time.perf_counter() - wall}
    done.set()
    looking.join()
    return seconds | {"peak_mb": max(peak) / 1024}


def _beside_files() -> int:
    return harness._status("RssAnon")


def rates(folder: Path, photos: int) -> dict[str, float]:
    """CPU seconds that a photo takes to be decoded and cropped, and to be embedded."""
    paths, _, _ = drawn.files_of(folder / "files", None, photos, 1)
    table = pd.DataFrame({"path": list(map(str, paths)), "class_id": 0})
    with patch("bgbias.cores.count", lambda: 1):
        read = gallery.of_files(table, photos, folder, np.arange(1), PX)
        started = time.process_time()
        pictures = read.photo(np.arange(photos))
    decoded = time.process_time() - started
    real = onnxruntime.SessionOptions

    def of_one_thread() -> onnxruntime.SessionOptions:
        made = real()
        made.intra_op_num_threads = 1
        return made

    with patch("onnxruntime.SessionOptions", of_one_thread):
        network, names = exported(load("torchvision:resnet18"), pictures, list(table.path)), list(table.path)
    embed(network, portions(network, pictures), names)
    started = time.process_time()
    embed(network, portions(network, pictures), names)
    return {"decode_s": decoded / photos, "embed_s": (time.process_time() - started) / photos}


def costs(found: dict, photos: int) -> dict[str, str]:
    """What a gallery of so many photos costs, by the rates: its embedding once, then each audit of a sample."""
    dimensions, queries, each = found["dimensions"], found["queries"], found["decode_s"] + found["embed_s"]
    searching = found["measures"]["cpu_s"] * photos / found["photos"]
    return {
        "photos": f"{photos:,}",
        "embedding once, core hours": f"{photos * each / 3600:,.1f}",
        f"on {CORES} cores, hours": f"{photos * each / 3600 / CORES:,.1f}",
        f"machines of {CORES} cores for a day": f"{photos * each / 3600 / CORES / 24:,.2f}",
        f"file of {dimensions} dimensions, GB": f"{photos * dimensions * 4 / 1e9:,.1f}",
        f"swapping and embedding {queries:,} queries, core hours": f"{(SEARCHES - 1) * queries * each / 3600:.2f}",
        "searching, core hours": f"{searching / 3600:.2f}",
    }


def main() -> None:
    """Measure, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="30,000 photos, in less than a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    memory.keep_freed()  # as every stage does
    torch.set_num_threads(1)
    sizes = QUICK if options.quick else SIZES
    found = {"machine": harness.machine(1)} | sizes
    print(f"{found['machine']}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        pictures, opened = simulated(Path(folder), **sizes)
        views = Embeddings(opened)
        found["before_mb"] = _beside_files() / 1024
        rows, labels = torch.from_numpy(pictures.gallery.rows), torch.from_numpy(pictures.gallery.labels)
        found["search"] = measured(lambda: per_query(views["swapped/0"], views["clean"], labels, [1], rows))
        found["measures"] = measured(lambda: Sampled(pictures, views).all())
        found |= rates(Path(folder), 64 if options.quick else 256)
    what = {"search": "one search", "measures": f"all measures, {SEARCHES} searches"}
    searched = [
        {"": said} | {"CPU s": f"{found[name]['cpu_s']:.1f}", "peak beside files, MB": f"{found[name]['peak_mb']:,.0f}"}
        for name, said in what.items()
    ]
    larger = [costs(found, photos) for photos in LARGE]
    print(f"{tables.markdown(pd.DataFrame(searched))}\n")
    print(
        f"before: {found['before_mb']:,.0f} MB; a photo is decoded in {1000 * found['decode_s']:.1f} ms, embedded in "
        f"{1000 * found['embed_s']:.1f} ms\n"
    )
    print(tables.markdown(pd.DataFrame(larger)))
    for name, rows in {"searched": searched, "larger": larger}.items():
        found[name] = [list(rows[0]), *(list(row.values()) for row in rows)]
    if options.json:
        files.write_json(options.json, found)


if __name__ == "__main__":
    main()
