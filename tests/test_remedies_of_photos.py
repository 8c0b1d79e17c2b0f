"""Remedies on the photos of an audit: the same pictures from the same cache, and the command that its page prints."""

import importlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from audited_shop import CLASSES, PHOTOS, SETTINGS, run
from PIL import Image
from torch import nn

from bgbias.audit import measured_on
from bgbias.audit import remedied as measuring
from bgbias.audit.inputs import known_photos
from bgbias.audit.measures import embeddings
from bgbias.cache import Cache
from bgbias.errors import InputError
from bgbias.finder.network import Shape
from bgbias.models import finders
from bgbias.remedies import passes
from bgbias.remedies.pictures import REMEDIES
from stages import remedies

ROOT = Path(__file__).parent.parent
GIVEN = {"photos": "photos", "masks": "masks", "backgrounds": "backgrounds"}


def remedied(name, out, **options):
    remedies.main(SETTINGS, f"python:drawn_embedders:{name}", out, **GIVEN | options)
    return json.loads(out.read_text())[out.stem]


@pytest.fixture
def embedded(monkeypatch):
    """The names of all that is embedded; a view of an audit is named, a pass of a remedy is not."""
    for name in ("exported", "steady"):  # which the command imports: later they would count, too
        importlib.import_module(f"bgbias.external.{name}")
    made, embed = [], passes.embed

    def counted(embedder, batches, names):
        made.extend(names)
        return embed(embedder, batches, names)

    monkeypatch.setattr(passes, "embed", counted)
    monkeypatch.setattr(embeddings.embedders, "embed", counted)
    return made


def test_what_the_audit_has_embedded_is_not_embedded_again(shop, in_the_shop, tmp_path, embedded, capsys):
    audit = run(shop, tmp_path, "leaning", no_attention=True)
    assert len([name for name in embedded if name.endswith("(swapped/0)")]) == CLASSES * PHOTOS
    embedded.clear()
    found = remedied("leaning", tmp_path / "r.json")
    assert not [name for name in embedded if name.endswith(")")]
    shown = 27 * 6 - (1 + 5) - 2  # passes of clean and five swapped views, but as they are, and clean on grey and mean
    timed = 1  # of a batch
    assert len([name for name in embedded if name.endswith(".png")]) // (CLASSES * PHOTOS) == shown + timed
    said = capsys.readouterr().out
    assert "as audits show them, test photos: all pictures have been embedded before\n" in said
    assert f"as remedies show them, test photos: {shown * CLASSES * PHOTOS:,} pictures of " in said
    as_is = found["remedies"]["as_is"]
    for view in ("clean", "swapped"):
        assert as_is[view]["recall_at_1"] == pytest.approx(audit["views"][view]["recall_at_1"]["value"], abs=1e-6)
    grey = found["remedies"]["grey_both"]["clean"]["recall_at_1"]
    assert grey == audit["views"]["foreground_grey"]["recall_at_1"]["value"]
    embedded.clear()
    assert remedied("leaning", tmp_path / "r.json") == found
    assert len([name for name in embedded if name.endswith(".png")]) < CLASSES * PHOTOS  # samples, to know the model
    printed = capsys.readouterr().out
    assert "No photos.csv names the splits train and val" in printed and "8 classes: " in printed
    assert "as remedies show them, test photos: all pictures have been embedded before" in printed


def test_what_an_audit_says_of_the_model_its_remedies_say_too(shop, in_the_shop, tmp_path, monkeypatch, capsys):
    known = ["It has learnt some of these."]
    monkeypatch.setattr(
        known_photos, "remark", lambda model, folder, paths, mend: known if mend and len(list(paths)) == 48 else []
    )
    assert known[0] in run(shop, tmp_path, "noise", quick=True)["verdict"]
    torch.jit.trace(nn.Flatten(), torch.zeros(1, 3, 32, 32)).save(tmp_path / "net.pt")
    capsys.readouterr()
    remedies.main(SETTINGS, f"torchscript:{tmp_path / 'net.pt'}?input_px=32", tmp_path / "r.json", **GIVEN)
    said = capsys.readouterr().out
    assert f"{known[0]}\n" in said and "The model's file does not tell how pictures are normalised: ImageNet's" in said


@pytest.fixture
def blackened(shop, tmp_path):
    """A copy of the masks, as many of which show no object."""

    def masks(count):
        shutil.copytree(shop / "masks", tmp_path / f"masks{count}")
        for path in sorted((tmp_path / f"masks{count}").rglob("*.png"))[:count]:
            mask = Image.open(path)
            Image.new("L", mask.size).save(path)
        return str(tmp_path / f"masks{count}")

    return masks


