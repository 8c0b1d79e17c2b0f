"""Checkpoints: a training resumes to the byte, sets damaged ones aside, and is not repeated when it is finished."""

import pickle

import pandas as pd
import pytest
import torch
from bomb import Bomb
from training_parts import weights

from bgbias.training import checkpoints, loop


@pytest.fixture
def parts(parts):
    """The same, of a network that drops out features."""

    def make(*given, **how):
        embedder, *others = parts(*given, **how)
        embedder.network.trunk.append(torch.nn.Dropout(0.2))
        return embedder, *others

    return make


def test_an_interrupted_training_goes_on_to_the_same_network(parts, tmp_path):
    whole = parts("bgaugment", noise_share=0.2, loss="normalized_softmax")
    expected = loop.fit(*whole, tmp_path / "whole.pt")

    *given, validate = parts("bgaugment", noise_share=0.2, loss="normalized_softmax")
    calls = []

    def stopped(embedder):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return validate(embedder)

    with pytest.raises(KeyboardInterrupt):
        loop.fit(*given, stopped, tmp_path / "checkpoint.pt")
    resumed = parts("bgaugment", noise_share=0.2, loss="normalized_softmax")
    curve = loop.fit(*resumed, tmp_path / "checkpoint.pt")
    pd.testing.assert_frame_equal(curve, expected)
    assert torch.equal(weights(resumed[0]), weights(whole[0]))


def rewrite(checkpoint, change):
    saved = torch.load(checkpoint, weights_only=True)
    change(saved)
    torch.save(saved, checkpoint)


def into_a_folder(checkpoint):
    checkpoint.unlink()
    checkpoint.mkdir()
    (checkpoint / "file").touch()


DAMAGES = {
    "empty": lambda checkpoint: checkpoint.write_bytes(b""),
    "truncated": lambda checkpoint: checkpoint.write_bytes(checkpoint.read_bytes()[:-1000]),
    "noise": lambda checkpoint: checkpoint.write_bytes(bytes(range(256)) * 99),
    "another pickle": lambda checkpoint: checkpoint.write_bytes(pickle.dumps(pd.DataFrame())),
    "a list": lambda checkpoint: torch.save([1, 2], checkpoint),
    "a folder": into_a_folder,
    "no schedule": lambda checkpoint: rewrite(checkpoint, lambda saved: saved.pop("schedule")),
    "no best weights": lambda checkpoint: rewrite(checkpoint, lambda saved: saved["best"].pop("weights")),
    "another best epoch": lambda checkpoint: rewrite(checkpoint, lambda saved: saved["best"].update(epoch=4)),
    "an epoch too few": lambda checkpoint: rewrite(checkpoint, lambda saved: saved["curve"].pop(0)),
    "other shapes": lambda checkpoint: rewrite(
        checkpoint, lambda saved: saved["embedder"].update({"network.head.weight": torch.zeros(3, 3)})
    ),
}


@pytest.fixture
def undisturbed(parts, tmp_path):
    given = parts("bgaugment")
    return loop.fit(*given, tmp_path / "undisturbed.pt"), weights(given[0])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_set_aside_and_the_training_is_as_if_there_was_none(
    parts, tmp_path, undisturbed, damage, capsys
):
    checkpoint = tmp_path / "checkpoint.pt"
    loop.fit(*parts("bgaugment"), checkpoint)
    for _ in range(2):  # the second takes the place of the first
        DAMAGES[damage](checkpoint)
        damaged = parts("bgaugment")
        capsys.readouterr()
        curve = loop.fit(*damaged, checkpoint)
        said = capsys.readouterr().err
        assert said.startswith(f"{checkpoint} is damaged (") and said.count("\n") == 1
        assert said.endswith("): it is now checkpoint.pt.damaged, and training starts anew\n")
        assert (tmp_path / "checkpoint.pt.damaged").exists()
        pd.testing.assert_frame_equal(curve, undisturbed[0])
        assert torch.equal(weights(damaged[0]), undisturbed[1])


def test_code_in_a_checkpoint_is_not_run(parts, tmp_path, capsys):
    torch.save({"embedder": Bomb(tmp_path / "owned")}, tmp_path / "checkpoint.pt")
    loop.fit(*parts(max_epochs=1), tmp_path / "checkpoint.pt")
    assert "is damaged (UnpicklingError" in capsys.readouterr().err and not (tmp_path / "owned").exists()


def test_a_finished_training_is_not_repeated(parts, tmp_path, capsys):
    loop.fit(*parts(), tmp_path / "checkpoint.pt")
    capsys.readouterr()
    curve = loop.fit(*parts(), tmp_path / "checkpoint.pt")
    assert len(curve) == 3 and capsys.readouterr().out.startswith("resuming after epoch 3")


def test_a_checkpoint_is_read_to_the_cpu_wherever_it_was_written(tmp_path, monkeypatch):
    network = torch.nn.Linear(2, 2)
    best = {"epoch": 1, "weights": network.state_dict()}
    checkpoints.save(tmp_path / "checkpoint.pt", {"embedder": network}, [{"epoch": 1}], best)
    read, asked = torch.load, []
    monkeypatch.setattr(torch, "load", lambda *its, **how: asked.append(how["map_location"]) or read(*its, **how))
    assert checkpoints.resume(tmp_path / "checkpoint.pt", {"embedder": network}) is not None
    assert set(asked) == {"cpu"}
