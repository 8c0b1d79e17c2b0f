"""The command audit: what it refuses, what it keeps, and where it writes."""

import json
import re
import sys
from pathlib import Path

import pytest
from audited_shop import CLASSES, PHOTOS, SIDE, run
from PIL import Image
from spoils import figures

from bgbias.audit.inputs import views
from bgbias.audit.measures import embeddings, queries
from bgbias.audit.page import first
from bgbias.errors import InputError

pytestmark = pytest.mark.usefixtures("in_the_shop")


def test_an_interrupted_audit_goes_on_and_a_repeated_one_embeds_nothing(shop, tmp_path, monkeypatch):
    made, most, embed = [], [3], embeddings.embedders.embed

    def counted(embedder, batches, names):
        if names[0].endswith(")"):  # "class0/0.png (clean)"; else a sample, to know the model
            if most and len(made) == most[0]:
                raise KeyboardInterrupt
            made.append(names[0])
        return embed(embedder, batches, names)

    monkeypatch.setattr(embeddings.embedders, "embed", counted)
    with pytest.raises(KeyboardInterrupt):
        run(shop, tmp_path, "object_alone")
    most.clear()
    found = run(shop, tmp_path, "object_alone")
    assert len(made) == len(set(made)) > 3
    made.clear()
    assert run(shop, tmp_path, "object_alone") == found
    assert not made


def test_a_full_audit_after_a_quick_one_embeds_nothing_twice(shop, tmp_path, monkeypatch, capsys):
    made, embed = [], embeddings.embedders.embed

    def counted(embedder, batches, names):
        made.extend(name for name in names if name.endswith(")"))  # "class0/0.png (clean)"; else a sample
        return embed(embedder, batches, names)

    monkeypatch.setattr(embeddings.embedders, "embed", counted)
    quick = run(shop, tmp_path, "leaning", quick=True)
    assert {name.rpartition(" ")[2] for name in made} == {"(clean)", "(swapped/0)", "(swapped/1)"}
    assert f"{3 * CLASSES * PHOTOS} pictures of {SIDE} px: about " in capsys.readouterr().out
    count = len(made)
    assert run(shop, tmp_path, "leaning", quick=True) == quick and len(made) == count
    assert "all pictures have been embedded before" in capsys.readouterr().out
    full = run(shop, tmp_path, "leaning")
    assert len(made) == len(set(made)) > count
    assert f"{len(made) - count:,} pictures of {SIDE} px, and attention maps " in capsys.readouterr().out
    assert quick["matrix"]["clean"]["clean"] == full["matrix"]["clean"]["clean"]
    assert "attention" not in quick and set(quick) < set(full)
    assert quick["drop"]["recall_at_1"]["value"] == pytest.approx(full["drop"]["recall_at_1"]["value"], abs=0.1)
    assert quick["verdict"][-1].startswith("This audit is quick: clean photos and two draws")


def test_an_audit_that_ends_before_all_is_written_leaves_nothing_of_the_one_before(shop, tmp_path, monkeypatch):
    before = run(shop, tmp_path, "leaning", quick=True)
    monkeypatch.setattr(queries, "write", lambda *_: pytest.fail("the disk is full"))
    with pytest.raises(pytest.fail.Exception):
        run(shop, tmp_path, "noise", quick=True)
    assert json.loads((tmp_path / "audit.json").read_text()) != before
    assert [path.name for path in tmp_path.glob("*.*")] == ["audit.json"]  # else compare would read the other's queries


def test_it_is_said_before_it_embeds_that_another_audit_is_replaced(shop, tmp_path, capsys):
    """Else figures of one model stand where those of another were, or a quick audit where a full one was."""

    def said(name, **options):
        capsys.readouterr()
        run(shop, tmp_path, name, quick=True, **options)
        lines = capsys.readouterr().out.splitlines()
        found = [line for line in lines if "replace" in line]
        assert not found or lines.index(found[0]) < lines.index("3 of 5: embeddings")
        return found

    start, end = f"{tmp_path} holds an audit", ": this one will replace it. To keep it, give another --out."
    assert said("leaning") == said("leaning") == []
    assert said("noise") == [f"{start} of python:drawn_embedders:leaning{end}"]
    assert said("noise", backgrounds=None) == [f"{start} with other backgrounds{end}"]
    figures(lambda found: found | {"worst_of_backgrounds": {}})(tmp_path / "audit.json")  # as full ones have
    assert said("noise", backgrounds=None) == [f"{start} that is not quick{end}"]
    for broken in ("{", "[]", "{}"):
        (tmp_path / "audit.json").write_text(broken)
        assert said("noise") == []


