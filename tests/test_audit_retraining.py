"""The advice to train after an audit: commands that run on the reader's own photos, however few classes they are of."""

import shlex
import subprocess
from dataclasses import replace

import pandas as pd
import pytest
from audit_found import changed
from test_audit_advice import ASKED, steps

from bgbias.audit.verdict import advice, own_split, retraining
from bgbias.config import read
from bgbias.datasets.folder import split_classes
from bgbias.metrics import sample_size
from bgbias.training.batch_size import refuse_unfilled


def names_of(classes, lone=0):
    return pd.Series(
        [f"class {number % classes}" for number in range(3 * classes)] + [f"lone {n}" for n in range(lone)]
    )


def test_where_queries_are_not_in_the_gallery_audits_after_training_keep_them_apart():
    sample = {"sample": {"apart": True, "queries": 100, "of": 100}}
    training = steps(sample, ASKED | {"queries": "9"})[-1]
    *_, before, again, _ = training["commands"]
    given = "--photos data/raw/own --mask-method rembg"
    assert before == (
        f"python -m stages.audit {given} --embedder {shlex.quote(ASKED['embedder'])} --out a_before --queries 9"
    )
    assert f"{given} --embedder model:models/own/bgconsistency/7 --out a_bgconsistency" in again
    assert "audits of data/raw/own keep queries and gallery apart" in training["said"]
    again = steps(sample, ASKED | {"photos": "data/raw/own/"})[-1]["commands"]
    assert [command.split()[0] for command in again] == ["dvc", "python", "python", "python"]  # no link: they are there
    assert "apart" not in steps({"sample": sample["sample"] | {"apart": False}})[-1]["said"]


