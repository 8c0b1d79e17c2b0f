"""What the report says of masks that are in doubt, before its table."""

import json

import numpy as np
from ruamel.yaml import YAML

from bgbias.photos.pack import Pack


def beyond_the_crop(photo):
    """A mask whose object reaches over the upper two rows alone, which the centre square of 20 pixels leaves out."""
    mask = np.zeros((*photo.shape[:2], 1), dtype=np.uint8)
    mask[:2] = 255
    return mask


def test_masks_are_in_doubt_where_networks_see_nothing_of_their_objects(
    data, drawn_settings, tmp_path, monkeypatch, run_stage, capsys
):
    photos = Pack(data / "prepared/drawn/photos")
    Pack.write(data / "masks/drawn/packed", map(beyond_the_crop, photos))
    train = {"batch_size": 4, "batches_per_epoch": 2, "max_epochs": 1, "embedding_dim": 8}
    drawn_settings["train"]["drawn"] |= train
    drawn_settings["attention"]["copies"] = 2
    YAML().dump(drawn_settings | {"regimes": ["base"]}, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics/masks").mkdir(parents=True)
    counts = {"masks": 27, "empty": 0, "tiny": 0, "nearly_full": 0, "border": 0}  # of whole photos
    (tmp_path / "metrics/masks/drawn.json").write_text(json.dumps({"drawn": {"masks": counts}}))
    for stage in ("train", "embed", "attention"):
        run_stage(stage, "drawn", "base", 42)
    run_stage("evaluate", "drawn", "base")
    run_stage("report", "drawn")
    assert "No conclusion: 9 of 9 test masks are in doubt (9 empty), so swapped photos" in capsys.readouterr().out
