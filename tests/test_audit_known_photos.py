"""Photos that a model has learnt are named: what it finds there says little of new ones."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from own_photos import OPTIONS

from bgbias.audit.inputs import folder as audited
from bgbias.audit.inputs import known_photos
from bgbias.config import read
from bgbias.datasets import folder
from stages import prepare

RAW = Path("data/raw/own")


@pytest.fixture
def said(own):
    """What is said of a model of the photos' checkout, and of some of these."""
    folder.fetch(RAW, OPTIONS)
    prepare.main(read.load(Path(__file__).parent.parent / "params.yaml"), "own")

    def said(photos, paths, name="model:models/own/base/42"):
        model = SimpleNamespace(name=name, files=[Path(name.partition(":")[2])])
        return known_photos.remark(model, photos, paths)

    return said


def test_training_photos_in_the_folder_that_they_came_from_are_counted(own, said):
    (one,) = said(own, audited.read(own)[0].path)
    assert one.startswith("8 of the 16 photos are among those that the model was trained on, and it finds these better")
    assert one.endswith("name splits in photos.csv, as that of data/raw/own does, and those of test alone are audited.")


def test_they_are_known_under_any_name(own, said, tmp_path):
    training = folder.read(RAW).set_index("split").path["train"].iloc[0]
    (tmp_path / "else.jpg").write_bytes((own / training).read_bytes())
    assert said(tmp_path, ["else.jpg"])[0].startswith("1 of the 1 photos are")
    (tmp_path / "else.jpg").write_bytes((own / training).read_bytes() + b"another")
    assert said(tmp_path, ["else.jpg"]) == []


def test_nothing_is_said_of_test_photos_and_of_models_whose_photos_are_not_known(own, said):
    assert said(RAW, audited.read(RAW)[0].path) == []
    for name in ("model:models/demo/base/42", "model:/net", "onnx:models/own/base/42", "small_resnet"):
        assert said(own, audited.read(own)[0].path, name) == []
