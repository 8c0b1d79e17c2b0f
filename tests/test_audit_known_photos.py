"""Photos that a model has learnt are named: what it finds there says little of new ones."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from own_photos import OPTIONS

from bgbias.audit import measured_on
from bgbias.audit.inputs import folder as audited
from bgbias.audit.inputs import known_photos, sources
from bgbias.audit.inputs.opened import Opened
from bgbias.config import read
from bgbias.datasets import folder
from stages import audit, prepare, remedies

RAW = Path("data/raw/own")


@pytest.fixture
def said(own):
    """What is said of a model of the photos' checkout, and of some of these."""
    folder.fetch(RAW, OPTIONS)
    prepare.main(read.load(Path(__file__).parent.parent / "params.yaml"), "own")

    def said(photos, paths, name="model:models/own/base/42", mend=True):
        model = SimpleNamespace(name=name, files=[Path(name.partition(":")[2])])
        return known_photos.remark(model, photos, paths, mend)

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


def test_of_photos_of_the_pipeline_there_is_no_other_choice_and_some_may_be_gone(own, said):
    paths = audited.read(own)[0].path
    (one,) = said(own, [*paths, "gone.jpg"], mend=False)
    assert one.startswith("8 of the 16 photos are among") and one.endswith("and it finds these better than new ones.")


class Asked(Exception):
    """Stops a stage at what it asks."""


@pytest.mark.parametrize("stage", [audit, remedies])
def test_of_a_dataset_its_raw_photos_are_asked_for(stage, own, monkeypatch):
    def asked(model, photos, paths, mend):
        raise Asked(photos.resolve(), list(paths), mend)

    pictures = SimpleNamespace(gallery=None, table=pd.DataFrame({"path": ["a.jpg"]}))
    opened = Opened(pictures, {"made_with": {}}, [])
    monkeypatch.setattr(sources, "of_dataset", lambda *given, **options: opened)
    monkeypatch.setattr(measured_on, "of_dataset", lambda *given: measured_on.Splits(pictures, {}, None, None, []))
    monkeypatch.setattr(known_photos, "remark", asked)
    with pytest.raises(Asked) as stopped:
        stage.main(read.load(Path(__file__).parent.parent / "params.yaml"), "baseline:hog", Path("out/f.json"), "demo")
    assert stopped.value.args == (Path("data/raw/demo").resolve(), ["a.jpg"], False)


def test_nothing_is_said_of_test_photos_and_of_models_whose_photos_are_not_known(own, said):
    assert said(RAW, audited.read(RAW)[0].path) == []
    for name in ("model:models/demo/base/42", "model:/net", "onnx:models/own/base/42", "small_resnet"):
        assert said(own, audited.read(own)[0].path, name) == []
