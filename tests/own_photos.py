"""Own photos of a user: tiny ones, no two equal, and a project that has them under data/sources."""

import itertools
from pathlib import Path

import pytest
from PIL import Image

from bgbias.config.data import Folder

OPTIONS = Folder(seed=1, val_share=0.25, test_share=0.25)
NUMBERS = itertools.count()
CLASSES = ("Äpfel", "blue mug", "cup", "dish", "egg", "fork", "glass", "hat")


def add(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = next(NUMBERS)  # no two are equal
        Image.new("RGB", (8, 8), (number // 256, number % 256, 0)).save(path, format="PNG")


def write_list(where: Path, text: str, encoding: str = "utf-8") -> None:
    (where / "photos.csv").write_text(text, encoding=encoding)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A project with eight classes of two photos under data/sources/own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    where = Path("data/sources/own")
    add(*(where / kind / f"{number}.jpg" for kind in CLASSES for number in (1, 2)))
    return where
