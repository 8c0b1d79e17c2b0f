"""The command compare: which audits it compares, and what it says of them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from audited_shop import SETTINGS, SIDE, run
from PIL import Image
from spoils import figures
from test_audit_second_masks import changed, leaky

from bgbias.audit.measures import comparable, queries
from stages import compare

pytestmark = pytest.mark.usefixtures("in_the_shop")


def test_two_audits_are_compared_query_by_query(audits, tmp_path, capsys):
    folders = [audits[name]["folder"] for name in ("background_alone", "object_alone")]
    compare.main(SETTINGS, *folders, tmp_path / "compared.md")
    said = capsys.readouterr().out
    assert (tmp_path / "compared.md").read_text() == said
    drop = 100 * audits["background_alone"]["drop"]["recall_at_1"]["value"]
    assert said.startswith(f"{folders[1]} loses {drop:.1f} points of Recall@1 less to swapped backgrounds than ")
    assert re.search(rf"Recall@1 drop +\| +{drop:.1f} \| +0.0 \| +-{drop:.1f} \(-", said)
    assert said.endswith(f"|\n\n{compare.UNITS}\n")


def test_the_rows_of_the_table_are_explained(audits):
    """Every word of a column of queries.csv, but for those of the sentences and of their own sections."""
    page = (Path(compare.__file__).parents[1] / "docs/audit.md").read_text()
    explained = page.partition("The rows are the columns of `queries.csv`")[2].partition("\n## ")[0]
    known = "recall at 1 map r clean swapped invariance conflict mask agreement gap"
    table = queries.read(audits["mixture"]["folder"])
    words = {word for measure in table.columns.drop("class") for word in measure.split("_")} - set(known.split())
    views = {"same", "rand", "other"}  # of mixed backgrounds
    assert len(words) > 20 and not {word for word in words - views if word not in explained}


@pytest.fixture
def seeds(audits, tmp_path):
    """Audits of two networks a side, as of two seeds: those that see more and less of the background."""
    sides = {"leaning_1": "mixture", "leaning_2": "leaning", "other_1": "object_alone", "other_2": "noise"}
    for name, source in sides.items():
        shutil.copytree(audits[source]["folder"], tmp_path / name)
    return tmp_path


def test_audits_of_several_seeds_are_averaged(audits, seeds, capsys):
    compare.main(SETTINGS, seeds / "leaning_*", seeds / "other_1", None)
    first, second, drop, *rest = capsys.readouterr().out.splitlines()
    specs = [audits[name]["embedder"] for name in ("mixture", "leaning")]
    listed = ", ".join(f"{seeds / f'leaning_{number}'} ({spec})" for number, spec in enumerate(specs, 1))
    assert first == f"{seeds}/leaning_\\* is the mean of 2 audits: {listed}."
    assert second == f"{seeds}/other_1 is one audit: its model is taken as it is."
    drops = [100 * audits[name]["drop"]["recall_at_1"]["value"] for name in ("mixture", "leaning")]
    assert drop.startswith(f"{seeds}/other_1 loses {sum(drops) / 2:.1f} points of Recall@1 less to swapped backgrounds")
    row = next(row for row in rest if "| Recall@1 drop  " in row)
    low, high = map(float, re.search(r"\((\S+) to (\S+)\)", row).groups())
    assert high - low > 10 * abs(drops[1] - drops[0])  # of two seeds little is known: Student's t is near 12.7


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("leaning_*", "*_1", "on both sides: correct the patterns: .*leaning_1$"),
        ("leaning_*", "none_*", r"none_\*/queries.csv"),
    ],
)
def test_patterns_name_audits_that_are_there_and_once(seeds, first, second, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        compare.main(SETTINGS, seeds / first, seeds / second, None)


def test_both_sides_may_be_patterns(seeds, monkeypatch, capsys):
    monkeypatch.chdir(seeds)
    Path("leaning_compared.md").touch()  # no folder
    monkeypatch.setenv("HOME", str(seeds))
    compare.main(SETTINGS, Path("leaning_*"), Path("~/other_?"), None)
    assert capsys.readouterr().out.count("is the mean of 2 audits: ") == 2


def test_what_makes_models_unlike_is_said_before_they_are_compared(seeds, capsys):
    """One has learnt the photos, and one finds the object first: the verdicts of their audits said so, this did not."""
    first, second = seeds / "leaning_1", seeds / "other_1"
    known = "12 of the 12 photos are among those that the model was trained on"
    figures(lambda found: found | {"known_photos": known, "finder": True})(first / "audit.json")
    figures(lambda found: found["made_with"].update(drawn="otherwise"))(second / "audit.json")
    compare.main(SETTINGS, first, second, None)
    drawn, learnt, finders, drop, *_ = capsys.readouterr().out.splitlines()
    assert drawn.startswith(f"{first} and {second} number their photos otherwise, and so have other draws of the back")
    assert learnt == f"{first}: {known}" and drop.startswith(f"{second} loses ")
    assert finders == f"Attention scores of {first}, which first finds the object, cannot be compared with the others'."


@pytest.mark.parametrize("mark", ["as it is", None])
def test_one_network_audited_twice_is_not_two_seeds(audits, seeds, mark):
    """Functions of one file of Python, as of the other tests, are not one network."""
    path = shutil.copytree(seeds / "leaning_1", seeds / "leaning_3") / "audit.json"
    if mark is None:  # as in an audit of an earlier version
        figures(lambda found: found | {"embedder_mark": None})(path)
    with pytest.raises(ValueError, match="leaning_1 and .*leaning_3 are of one network, not of two trainings"):
        compare.main(SETTINGS, seeds / "leaning_*", seeds / "other_1", None)


def test_copies_of_one_file_are_one_network_and_one_that_was_trained_again_is_not(audits, seeds):
    found = json.loads((seeds / "leaning_1/audit.json").read_text())
    for name, spec, mark in (("1", "onnx:a.onnx", "x"), ("2", "onnx:b.onnx", "x"), ("3", "onnx:a.onnx", "y")):
        changed = found | {"embedder": spec, "embedder_mark": mark}
        (seeds / f"other_{name}").mkdir(exist_ok=True)
        (seeds / f"other_{name}/audit.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match="other_1 and .*other_2 are of one network"):
        comparable.refuse_no_seeds([seeds / "other_1", seeds / "other_2"])
    comparable.refuse_no_seeds([seeds / "other_1", seeds / "other_3"])


def test_a_pattern_that_takes_in_another_regime_is_refused(seeds):
    """As base_* does, once a page's advice is followed, which audits the cure as base_42_rising."""
    for name, of in (("base_42", "base/42"), ("base_43", "base/43"), ("base_42_rising", "rising/42")):
        changes = {"embedder": f"model:models/demo/{of}", "embedder_mark": name}
        folder = shutil.copytree(seeds / "other_1", seeds / name)
        figures(lambda found, changes=changes: found | changes)(folder / "audit.json")
    with pytest.raises(ValueError, match=r"base_42_rising and .*base_43 are of two regimes, not of two seeds of one: "):
        compare.main(SETTINGS, seeds / "base_*", seeds / "other_2", None)
    compare.main(SETTINGS, seeds / "base_4?", seeds / "other_2", None)