def test_where_most_masks_are_in_doubt_nothing_is_measured(in_the_shop, tmp_path, blackened):
    with pytest.raises(InputError, match=r"^No conclusion: 25 of 48 masks are in doubt \(25 empty\), so"):
        remedied("object_alone", tmp_path / "r.json", masks=blackened(25))
    assert not (tmp_path / "r.json").exists()


def test_masks_in_doubt_are_counted_and_the_figures_called_a_best_case(in_the_shop, tmp_path, blackened, capsys):
    remedied("object_alone", tmp_path / "r.json", masks=blackened(2))
    said = capsys.readouterr().out
    assert "2 of 48 masks are in doubt (2 empty): of these photos the figures show what the masks do.\n" in said
    assert said.index("| remedy ") < said.index(
        "Swapped photos are composed by the masks that remedies use, a best case."
    )
    remedied("object_alone", tmp_path / "r.json")
    assert "in doubt" not in capsys.readouterr().out


def test_without_other_photos_nothing_is_learnt_and_none_is_chosen(shop, in_the_shop, tmp_path):
    found = remedied("object_alone", tmp_path / "r.json")
    assert set(found["remedies"]) == {remedy.key for remedy in REMEDIES if remedy.fix == "none"}
    assert found["chosen"] is None and found["photos"] == "photos"
    with pytest.raises(InputError, match="--save x: photos.csv names no splits train and val to learn from"):
        remedied("object_alone", tmp_path / "s.json", save="x")


@pytest.fixture
def listed(shop, tmp_path):
    """Lists the photos with their splits, by class and number."""

    def written(split):
        shutil.copytree(shop / "photos", tmp_path / "photos")
        lines = ["path,class,split"]
        for path in sorted((tmp_path / "photos").rglob("*.png")):
            kind = path.parent.name
            lines.append(f"{kind}/{path.name},{kind},{split(int(kind.removeprefix('class')), int(path.stem))}")
        (tmp_path / "photos/photos.csv").write_text("\n".join(lines) + "\n")

    return written


