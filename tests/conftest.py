"""Tiny drawn photos: a bright disc (the object) on a dark ground, classes by the disc's colour."""

import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from audit_to_show import write  # noqa: F401 (fixtures)
from audited_shop import audits, in_the_shop, shop, shops  # noqa: F401
from bad_inputs import refuses, small  # noqa: F401
from bn_inception_reference import reference  # noqa: F401
from discs import disc, save
from drawn_board import board, board_place  # noqa: F401
from one_each_audits import audited, catalogue  # noqa: F401
from own_photos import own  # noqa: F401
from remedied import few_resamples  # noqa: F401
from ruamel.yaml import YAML
from sent_photos import sent  # noqa: F401
from small_checkout import finished  # noqa: F401
from started_by_torchrun import torchrun  # noqa: F401
from study_originals import work  # noqa: F401
from training_parts import parts  # noqa: F401

from bgbias.config import params
from bgbias.photos import decode, pack
from bgbias.photos.table import check_table
from bgbias.photos.views import Photos

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background, and children inherit that
SIZES = ((24, 24), (30, 24), (24, 36))  # width, height
SPLITS = {"train": 4, "val": 2, "test": 3}  # classes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many of the bad inputs were refused as they should be."""
    refused, not_refused = (
        sum("test_bad_inputs" in report.nodeid for report in terminalreporter.stats.get(outcome, []))
        for outcome in ("passed", "failed")
    )
    if refused or not_refused:
        terminalreporter.write_line(f"bad inputs: {refused} of {refused + not_refused}")


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own for what stages keep and look for: caches, unfinished work, data/sources."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "checkout"))
    return tmp_path / "checkout"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Compute tiny tensors on one thread, as more would wait for one another.

    For each test anew: rembg brings numba, whose import after a convolution sets PyTorch's threads to all cores.
    """
    torch.set_num_threads(1)


@pytest.fixture
def run_stage(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Run a stage in this process as `python -m stages.NAME ARGUMENTS` does in one of its own."""

    def run(stage: str, *arguments: object) -> dict:
        monkeypatch.setattr(sys, "argv", [stage, *map(str, arguments)])
        return runpy.run_module(f"stages.{stage}", run_name="__main__")

    return run


@pytest.fixture
def raw(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """A raw dataset of drawn photos with masks, and its table before it is checked."""
    folder, rng, rows = tmp_path / "raw", np.random.default_rng(0), []
    for split, classes in SPLITS.items():
        for _ in range(classes):
            class_id = len({row[2] for row in rows})
            colour = tuple(int(value) for value in rng.integers(120, 256, 3))
            for number in range(3):
                ground = tuple(int(value) for value in rng.integers(0, 80, 3))
                path = Path(f"class{class_id}") / f"{number}.png"
                save(folder, path, disc(SIZES[number], colour, ground))
                rows.append((f"photos/{path}", f"masks/{path}", class_id, f"class{class_id}", split))
    return folder, pd.DataFrame(rows, columns=["path", "mask_path", "class_id", "class_name", "split"])


@pytest.fixture
def geometry() -> params.Geometry:
    """Crops of the drawn photos."""
    return params.Geometry(
        short_side_px=24, crop_px=20, input_px=16, train_crop_share=[0.5, 1.0], train_crop_ratio=[0.75, 4 / 3]
    )


@pytest.fixture
def drawn_settings() -> dict:
    """The content of params.yaml with a dataset `drawn`, for the fixture `data`: few views of small pictures."""
    settings = YAML().load(Path("params.yaml"))
    for block in ("data", "images", "masks", "backgrounds", "train", "evaluate"):
        settings[block]["drawn"] = settings[block]["own"]
    settings["attention"]["max_images"]["drawn"] = 10
    settings["images"]["drawn"] |= {"short_side_px": 24, "crop_px": 20, "input_px": 20}
    settings["evaluate"]["drawn"]["draws"] = 2
    return settings


@pytest.fixture
def data(tmp_path: Path, raw: tuple[Path, pd.DataFrame]) -> Path:
    """What the stages before training make of the drawn photos, under the name "drawn"."""
    folder, table = raw
    table = check_table(table, folder)
    prepared = tmp_path / "data/prepared/drawn"
    prepared.mkdir(parents=True)
    table.to_csv(prepared / "images.csv", index=False)
    for column, read, out in (
        ("path", decode.read_photo, prepared / "photos"),
        ("mask_path", decode.read_mask, tmp_path / "data/masks/drawn/packed"),
    ):
        pictures = (pack.shrink(read(folder / path), 24) for path in table[column])
        pack.Pack.write(out, pictures)
    for seed, pool in enumerate(("val", "test")):
        rng = np.random.default_rng(seed)
        pictures = (rng.integers(0, 256, (24, 32, 3), dtype=np.uint8) for _ in range(5))
        pack.Pack.write(tmp_path / "data/backgrounds/drawn" / pool, pictures)
    return tmp_path / "data"


@pytest.fixture
def photos(data: Path, geometry: params.Geometry) -> Photos:
    """The drawn photos as training and evaluation see them."""
    return Photos.prepared("drawn", geometry, data)


@pytest.fixture
def options() -> params.Training:
    """A training that takes a second."""
    return params.Training(
        network="small_resnet",
        weights="scratch",
        freeze_batch_norm=False,
        embedding_dim=8,
        batch_size=4,
        batches_per_epoch=3,
        max_epochs=3,
        patience=3,
        optimizer="adamw",
        lr=0.003,
        head_lr=0.003,
        weight_decay=0.0001,
        momentum=0.9,
        schedule="one_cycle",
        precision="fp32",
        noise_share=0.1,
        separate_pools=False,
        workers=0,
    )