def test_seeds_that_were_audited_otherwise_are_not_averaged(shop, seeds):
    shutil.copytree(shop / "masks", seeds / "masks")
    Image.new("L", (SIDE, SIDE), 255).save(seeds / "masks/class0/0.png")
    run(shop, seeds / "leaning_3", "doubtful", masks=str(seeds / "masks"))
    with pytest.raises(ValueError, match=r"leaning_1 and \S+leaning_3 differ in masks"):
        compare.main(SETTINGS, seeds / "leaning_*", seeds / "other_1", None, "masks")


def test_what_quick_audits_leave_out_is_left_out(shop, tmp_path, capsys):
    for name in ("leaning", "object_alone"):
        run(shop, tmp_path / name, name, quick=True)
    capsys.readouterr()
    compare.main(SETTINGS, tmp_path / "leaning", tmp_path / "object_alone", None)
    said = capsys.readouterr().out
    assert "Recall@1 swapped " in said and "not defined" not in said and "conflict" not in said


def test_a_quick_audit_and_a_full_one_are_not_compared_and_the_advice_after_one_is_a_quick_one(shop, audits, tmp_path):
    found = run(shop, tmp_path / "quick", "background_alone", quick=True)
    for sides in ((tmp_path / "quick", audits["noise"]["folder"]), (audits["noise"]["folder"], tmp_path / "quick")):
        message = f"^{tmp_path / 'quick'} is a quick audit, {audits['noise']['folder']} a full one: audit both without"
        with pytest.raises(ValueError, match=message):
            compare.main(SETTINGS, *sides, None)
    assert [command.endswith(" --quick") for command in found["advice"][-1]["commands"][-3:-1]] == [True, True]


