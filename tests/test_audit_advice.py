"""What to do after an audit: by what was measured, the cheapest first, with commands for the reader's own paths."""

import shlex
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from audit_found import MANY, changed, r

from bgbias.audit import about
from bgbias.audit.verdict import advice, own_split
from bgbias.config import params, read
from bgbias.datasets.folder import split_classes
from bgbias.metrics import sample_size
from bgbias.training.batch_size import refuse_unfilled
from stages import audit

ASKED = {
    "photos": "/home/ann/my photos",
    "mask_method": "rembg",
    "embedder": "onnx:/home/ann/it's.onnx?sd=1",
    "out": "a",
}
LOSES_LITTLE = {"drop": r(0.01, -0.01, 0.03)}


def steps(changes=None, asked=ASKED, rendered=False):
    return advice.steps(changed(changes), asked, 7, rendered=rendered)


def test_after_a_loss_the_cheapest_comes_first():
    grey, remedies, training = steps()
    assert grey["said"].startswith("Show queries and gallery as objects alone on grey") and not grey["commands"]
    assert (
        ": then at best 75 of 100 searches find the right product on any background, instead of 60 on other "
        "backgrounds and 90 on their own." in grey["said"]
    )
    assert remedies["said"].startswith("Measure what other remedies recover")
    assert training["said"].startswith("Train with random backgrounds behind the objects (the regime bgconsistency)")


def test_what_is_not_shown_to_help_is_not_advised():
    assert len(steps({"grey_gain": r(0.01)})) == 2
    assert (
        len(advice.steps({name: of for name, of in changed().items() if name != "grey_gain"}, ASKED, 7)) == 2
    )  # quick


def test_rendered_backgrounds_are_to_be_held_beside_the_photos_own():
    pool, *rest = steps(rendered=True)
    assert rest == steps() and pool["said"].startswith("Hold the photos' own backgrounds beside these, which are land")
    spec = shlex.quote(ASKED["embedder"])
    photos = "--photos '/home/ann/my photos' --mask-method rembg"
    assert pool["commands"] == [
        f"python -m stages.audit {photos} --embedder {spec} --out a_own_backgrounds --second-backgrounds photos"
    ]
    assert steps(LOSES_LITTLE, rendered=True)[0] == pool  # "do nothing" may be owed to the pool, too
    quick = {name: of for name, of in changed().items() if name not in ("gap", "grey_gain")}
    assert advice.steps(quick, ASKED, 7, rendered=True) == rest[1:]  # it takes no second pool


@pytest.mark.parametrize(
    ("asked", "source", "mark", "rendered"),
    [
        ({"photos": "shop"}, "unsplash", "rendered", True),
        ({"photos": "shop"}, "rendered", "5eed5eed5eed5eed", False),
        ({"dataset": "demo"}, "rendered", "5eed5eed5eed5eed", True),
        ({"dataset": "demo"}, "unsplash", "5eed5eed5eed5eed", False),
    ],
)
def test_so_they_are_of_a_folder_and_of_a_dataset(asked, source, mark, rendered):
    settings = read.load()
    settings = replace(settings, backgrounds=dict.fromkeys(settings.backgrounds, params.Backgrounds(source=source)))
    measures = SimpleNamespace(probed=[], chance_of_probed=lambda: None, pictures=None)
    found = changed({"made_with": {"backgrounds": mark}})
    audit._judge(found, measures, MANY, [], {"embedder": "x", "out": "a"} | asked, settings)
    assert found["advice"][0]["said"].startswith("Hold the photos' own backgrounds") == rendered


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


