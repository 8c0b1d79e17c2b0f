"""What the report says of masks that are in doubt, before its table."""

import json

import numpy as np
import pytest
from ruamel.yaml import YAML

from bgbias.photos.pack import Pack


def beyond_the_crop(photo):
    """A mask whose object reaches over the upper two rows alone, which the centre square of 20 pixels leaves out."""
    mask = np.zeros((*photo.shape[:2], 1), dtype=np.uint8)
    mask[:2] = 255
    return mask


@pytest.fixture
def reported(data, drawn_settings, tmp_path, monkeypatch, run_stage, capsys):
    """A function that runs the stages from train to report, and returns what they print."""
    train = {"batch_size": 4, "batches_per_epoch": 2, "max_epochs": 1, "embedding_dim": 8}
    drawn_settings["train"]["drawn"] |= train
    drawn_settings["attention"]["copies"] = 2
    YAML().dump(drawn_settings | {"regimes": ["base"]}, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics/masks").mkdir(parents=True)
    counts = {"masks": 27, "empty": 0, "tiny": 0, "nearly_full": 0, "border": 0}  # of whole photos
    (tmp_path / "metrics/masks/drawn.json").write_text(json.dumps({"drawn": {"masks": counts}}))

    def run() -> str:
        for stage in ("train", "embed", "attention"):
            run_stage(stage, "drawn", "base", 42)
        run_stage("evaluate", "drawn", "base")
        run_stage("report", "drawn")
        table = (tmp_path / "plots/report/drawn/table.md").read_text()
        return capsys.readouterr().out.rpartition("clean\n")[2] + table

    return run


def test_masks_are_in_doubt_where_networks_see_nothing_of_their_objects(data, reported):
    photos = Pack(data / "prepared/drawn/photos")
    Pack.write(data / "masks/drawn/packed", map(beyond_the_crop, photos))
    said = reported()
    assert said.count("No conclusion: 9 of 9 test masks are in doubt (9 empty), so swapped photos") == 2
    assert "of these photos the figures" not in said


def test_a_few_test_masks_in_doubt_and_near_duplicates_are_said_before_the_table(data, reported):
    photos, masks = (list(Pack(data / part)) for part in ("prepared/drawn/photos", "masks/drawn/packed"))
    masks[-1] = beyond_the_crop(photos[-1])
    photos[-2], masks[-2] = photos[-3] // 2 * 2, masks[-3]
    Pack.write(data / "prepared/drawn/photos", iter(photos))
    Pack.write(data / "masks/drawn/packed", iter(masks))
    printed, _, written = reported().partition("| base ")
    for said in (printed, written):
        assert "1 of 9 test masks are in doubt (1 empty): of these photos the figures show what the masks do." in said
        assert "2 of 9 test photos are near-duplicates (recompressed, resized or slightly cropped; 1 pair, such" in said
    assert "Photos without an attention score, left out of its mean: 1 of 9 clean, 1 of 9 swapped." in written