def test_audits_with_other_masks_are_not_compared(shop, audits, tmp_path):
    shutil.copytree(shop / "masks", tmp_path / "masks")
    Image.new("L", (SIDE, SIDE), 255).save(tmp_path / "masks/class0/0.png")
    run(shop, tmp_path, "object_alone", masks=str(tmp_path / "masks"))
    with pytest.raises(ValueError, match="differ in masks: audit both with the same --masks"):
        compare.main(SETTINGS, audits["noise"]["folder"], tmp_path, None)


def test_audits_with_other_masks_are_compared_where_that_is_allowed(shop, audits, tmp_path, capsys):
    """The first masks leave the corner that the embedder sees; of the second audit they do not."""
    masks = changed(shop, tmp_path / "leaky", leaky)
    first, second = tmp_path / "out", audits["background_alone"]["folder"]
    run(shop, first, "background_alone", masks=masks)
    capsys.readouterr()
    compare.main(SETTINGS, first, second, None, "masks")
    kinds, drop, *_ = capsys.readouterr().out.splitlines()
    lost = 100 * audits["background_alone"]["drop"]["recall_at_1"]["value"]
    assert kinds.startswith(
        f"The masks differ, {masks} ({first}) and masks ({second}): so do the figures, by the masks"
    )
    assert drop.startswith(f"{second} loses {lost:.1f} points of Recall@1 more to swapped backgrounds than {first} (")


def test_of_an_audit_without_a_conclusion_only_clean_photos_are_compared(shop, audits, tmp_path, capsys):
    masks = changed(shop, tmp_path / "white", lambda mask: np.full_like(mask, 255))
    first, second = audits["object_alone"]["folder"], tmp_path / "out"
    run(shop, second, "background_alone", masks=masks)
    capsys.readouterr()
    compare.main(SETTINGS, first, second, None, "masks")
    doubt, kinds, _, *table = capsys.readouterr().out.splitlines()
    assert doubt.startswith(f"{second}: No conclusion: 48 of 48 masks are in doubt (48 full)")
    assert kinds.startswith("The masks differ, masks ") and "loses" not in kinds
    assert [row.split("|")[1].strip() for row in table[2:-2]] == ["Recall@1 clean", "MAP@R clean"]


def test_measures_by_second_masks_are_compared_where_these_are_of_one_kind(shop, audits, tmp_path, capsys):
    first = audits["object_alone"]["folder"]
    compare.main(SETTINGS, first, audits["mixture"]["folder"], None)
    said = capsys.readouterr().out
    assert "| Recall@1 drop second " in said and "\nSwapped photos are here by the first masks; by the second " in said
    run(shop, tmp_path, "mixture", second_masks="none")
    compare.main(SETTINGS, first, tmp_path, None)
    said = capsys.readouterr().out
    assert "| Recall@1 drop " in said and "drop second" not in said and "by the first masks" not in said
    assert f"\n{tmp_path} has no second masks: what these show is left out.\n" in said