def test_classes_that_are_in_several_splits_are_counted(listed, in_the_shop, tmp_path, capsys):
    listed(lambda kind, number: "test" if kind > 3 else ("train", "val", "test")[number // 2])
    remedied("mixture", tmp_path / "r.json", photos=str(tmp_path / "photos"))
    assert (
        "\n4 of the 8 classes of the split test are in train or val, too: what is learnt and chosen by photos of a "
        "class may do less for new ones. Give each class one split.\n"
    ) in capsys.readouterr().out


def test_splits_of_photos_csv_are_learnt_from_and_chosen_by(listed, in_the_shop, tmp_path, capsys):
    splits = ("train", "train", "val", "val", "test", "test", "test", "test")
    listed(lambda kind, _: splits[kind])
    found = remedied("mixture", tmp_path / "r.json", photos=str(tmp_path / "photos"), save=tmp_path / "s.safetensors")
    assert set(found["remedies"]) == {remedy.key for remedy in REMEDIES}
    assert found["chosen"] in found["remedies"] and found["dimensions"] == 6
    assert (tmp_path / "s.safetensors").is_file()
    assert found["remedies"]["grey_both"]["recovered"]["recall_at_1"]["value"] > 0.9
    said = capsys.readouterr().out
    assert "in train or val" not in said
    assert "\n24 queries: one of them is 4.2 points of Recall@1, " in said  # of 4 classes
    assert (
        "\n12 val queries: one of them is 8.3 points of Recall@1, " in said and "\n2 val classes: scores hold " in said
    )


@pytest.mark.parametrize(("split", "number"), [("train", 0), ("val", 1)])
def test_where_most_masks_to_learn_from_or_to_choose_by_are_in_doubt_nothing_is_chosen(
    listed, shop, in_the_shop, tmp_path, capsys, split, number
):
    """Full masks swap nothing: no direction was found to move, and "as_is" was chosen."""
    listed(lambda kind, _: ("train", "train", "val", "val", "test", "test", "test", "test")[kind])
    shutil.copytree(shop / "masks", tmp_path / "masks")
    photos = {"photos": str(tmp_path / "photos"), "masks": str(tmp_path / "masks")}
    masks = sorted(path for kind in range(2) for path in (tmp_path / f"masks/class{2 * number + kind}").iterdir())
    for path in masks[:2]:
        Image.new("L", Image.open(path).size, 255).save(path)
    remedied("mixture", tmp_path / "r.json", **photos)
    assert f"\n2 of 12 {split} masks are in doubt (2 full): of these photos " in capsys.readouterr().out
    for path in masks[2:7]:
        Image.new("L", Image.open(path).size, 255).save(path)
    with pytest.raises(InputError, match=rf"^No conclusion: 7 of 12 {split} masks are in doubt \(7 full\), so"):
        remedied("mixture", tmp_path / "s.json", **photos)
    assert not (tmp_path / "s.json").exists()


def test_a_finder_of_another_shape_is_asked_anew_though_its_weights_are_the_same(in_the_shop, tmp_path):
    torch.manual_seed(0)
    finders.save(finders.make(Shape(4, 64, False)), tmp_path / "finder")
    found = []
    for most_px in (64, 8):
        written = json.loads((tmp_path / "finder/finder.json").read_text())
        (tmp_path / "finder/finder.json").write_text(json.dumps(written | {"most_px": most_px}))
        found.append(remedied("mixture", tmp_path / "r.json", finder=tmp_path / "finder")["remedies"])
    for name in found[0]:
        assert (found[0][name] == found[1][name]) == (not name.startswith("found_")), name


@pytest.mark.parametrize("given", [{"photos": None, "masks": None, "backgrounds": None}, {"dataset": "demo"}])
def test_photos_or_a_dataset_are_to_be_given(shop, in_the_shop, tmp_path, given):
    with pytest.raises(InputError, match="give --photos DIR with its options, or --dataset NAME"):
        remedied("noise", tmp_path / "r.json", **given)


@pytest.mark.slow
def test_the_command_that_an_audit_prints_runs_and_finds_what_the_audit_has_kept(shop, tmp_path):
    for name in ("photos", "masks", "backgrounds"):
        (tmp_path / f"my {name}").symlink_to(shop / name)
    shutil.copy(shop / "drawn_embedders.py", tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(tmp_path)}

    def command(line):
        words = [sys.executable, *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    options = "--photos 'my photos' --masks 'my masks' --backgrounds 'my backgrounds' --no-attention"
    said = command(f"python -m stages.audit {options} --embedder python:drawn_embedders:leaning --out 'my audit'")
    (line,) = [line.strip() for line in said.splitlines() if line.startswith("   python -m stages.remedies ")]
    said = command(line)
    assert "all pictures have been embedded before" in said
    assert json.loads((tmp_path / "my audit/remedies.json").read_text())["remedies"]["photos"] == "my photos"


def test_in_a_larger_gallery_remedies_are_embedded_anew_though_all_photos_are_the_same(tmp_path, monkeypatch):
    """Else the views of one gallery, which are of the queries alone, would be taken for those of another."""
    (tmp_path / "pack").touch()
    pack, asked = SimpleNamespace(folder=tmp_path / "pack"), []
    photos = SimpleNamespace(photos=pack, masks=pack)
    monkeypatch.setattr(measuring.answers, "identity", lambda *_: "the same")
    monkeypatch.setattr(measuring.answers, "ask_again", lambda *_: None)
    monkeypatch.setattr(measuring.embeddings, "seconds_each", lambda *_: 0.0)
    monkeypatch.setattr(measuring, "Shown", lambda *_: SimpleNamespace(names=["as_is"]))
    monkeypatch.setattr(measuring.passes, "training_swaps", lambda *_: None)
    split = passes.Split(None, [{"as_is": None}])
    monkeypatch.setattr(measuring.passes, "embedded", lambda *given, **_: asked.append(given[5].args[1]) or split)
    for name in ("learn", "measure"):
        monkeypatch.setattr(measuring.recovery, name, lambda *_: None)
    for tested, validation in ((2, 2), (3, 2), (2, 3)):
        its = {"draws": 1, "purpose": "", "seed": 1, "labels": range(4), "input_px": 8, "pool": pack, "photos": photos}
        pictures = SimpleNamespace(gallery=SimpleNamespace(size=tested), image_ids=range(4), places=None, **its)
        learning = {"train": (photos, np.arange(4), None), "val": (photos, np.arange(4), validation)}
        measuring.measure(None, measured_on.Splits(pictures, learning, pack, pack, []), Cache(tmp_path / "cache"))
    (chosen, measured), (other, larger), (others, same) = zip(asked[::2], asked[1::2], strict=True)
    assert len({chosen, other, others}) == 3 and measured == same != larger