def test_a_quick_audit_embeds_less_than_15_percent_of_a_full_one():
    assert len(views.names(5, quick=True)) <= 0.15 * len(views.names(5))


def test_a_quick_audit_has_no_second_masks(shop, tmp_path):
    found = run(shop, tmp_path, "leaning", quick=True, second_masks="none")
    assert found["second_masks"] is None and "by masks of one kind" in found["verdict"][-1]
    with pytest.raises(InputError, match="--second-masks grabcut: --quick measures by masks of one kind: give one"):
        run(shop, tmp_path, "leaning", quick=True, second_masks="grabcut")


def test_attention_may_be_left_out(shop, audits, tmp_path):
    found = run(shop, tmp_path, "object_alone", no_attention=True)
    whole = {name: of for name, of in audits["object_alone"].items() if name not in ("attention", "folder")}
    assert set(found) == set(whole)
    assert {name for name in found if found[name] != whole[name]} == {"verdict"}
    assert "Where it looks is not known" not in " ".join(found["verdict"]) and 'id="attention"' not in (
        tmp_path / "report.html"
    ).read_text(encoding="utf-8")


def test_steps_are_named_and_the_last_line_leads_to_the_page(shop, tmp_path, capsys):
    run(shop, tmp_path, "object_alone", no_attention=True)
    said = capsys.readouterr()
    assert re.findall(r"^(\d) of 5: (.*)$", said.out, re.MULTILINE) == [
        ("1", "the model"), ("2", "photos, masks and backgrounds"), ("3", "embeddings"), ("4", "figures"),
        ("5", "the page"),
    ]  # fmt: skip
    assert said.out.endswith(f"\nThe page: {tmp_path / 'report.html'}\n")
    assert "\nOf 100 searches, 100 find the right product; " in said.out and "\nGrade A. Of what " in said.out


def test_the_page_shows_no_absolute_path_unless_it_is_asked_for(shop, tmp_path):
    given = {name: str(shop / name) for name in ("photos", "masks", "backgrounds")}

    def page(**options):
        run(shop, tmp_path, "leaning", quick=True, **given, **options)
        html = (tmp_path / "report.html").read_text(encoding="utf-8")
        return re.sub('<span class="whole">(.*?)</span>', r"\1", html)  # words of commands, and options

    shortened = page(title="My shop")
    assert str(shop) not in shortened and str(tmp_path) not in shortened and "90 of backgrounds" in shortened
    assert "<title>My shop</title>" in shortened and first.SHORTENED in shortened
    whole = page(paths=True)
    assert f"90 of {shop / 'backgrounds'}" in whole and f"realpath {shop / 'photos'}" in whole
    assert first.SHORTENED not in whole


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


def test_a_refused_audit_leaves_no_folder(shop, tmp_path):
    with pytest.raises(ValueError, match="photos is no folder"):
        run(shop, tmp_path / "audits/new", "object_alone", photos=str(tmp_path / "photos"))
    assert not list(tmp_path.iterdir())


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
    assert "2 of 48 masks are in doubt (1 empty, 1 full); without their photos the swap costs 0.0 points; no " in said
    assert "2 of 48 photos are left out where the object is taken away" in said


def test_the_command_ends_a_mistake_in_one_line(shop, tmp_path, run_stage):
    (shop / "params.yaml").write_text((Path(__file__).parent.parent / "params.yaml").read_text())
    for spec, complaint in (
        ("python:drawn_embedders:wrong_shape", "gives .2, 3, 32, 32., expected .N, D."),
        ("python:drawn_embedders:not_a_number", "the embedding of class0/0.png is not finite"),
        ("torchvision:resnt18", "close to it are resnet18"),
    ):
        asked = ["--photos", "photos", "--masks", "masks", "--embedder", spec, "--out", tmp_path]
        with pytest.raises(SystemExit, match=complaint) as stopped:
            run_stage("audit", *asked)
        assert str(stopped.value).startswith("error: ") and "\n" not in str(stopped.value)
    with pytest.raises(SystemExit, match="error: options: masks and mask_method: give one of the two"):
        run_stage("audit", *asked, "--mask_method", "grabcut")  # as DVC writes an entry of params.yaml
    (shop / "params.yaml").unlink()