def test_what_second_masks_show_most_of_which_are_in_doubt_is_left_out(seeds, capsys):
    first, second = seeds / "leaning_1", seeds / "other_1"
    photos = json.loads((second / "audit.json").read_text())["photos"]
    masks = {"flagged": {"full": photos}}
    figures(lambda found: found | {"second_masks": found["second_masks"] | masks})(second / "audit.json")
    compare.main(SETTINGS, first, second, None)
    doubt, _, said = capsys.readouterr().out.partition("\n")
    assert re.match(f"{second}: Masks of a second kind, .*, are no second opinion: 48 of its 48 masks are in do", doubt)
    assert doubt.endswith(" What they show is left out.")
    assert " second " not in said and "| mask agreement " not in said and "| Recall@1 drop " in said


def test_measures_by_second_masks_that_were_changed_meanwhile_are_not_compared(shop, in_the_shop, tmp_path, capsys):
    """One model, by masks that photos.csv names, and by these moved: by the second it seemed to lose 87 points more."""
    photos = tmp_path / "photos"
    shutil.copytree(shop / "photos", photos)
    shutil.copytree(shop / "masks", photos / "masks")
    paths = [path.relative_to(shop / "photos") for path in sorted((shop / "photos").rglob("*.png"))]
    lines = [f"{path},{path.parent},masks/{path}" for path in paths]
    (photos / "photos.csv").write_text("\n".join(["path,class,mask", *lines]))
    for folder in ("first", "second"):
        run(shop, tmp_path / folder, "leaning", photos=str(photos), second_masks="given", no_attention=True)
        for path in paths:
            mask = np.asarray(Image.open(photos / "masks" / path))
            Image.fromarray(np.roll(mask, 9, 1)).save(photos / "masks" / path)
    compare.main(SETTINGS, tmp_path / "first", tmp_path / "second", None)
    said = capsys.readouterr().out
    assert "| Recall@1 drop " in said and "drop second" not in said and "by the first masks" not in said
    assert "\nThe second masks are not the same: what they show is left out.\n" in said


def test_audits_of_other_photos_are_not_compared(shop, audits, tmp_path):
    shutil.copytree(shop / "photos", tmp_path / "photos")
    (tmp_path / "photos/class0/0.png").unlink()
    run(shop, tmp_path / "out", "object_alone", photos=str(tmp_path / "photos"))
    with pytest.raises(ValueError, match="different photos: 47 in common of 48 and 47, class0/0.png only in .*: comp"):
        compare.main(SETTINGS, audits["noise"]["folder"], tmp_path / "out", None)


def test_audits_of_photos_that_were_changed_meanwhile_are_not_compared(shop, audits, tmp_path):
    """Their names are the same, and so are the masks, which are given: what is lost less is not owed to the model."""
    shutil.copytree(shop / "photos", tmp_path / "photos")
    photo = Image.open(tmp_path / "photos/class0/0.png")
    photo.point(lambda level: level // 2).save(tmp_path / "photos/class0/0.png")
    run(shop, tmp_path / "out", "noise", photos=str(tmp_path / "photos"), quick=True)
    run(shop, tmp_path / "quick", "noise", quick=True)
    with pytest.raises(
        ValueError, match="differ in photos: audit both with the same photos, for some files of these na"
    ):
        compare.main(SETTINGS, tmp_path / "quick", tmp_path / "out", None)


@pytest.mark.parametrize("made_with", [None, 7, [1], {"masks": "a"}])
def test_an_audit_that_does_not_say_what_it_was_made_with_is_not_compared(audits, tmp_path, made_with):
    folder = shutil.copytree(audits["noise"]["folder"], tmp_path / "audit")
    figures(lambda found: found | {"made_with": made_with})(folder / "audit.json")
    with pytest.raises(ValueError, match=r"audit.json: holds no made_with.\w+: run `python -m stages.audit` again"):
        compare.main(SETTINGS, folder, folder, None)
