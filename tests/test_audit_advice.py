"""What to do after an audit: by what was measured, the cheapest first, with commands for the reader's own paths."""

import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest
from audit_found import MANY, changed, r

from bgbias.audit import about
from bgbias.audit.verdict import advice
from bgbias.audit.verdict.places import on_grey
from bgbias.config import params, read
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


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((0.2, 0.1, 0.3), "In other places that helps, too: there {}, 20.0 points more (95 % interval 10.0 to 30.0, "),
        ((-0.01, -0.1, 0.1), "That it helps in other places is not shown: there {}, 1.0 points less (95 % interval"),
        ((-0.2, -0.3, -0.1), "In other places it finds less: there {}, 20.0 points less (95 % interval 10.0 to 30.0, "),
    ],
)
def test_whether_objects_on_grey_help_in_other_places_is_said_where_these_are_known(gain, said):
    """What wins on swapped photos need not win there."""
    places = {"gain_objects": r(*gain)["recall_at_1"], "photos": {"elsewhere": r(0.5)["recall_at_1"]}}
    places |= {"objects": {"elsewhere": r(0.7)["recall_at_1"]}}
    told = "objects alone find their class in 70.0 % of searches, whole photos in 50.0 %"
    grey = advice._on_grey(changed() | {"places": places})[0]["said"]
    assert said.format(told) in grey and grey.startswith(steps()[0]["said"])
    places["gain_objects"]["classes"] = 4
    assert advice._on_grey(changed() | {"places": places}) == [steps()[0]]


@pytest.mark.parametrize(
    ("first", "second", "said", "ends"),
    [
        ((0.2, 0.1, 0.3), (0.1, 0.05, 0.2), "In other places that helps, too", "10.0 to 30.0 by {}, 5.0 to 20.0 by {}"),
        ((0.2, 0.1, 0.3), (0.1, -0.1, 0.2), "That it helps in other", "10.0 to 30.0 by {}, -10.0 to 20.0 by {}"),
        ((-0.2, -0.3, -0.1), (0.1, -0.1, 0.2), "That it helps in other", "-30.0 to -10.0 by {}, -10.0 to 20.0 by {}"),
        ((-0.2, -0.3, -0.1), (-0.1, -0.2, 0), "That it helps in other", "10.0 to 30.0 by {}, 0.0 to 20.0 by {}"),
        ((-0.2, -0.3, -0.1), (-0.1, -0.2, -0.1), "In other places it finds", "10.0 to 30.0 by {}, 10.0 to 20.0 by {}"),
    ],
)
def test_objects_on_grey_help_in_other_places_where_masks_of_both_kinds_show_it(first, second, said, ends):
    elsewhere = {"objects": 0.7, "objects_second": 0.6, "photos": 0.5}
    places = {of: {"elsewhere": r(share)["recall_at_1"]} for of, share in elsewhere.items()}
    places |= {"gain_objects": r(*first)["recall_at_1"], "gain_objects_second": r(*second)["recall_at_1"]}
    text = on_grey(changed({"masks": "rembg", "second_masks": {"kind": "grabcut", "flagged": {}}}) | {"places": places})
    found = ": there objects alone find their class in 60.0 to 70.0 % of searches, whole photos in 50.0 %, "
    assert text.startswith(f" {said}") and found in text
    assert f"(depending on which masks are believed: 95 % intervals {ends.format('rembg', 'grabcut')}, " in text


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
