"""The commands audit and compare: what they refuse, what they keep, and where they write."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from audited_shop import CLASSES, PHOTOS, SETTINGS, SIDE, run
from PIL import Image

from bgbias.audit import embeddings
from stages import audit, compare

pytestmark = pytest.mark.usefixtures("in_the_shop")


def test_two_audits_are_compared_query_by_query(audits, tmp_path, capsys):
    folders = [audits[name]["folder"] for name in ("background_alone", "object_alone")]
    compare.main(SETTINGS, *folders, tmp_path / "compared.md")
    said = capsys.readouterr().out
    assert (tmp_path / "compared.md").read_text() == said
    drop = 100 * audits["background_alone"]["drop"]["recall_at_1"]["value"]
    assert said.startswith(f"{folders[1]} loses {drop:.1f} points of Recall@1 less to swapped backgrounds than ")
    assert re.search(rf"Recall@1 drop +\| +{drop:.1f} \| +0.0 \| +-{drop:.1f} \(-", said)


def test_audits_with_other_masks_are_not_compared(shop, audits, tmp_path):
    shutil.copytree(shop / "masks", tmp_path / "masks")
    Image.new("L", (SIDE, SIDE), 255).save(tmp_path / "masks/class0/0.png")
    run(shop, tmp_path, "object_alone", masks=str(tmp_path / "masks"))
    with pytest.raises(ValueError, match="differ in masks: audit both with the same --masks"):
        compare.main(SETTINGS, audits["noise"]["folder"], tmp_path, None)


def test_audits_with_other_masks_are_compared_where_that_is_allowed(shop, audits, tmp_path, capsys):
    """The first masks leave the corner that the embedder sees; of the second audit they do not."""
    masks = tmp_path / "leaky"
    for path in (shop / "masks").rglob("*.png"):
        mask = Image.open(path)
        mask.paste(255, (0, 0, 4, 8))
        (masks / path.parent.name).mkdir(parents=True, exist_ok=True)
        mask.save(masks / path.parent.name / path.name)
    first, second = tmp_path / "out", audits["background_alone"]["folder"]
    run(shop, first, "background_alone", masks=str(masks))
    capsys.readouterr()
    compare.main(SETTINGS, first, second, None, "masks")
    kinds, drop, *_ = capsys.readouterr().out.splitlines()
    lost = 100 * audits["background_alone"]["drop"]["recall_at_1"]["value"]
    assert kinds.startswith(
        f"The masks differ, {masks} ({first}) and masks ({second}): so do the figures, by the masks"
    )
    assert drop.startswith(f"{second} loses {lost:.1f} points of Recall@1 more to swapped backgrounds than {first} (")


def test_of_an_audit_without_a_conclusion_only_clean_photos_are_compared(shop, audits, tmp_path, capsys):
    masks = tmp_path / "white"
    for path in (shop / "masks").rglob("*.png"):
        (masks / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.new("L", Image.open(path).size, 255).save(masks / path.parent.name / path.name)
    first, second = audits["object_alone"]["folder"], tmp_path / "out"
    run(shop, second, "background_alone", masks=str(masks))
    capsys.readouterr()
    compare.main(SETTINGS, first, second, None, "masks")
    doubt, kinds, _, *table = capsys.readouterr().out.splitlines()
    assert doubt.startswith(f"{second}: No conclusion: 48 of 48 masks are in doubt (48 full)")
    assert kinds.startswith("The masks differ, masks ") and "loses" not in kinds
    assert [row.split("|")[1].strip() for row in table[2:]] == ["Recall@1 clean", "MAP@R clean"]


def test_measures_by_second_masks_are_compared_where_these_are_of_one_kind(shop, audits, tmp_path, capsys):
    first = audits["object_alone"]["folder"]
    compare.main(SETTINGS, first, audits["mixture"]["folder"], None)
    assert "| Recall@1 drop second " in capsys.readouterr().out
    run(shop, tmp_path, "mixture", second_masks="none")
    compare.main(SETTINGS, first, tmp_path, None)
    said = capsys.readouterr().out
    assert "| Recall@1 drop " in said and "drop second" not in said


def test_audits_of_other_photos_are_not_compared(shop, audits, tmp_path):
    shutil.copytree(shop / "photos", tmp_path / "photos")
    (tmp_path / "photos/class0/0.png").unlink()
    run(shop, tmp_path / "out", "object_alone", photos=str(tmp_path / "photos"))
    with pytest.raises(ValueError, match="different photos: 47 in common of 48 and 47, class0/0.png only in .*: comp"):
        compare.main(SETTINGS, audits["noise"]["folder"], tmp_path / "out", None)


def test_an_interrupted_audit_goes_on_and_a_repeated_one_embeds_nothing(shop, tmp_path, monkeypatch):
    made, embed = [], embeddings.embedders.embed

    def counted(embedder, batches, names):
        made.append(names[0])
        if len(made) == 6:
            raise KeyboardInterrupt
        return embed(embedder, batches, names)

    monkeypatch.setattr(embeddings.embedders, "embed", counted)
    with pytest.raises(KeyboardInterrupt):
        run(shop, tmp_path, "object_alone")
    first = {
        name for name in made[:5] if name.endswith(")")
    }  # "class0/0.png (clean)"; else a sample, to know the model
    found = run(shop, tmp_path, "object_alone")
    assert first and not first & set(made[6:])
    made[:] = made[:6]
    assert run(shop, tmp_path, "object_alone") == found
    assert not [name for name in made[6:] if name.endswith(")")]


def test_another_model_behind_the_same_name_is_embedded_anew(shop, tmp_path):
    module = sys.modules["drawn_embedders"]
    first = run(shop, tmp_path, "object_alone")["drop"]["recall_at_1"]["value"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "object_alone", module.background_alone)
        assert run(shop, tmp_path, "object_alone")["drop"]["recall_at_1"]["value"] > first


def test_nothing_is_written_outside_of_out(shop, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*") if "__pycache__" not in path.parts}
    run(shop, tmp_path / "out", "object_alone", masks=None, backgrounds=None)  # GrabCut, rendered backgrounds
    assert {path: path.stat().st_mtime_ns for path in shop.rglob("*") if "__pycache__" not in path.parts} == before
    with pytest.raises(ValueError, match="--out photos/out lies in photos, which is read: choose another folder"):
        run(shop, Path("photos/out"), "object_alone")


def test_where_no_folder_can_be_made_it_is_said_at_once(shop, tmp_path):
    (tmp_path / "file").write_text("a file")
    for out in (tmp_path / "file", tmp_path / "file/deep"):
        with pytest.raises(ValueError, match=r"--out .*file.*: no folder can be made there .*: choose another"):
            run(shop, out, "object_alone")
    assert (tmp_path / "file").read_text() == "a file"


def test_doubtful_masks_are_named_and_left_out_of_the_probes(shop, tmp_path):
    masks = tmp_path / "masks"
    for path in (shop / "masks").rglob("*.png"):
        (masks / path.parent.name).mkdir(parents=True, exist_ok=True)
        Image.open(path).save(masks / path.relative_to(shop / "masks"))
    size = Image.open(masks / "class0/0.png").size
    Image.new("L", size).save(masks / "class0/0.png")
    Image.new("L", size, 255).save(masks / "class1/0.png")
    found = run(shop, tmp_path / "out", "object_alone", masks=str(masks))
    assert found["mask_doubt"]["flagged"] == {
        "empty": ["class0/0.png"],
        "full": ["class1/0.png"],
        "border": [],
        "soft": [],
        "tiny": [],
    }
    assert found["drop"]["recall_at_1"]["value"] > 0 == found["mask_doubt"]["drop_without"]["recall_at_1"]["value"]
    assert found["views"]["background_silhouette"]["recall_at_1"]["queries"] == CLASSES * PHOTOS - 2
    said = " ".join(found["verdict"])
    assert "2 of 48 masks are in doubt (1 empty, 1 full); without their photos the swap costs 0.0 points." in said
    assert "2 of 48 photos are left out where the object is taken away" in said


def test_the_command_ends_a_mistake_in_one_line(shop, tmp_path, monkeypatch):
    (shop / "params.yaml").write_text((Path(__file__).parent.parent / "params.yaml").read_text())
    for spec, complaint in (
        ("python:drawn_embedders:wrong_shape", "gives .2, 3, 32, 32., expected .N, D."),
        ("python:drawn_embedders:not_a_number", "the embedding of class0/0.png is not finite"),
        ("torchvision:resnt18", "close to it are resnet18"),
    ):
        monkeypatch.setattr(
            sys, "argv", ["audit", "--photos", "photos", "--masks", "masks", "--embedder", spec, "--out", str(tmp_path)]
        )
        with pytest.raises(SystemExit, match=complaint) as stopped:
            runpy.run_path(audit.__file__, run_name="__main__")
        assert str(stopped.value).startswith("error: ") and "\n" not in str(stopped.value)
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--mask_method", "grabcut"])  # as DVC writes an entry of params.yaml
    with pytest.raises(SystemExit, match="error: options: masks and mask_method: give one of the two"):
        runpy.run_path(audit.__file__, run_name="__main__")
    (shop / "params.yaml").unlink()
