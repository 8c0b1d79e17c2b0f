"""The command that tries all remedies."""

import json

import pytest
import torch
from random_tensors import random
from ruamel.yaml import YAML
from safetensors.torch import load_file
from torch.nn.functional import normalize

from bgbias.models.trained import new, save
from bgbias.remedies import projection
from bgbias.remedies.pictures import REMEDIES


@pytest.fixture
def workplace(data, drawn_settings, tmp_path, monkeypatch):
    """A folder with params.yaml for the drawn photos, and a model."""
    YAML().dump(drawn_settings, tmp_path / "params.yaml")
    torch.manual_seed(0)
    model = new("small_resnet", 8, 16, "euclidean")
    save(model, tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_all_remedies_and_directions_that_can_be_used_elsewhere(workplace, run_stage, capsys):
    asked = "--dataset drawn --embedder model:model --out metrics/mine.json --save fixes/mine.safetensors"
    run_stage("remedies", *asked.split())
    found = json.loads((workplace / "metrics/mine.json").read_text())["mine"]
    assert set(found["remedies"]) == {remedy.key for remedy in REMEDIES}
    assert found["chosen"] in found["remedies"] and found["empty_masks"] == 0
    assert (found["dataset"], found["embedder"], found["dimensions"]) == ("drawn", "model:model", 8)
    saved = load_file(workplace / "fixes/mine.safetensors")
    assert len(saved["directions"]) == found["removed"] and saved["matrix"].shape == (8, 8)
    mine = normalize(random(5, 8))
    assert projection.removed(mine, saved["directions"]).shape == (5, 8)
    assert projection.whitened(mine, saved["matrix"]).shape == (5, 8)
    printed = capsys.readouterr().out
    assert len([line for line in printed.splitlines() if line.startswith("| ")]) == 1 + len(REMEDIES)
    assert f"Chosen by validation: {found['chosen']}, by the mean of MAP@R on clean and on swapped photos" in printed
    best = found["remedies"][found["chosen"]]["validation"]
    by = [line.split("|")[-2].strip() for line in printed.splitlines() if line.startswith("| ")]
    assert by[0] == "validation" and max(map(float, by[1:])) == round(100 * best, 1)
    assert "empty where other draws of these classes may lose nothing" in printed
    assert "±: standard deviation over draws" in printed and printed.endswith("\nThe figures: metrics/mine.json\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("paintings", "model:model"), "error: unknown dataset 'paintings'"),
        (("drawn", "model:nowhere"), "error: model:nowhere: nowhere: no model here"),
    ],
)
def test_a_mistake_is_one_line(workplace, run_stage, arguments, message):
    with pytest.raises(SystemExit) as caught:
        dataset, embedder = arguments
        run_stage("remedies", "--dataset", dataset, "--embedder", embedder, "--out", "found.json")
    assert str(caught.value).startswith(message) and not (workplace / "found.json").exists()