def test_commands_are_quoted_for_the_shell_and_go_on_with_the_same_masks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where nothing was copied before
    _, remedies, training = steps(
        asked=ASKED | {"second_masks": "none", "second_backgrounds": "photos", "queries": "9"}
    )
    (measure,) = remedies["commands"]
    expected = ["--photos", ASKED["photos"], "--mask-method", "rembg", "--embedder", ASKED["embedder"]]
    assert shlex.split(measure) == ["python", "-m", "stages.remedies", *expected, "--out", "a/remedies.json"]
    link, train, before, again, compared = training["commands"]
    assert compared == "python -m stages.compare a_before a_bgconsistency"
    assert link == """mkdir -p data/sources && ln -sn "$(realpath '/home/ann/my photos')" data/sources/own"""
    assert train == "dvc exp run -S 'datasets=[own]' -S masks.own.method=rembg -S 'regimes=[base,bgconsistency]'"
    more = "--second-masks none --second-backgrounds photos --queries 9"  # else the two could not be compared by these
    assert before.endswith(f"--dataset own --embedder {shlex.quote(ASKED['embedder'])} --out a_before {more}")
    assert again.endswith(f"--dataset own --embedder model:models/own/bgconsistency/7 --out a_bgconsistency {more}")
    file = "isnet-general-use:/my nets/isnet.onnx"
    train = steps(asked=ASKED | {"rembg_model": file})[2]["commands"][1]
    assert f" -S 'masks.own.rembg_model={file}' -S" in train


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


def names_of(classes, lone=0):
    return pd.Series(
        [f"class {number % classes}" for number in range(3 * classes)] + [f"lone {n}" for n in range(lone)]
    )


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
    assert [advice.cure(training[name]) for name in ("demo", "own", "packages")] == ["bgconsistency"] * 2 + ["rising"]
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


@pytest.mark.parametrize("changes", [{}, LOSES_LITTLE])
def test_masks_by_grabcut_are_to_be_made_by_a_network(changes):
    asked = {"photos": "shop", "embedder": "small_resnet", "out": "a"}
    found = steps(changes | {"masks": "grabcut"}, asked)
    assert found[0]["said"].startswith("The masks are GrabCut's, which are often wrong") and len(found) > 1
    expected = "python -m stages.audit --photos shop --embedder small_resnet --out a_rembg --mask-method rembg"
    assert found[0]["commands"] == [expected]
    of_dataset = steps(changes | {"masks": "grabcut"}, {"dataset": "demo", "embedder": "small_resnet", "out": "a"})
    assert of_dataset[0]["commands"] == [
        "dvc exp run -S 'datasets=[demo]' -S masks.demo.method=rembg masks",
        "python -m stages.audit --dataset demo --embedder small_resnet --out a_rembg",  # beside the first
    ]
    assert len(steps(changes)) == len(found) - 1


def test_doubtful_masks_a_guess_and_too_few_photos_come_before_all():
    (masks,) = steps({"mask_doubt.flagged.empty": ["a.jpg"] * 201}, ASKED | {"masks": "m"})
    assert masks["said"].startswith("Give masks of your own") and "--masks" not in masks["commands"][0]
    assert masks["said"].endswith("and audit again.")
    assert steps({"mask_doubt.flagged.empty": ["a.jpg"] * 201, "masks": "rembg"})[0]["commands"] == []
    (inverted,) = steps({"mask_doubt.flagged.border": ["a.jpg"] * 201})
    assert inverted["said"].endswith("cover the photos' border, as inverted masks do: white has to be the object.")
    (guess,) = steps({"matrix.clean.clean": r(0.03)})
    assert guess["said"].startswith("First see that the model finds the classes")
    (few,) = steps({"drop": r(0.05, -0.1, 0.2)})
    assert few["said"] == "Audit more photos, for a loss of up to 20.0 points is not excluded."
    (nothing,) = steps(LOSES_LITTLE)
    assert nothing["said"].startswith("Do nothing against backgrounds")


def test_no_private_path_is_left_in_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no photos are linked
    asked = ASKED | {
        "out": "/srv/x/out",
        "backgrounds": "../walls",
        "masks": "masks/of mine",
        "rembg_model": "~/n.onnx",
    }
    found = {"said": ["90 of ../walls", "in ~/n.onnx, masks/of mine"], "advice": advice.steps(changed(), asked, 7)}
    shown = about.without(found, about.private(asked))
    assert "ann" not in str(shown) and "/srv" not in str(shown)
    assert shown["said"] == ["90 of walls", "in n.onnx, masks/of mine"]
    commands = [command for step in shown["advice"] for command in step["commands"]]
    assert commands[1].startswith("""mkdir -p data/sources && ln -sn "$(realpath 'my photos')" """)
    assert "onnx:it's.onnx?sd=1" in shlex.split(commands[0]) and commands[-1].endswith("out_before out_bgconsistency")