def test_photos_that_are_linked_are_not_linked_again_and_copies_of_an_earlier_run_are_made_anew(tmp_path, monkeypatch):
    def first(photos):
        return steps(asked=ASKED | {"photos": str(photos)})[-1]["commands"][:-4]

    monkeypatch.chdir(tmp_path)
    link, copy = first("shop")[0], "dvc exp run -f -S 'datasets=[own]' raw@own"
    for folder in ("shop", "data/sources", "data/raw"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data/sources/own").symlink_to(tmp_path / "shop")
    assert link.startswith("mkdir ") and first("shop") == first("data/sources/own") == []
    (tmp_path / "data/raw/own").mkdir()
    anew = link.replace("shop", "other").replace("&& ln", "&& rm data/sources/own && ln")
    assert first("shop") == [copy] and first("other") == [anew, copy]
    assert first(tmp_path / "data/raw/own") == []
    (tmp_path / "other").mkdir()
    for there in ("a link", "a link that leads nowhere", "a folder"):
        assert subprocess.run(first("other")[0], shell=True, cwd=tmp_path).returncode == 0, there
        assert (tmp_path / "data/sources/own").resolve() == tmp_path / "other" and first("other") == [copy]
        (tmp_path / "data/sources/own").unlink()
        if there == "a link":
            (tmp_path / "data/sources/own").symlink_to(tmp_path / "nowhere")
        else:
            (tmp_path / "data/sources/own").mkdir()
    assert (tmp_path / "data/sources/own_before").is_dir()


def test_audits_after_training_hold_beside_what_this_one_has():
    asked = {"dataset": "demo", "embedder": "hog", "out": "a", "second_masks": "rembg", "places": "my places.csv"}
    *_, again, compared = steps(asked=asked)[-1]["commands"]
    assert compared == "python -m stages.compare a a_bgconsistency"
    assert again.endswith("--out a_bgconsistency --second-masks rembg --places 'my places.csv'")
    *_, before, again, _ = steps(asked=ASKED | {"second_masks": "given", "places": "p.csv"})[-1]["commands"]
    assert before.endswith("--out a_before --places p.csv") and again.endswith("--out a_bgconsistency --places p.csv")


def test_after_a_quick_audit_quick_ones_are_to_be_made_which_compare_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where nothing was copied before
    quick = {name: of for name, of in changed({"masks": "grabcut"}).items() if name not in ("gap", "grey_gain")}
    asked = {"photos": "shop", "embedder": "hog", "out": "a", "quick": "True"}
    masks, remedies, training = advice.steps(quick, asked, 7, rendered=True)
    assert "--quick" in masks["commands"][0] and "--quick" not in remedies["commands"][0]
    assert [command.endswith(" --quick") for command in training["commands"]] == [False, False, True, True, False]


@pytest.mark.parametrize("classes", [6, 7, 8, 9, 12, 13, 15, 18, 19, 31, 32])
@pytest.mark.parametrize("loss", ["normalized_softmax", "triplet"])
def test_training_is_advised_with_settings_that_the_pipeline_takes_for_so_few_classes(classes, loss, tmp_path):
    settings = replace(read.load(), loss=loss)
    split = own_split.of_folder(tmp_path, names_of(classes, lone=3), settings)
    own, of_loss = settings.data["own"], getattr(settings.losses, loss)
    share = float(split.changes.get("data.own.test_share", own.test_share))
    names = names_of(classes)
    drawn = pd.DataFrame({"class_name": names, "split": split_classes(names, own.seed, own.val_share, share)})
    sample_size.limits(drawn, tmp_path)
    counts = drawn.groupby("split").class_name.nunique()
    assert (counts["train"], counts["test"]) == (split.classes, split.tested)
    assert (split.tested >= 5) == (classes >= 13)  # as many are left to train on
    size, per_class = (
        int(split.changes.get("train.own.batch_size", 32)),
        of_loss.overrides.get("own", {}).get("per_class", of_loss.per_class),
    )
    for paired in (False, True):
        refuse_unfilled("own", size, per_class, paired, split.classes)
    assert size == 32 or size + 2 > per_class * split.classes
    assert (split.changes == {}) == (classes > 18)


def test_splits_that_photos_csv_names_stay_and_fewer_than_six_classes_are_not_trained_on(tmp_path):
    lines, settings = ["path,class,split"], read.load()
    for number, split in enumerate(2 * (["train"] * 5 + ["val"] * 5 + ["test"] * 6)):
        (tmp_path / f"{number}.png").touch()
        lines.append(f"{number}.png,{number % 16},{split}")
    (tmp_path / "photos.csv").write_text("\n".join(lines))
    assert own_split.of_folder(tmp_path, names_of(6), settings) == ({"train.own.batch_size": "20"}, 5, 6)
    (training,) = advice.steps(changed(), ASKED, 7, split=own_split.of_folder(tmp_path / "no", names_of(5), settings))[
        2:
    ]
    assert (
        training["said"].startswith("The pipeline needs 2 classes of two photos or more for each of tr")
        and not training["commands"]
    )


def test_what_is_trained_and_on_how_many_classes_is_said():
    few = own_split.OwnSplit({"data.own.test_share": "0.33", "train.own.batch_size": "24"}, 6, 5)
    step, settings = advice.steps(changed(), ASKED, 7, split=few)[2], read.load()
    assert (
        "6 classes are for training, 5 for test, the others for validation. So few need other settings" in step["said"]
    )
    own = "-S masks.own.method=rembg -S data.own.test_share=0.33 -S train.own.batch_size=24 -S 'regimes=[base,bgcon"
    assert f"dvc exp run -S 'datasets=[own]' {own}" in step["commands"][-4]
    network = f"{settings.train['own'].network}, {settings.images['own'].input_px} px"
    assert f"this project's network ({network}); for one of yours see docs/own_loop.md." in step["said"]
    assert "So few" not in advice.steps(changed(), ASKED, 7, split=own_split.OwnSplit({}, 20, 10))[2]["said"]
    fewer = advice.steps(changed(), ASKED, 7, split=own_split.OwnSplit({}, 4, 2))[2]["said"]
    assert "Audits of fewer than 5 test classes conclude nothing: add classes before." in fewer


def test_what_was_trained_so_is_not_to_be_trained_so_again():
    asked = {"dataset": "demo", "embedder": "model:models/demo/bgconsistency/42", "out": "a"}
    step = steps(asked=asked)[2]
    assert step["said"].startswith("It was trained in the regime bgconsistency already") and not step["commands"]
    assert steps(asked=asked | {"embedder": "model:models/demo/base/42"})[2]["commands"]


def test_pretrained_networks_are_trained_in_the_regime_for_them():
    training = read.load().train
    assert [retraining.cure(training[name]) for name in ("demo", "own", "packages")] == ["bgconsistency"] * 2 + [
        "rising"
    ]
    step = advice.steps(changed(), {"dataset": "packages", "embedder": "hog", "out": "a"}, 7, "rising")[2]
    assert "(the regime rising)" in step["said"] and "'regimes=[base,rising]'" in step["commands"][0]
    assert step["commands"][1].endswith("--embedder model:models/packages/rising/7 --out a_rising")


def test_the_link_leads_to_the_photos_from_any_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it's shop").mkdir()
    (tmp_path / "it's shop/1.jpg").touch()
    link = steps(asked=ASKED | {"photos": "it's shop"})[2]["commands"][0]
    subprocess.run(link, shell=True, check=True, cwd=tmp_path)
    assert (tmp_path / "data/sources/own/1.jpg").is_file()


def test_that_masks_of_a_folder_are_not_the_pipelines_is_said():
    given = {name: value for name, value in ASKED.items() if name != "mask_method"} | {"masks": "m"}
    assert [" by GrabCut, unless " in steps(asked=asked)[2]["said"] for asked in (ASKED, given)] == [False, True]


def test_a_dataset_of_the_pipeline_needs_no_link():
    _, remedies, training = steps(asked={"dataset": "demo", "embedder": "small_resnet", "out": "a"})
    assert len(remedies["commands"]) == 1 and "--dataset demo " in remedies["commands"][0]
    assert training["commands"][0] == "dvc exp run -S 'datasets=[demo]' -S 'regimes=[base,bgconsistency]'"
