"""The whole pipeline, by DVC, on a few small photos: run, run again, another loss, interrupted, broken."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def checkout(finished, tmp_path_factory):
    return finished.copy(tmp_path_factory.mktemp("checkout") / "clone")


def test_a_bare_repro_makes_metrics_tables_and_pictures(checkout):
    assert set(checkout.metrics()) == {
        "metrics/masks/demo.json",
        "metrics/summary/demo.json",
        *(f"metrics/evaluate/demo/{regime}.json" for regime in ("base", "bgconsistency")),
    }
    found = json.loads((checkout.folder / "metrics/evaluate/demo/base.json").read_text())["demo"]["base"]
    assert {"clean", "swapped", "new_scene", "drop", "attention", "queries", "lone_queries", "seeds"} == set(found)
    assert found["queries"] == 16 and found["drop"]["recall_at_1"] == pytest.approx(
        found["clean"]["recall_at_1"] - found["swapped"]["recall_at_1"], abs=2e-6
    )
    report = checkout.folder / "plots/report/demo"
    for name in ("attention", "bars", "contact_sheet", "gallery"):
        assert min(Image.open(report / f"{name}.png").size) > 100
    assert "| bgconsistency" in (report / "table.md").read_text()


def test_the_summary_holds_recall_at_1_and_comes_first(checkout):
    summary = json.loads((checkout.folder / "metrics/summary/demo.json").read_text())
    for regime in ("base", "bgconsistency"):
        found = json.loads((checkout.folder / f"metrics/evaluate/demo/{regime}.json").read_text())["demo"][regime]
        assert summary.pop(regime) == {view: found[view]["recall_at_1"] for view in ("clean", "swapped")}
    assert summary == {}
    heading, first, *_ = checkout.run("dvc", "metrics", "show").splitlines()
    assert heading.split()[:3] == ["Path", "base.clean", "base.swapped"]
    assert first.startswith("metrics/summary/demo.json")


def test_a_second_repro_has_nothing_to_do(checkout):
    assert "Data and pipelines are up to date." in checkout.run("dvc", "repro")


def test_only_code_that_a_stage_runs_makes_it_stale(checkout):
    for name in ("config/params", "audit/verdict", "training/losses"):
        with (checkout.folder / f"bgbias/{name}.py").open("a") as file:
            file.write("# another line\n")
        stale = set(json.loads(checkout.run("dvc", "status", "--json")))
        expected = {f"train@demo-{regime}-42" for regime in ("base", "bgconsistency")}
        assert stale == (expected if name == "training/losses" else set())
    checkout.run("git", "checkout", "bgbias")


def test_the_same_seed_gives_the_same_metrics_to_the_byte(checkout):
    before = checkout.metrics()
    printed = checkout.run("dvc", "repro", "--force", "evaluate@demo-bgconsistency")
    stages = ("raw@demo", "prepare@demo", "masks@demo", "backgrounds@demo", "train@demo-bgconsistency-42")
    for stage in (*stages, "embed@demo-bgconsistency-42", "attention@demo-bgconsistency-42"):
        assert f"Running stage '{stage}'" in printed
    assert checkout.metrics() == before


def test_another_loss_changes_the_same_keys(checkout):
    checkout.run("dvc", "exp", "run", "-S", "loss=triplet", "evaluate@demo-base")
    compared = json.loads(checkout.run("dvc", "metrics", "diff", "--all", "--json"))
    keys = {key: change for file in compared.values() for key, change in file.items()}
    assert {"demo.base.swapped.recall_at_1", "demo.bgconsistency.attention.clean.mean"} <= set(keys)
    assert all({"old", "new"} <= set(change) for change in keys.values())
    assert any(change["old"] != change["new"] for change in keys.values())
    checkout.run("git", "checkout", ".")


def test_pictures_are_shown_offline(checkout):
    checkout.run("dvc", "plots", "show", "-o", "shown")
    page = (checkout.folder / "shown/index.html").read_text()
    assert all(f"vegaEmbed('#plots_report_demo_{name}_csv'" in page for name in ("bars", "front"))
    assert '"regime": "bgconsistency"' in page and "vegaEmbed('#validation_MAP_R'" in page
    assert "validation MAP@R; of a regime that did not run, the commit's" in page  # its curve is there, too
    assert "gallery" in page and list((checkout.folder / "shown/static").glob("*gallery.png"))


def test_a_model_is_got_as_an_artifact_of_its_version(checkout):
    checkout.run("git", "tag", "-am", "one", "robust-embedder@v1.0.0")
    checkout.run("dvc", "artifacts", "get", ".", "robust-embedder", "-o", "got")
    made = checkout.folder / "models/demo/bgconsistency/42"
    assert {path.name: path.read_bytes() for path in (checkout.folder / "got").iterdir()} == {
        path.name: path.read_bytes() for path in made.iterdir()
    }


def test_figure_2_is_drawn_of_any_photos_and_models(checkout):
    models = ("models/demo/base/42", "models/demo/bgconsistency/42")
    command = (sys.executable, "-m", "stages.figure2", "demo", "--models", *models, "--images", "33", "40")
    checkout.run(*command)
    assert min(Image.open(checkout.folder / "plots/figure2/demo.png").size) > 100
    assert "error: demo has no image_id 999" in checkout.run(*command, "999", fails=True)


def test_mistakes_are_named_and_nothing_is_lost(checkout):
    before = checkout.metrics()
    for override, complaint in {
        "loss=cosface": "Parameters 'losses.cosface' are missing from 'params.yaml'",
        "datasets=[flowers]": "Parameters 'data.flowers' are missing from 'params.yaml'",
        "train.demo.learning_rate=1": "Key 'learning_rate' is not in struct",
        "train.demo.lr=fast": "error: params.yaml: train.demo.lr: Input should be a valid number, found 'fast'",
    }.items():
        printed = checkout.run("dvc", "exp", "run", "-S", override, fails=True)
        assert complaint in printed and "Traceback" not in printed
        checkout.run("git", "checkout", "params.yaml")
    assert "Running stage" not in checkout.run("dvc", "repro")  # all comes back without a computation
    assert checkout.metrics() == before


def test_an_interrupted_training_goes_on(checkout):
    checkout.set("train.demo", {"max_epochs": 30, "patience": 30})
    command = (sys.executable, "-m", "stages.train", "demo", "base", "42")
    running = subprocess.Popen(command, cwd=checkout.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(checkout.folder.glob(".checkpoints/train-demo-base-42/*/checkpoint.pt")):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert "resuming after epoch" in checkout.run(*command)
    assert not list(checkout.folder.glob(".checkpoints/train-demo-base-42/*"))
    checkout.run("git", "checkout", "params.yaml")


def test_the_fewest_own_photos_run_through_the_whole_pipeline(checkout):
    for number in range(6):
        for blue, name in enumerate(("a.jpg", "b.JPG"), start=2):
            path = checkout.folder / "data/sources/own" / f"mug {number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            photo = Image.new("RGB", (48, 40), (30, 30, 30 * blue))
            photo.paste((250, 20 * number, 0), (14, 10, 34, 30))
            photo.save(path)
    (path.parent.parent / "lone").mkdir()  # its class has no other photo: it is no query
    Image.new("RGB", (48, 40), (90, 30, 30)).save(path.parent.parent / "lone" / "a.jpg")
    printed = checkout.run("dvc", "exp", "run", "-S", "datasets=[own]", "-S", "regimes=[base]")
    assert "own: 4 test queries: one of them is 25.0 points of Recall@1" in printed
    found = json.loads((checkout.folder / "metrics/evaluate/own/base.json").read_text())["own"]["base"]
    shown = json.loads(checkout.run("dvc", "metrics", "show", "--json"))[""]["data"]
    assert {path for path in shown if "/evaluate/" in path} == {
        "metrics/evaluate/own/base.json"
    }  # no figures of others
    assert found["queries"] == 4 and 0 <= found["swapped"]["recall_at_1"] <= 1
    assert min(Image.open(checkout.folder / "plots/report/own/contact_sheet.png").size) > 100
    table = (checkout.folder / "plots/report/own/table.md").read_text()
    assert "2 test classes: scores hold for these" in table and "4 queries of 2 classes" in table


def test_masks_white_all_over_or_those_of_test_photos_alone_allow_no_conclusion(checkout):
    raw = checkout.folder / "data/raw/own"
    Image.new("L", (48, 40), 255).save(raw / "white.png")
    Image.fromarray(np.pad(np.full((20, 20), 255, np.uint8), ((10, 10), (14, 14)))).save(raw / "box.png")
    photos = pd.read_csv(raw / "photos.csv")
    checkout.set("masks.own", {"method": "given"})
    for others, doubted in (("white.png", "13 of 13 masks"), ("box.png", "5 of 5 test masks")):
        masks = np.where(photos.split == "test", "white.png", others)
        photos.assign(mask=masks).to_csv(raw / "photos.csv", index=False)
        for stage in ("prepare", "masks", "attention", "evaluate", "report"):
            network = {"attention": ["base", "42"], "evaluate": ["base"]}.get(stage, [])
            checkout.run(sys.executable, "-m", f"stages.{stage}", "own", *network)
        doubt, table, *_ = (checkout.folder / "plots/report/own/table.md").read_text().split("\n\n")
        assert doubt.startswith(f"No conclusion: {doubted} are in doubt ({doubted.split()[0]} nearly full), so swapped")
        assert "undefined" in table and "attention clean" in table
    checkout.run("git", "checkout", "params.yaml")


def test_a_regime_with_a_finder_trains_it_once_for_all_losses_and_shows_its_masks(checkout):
    checkout.set("regime_settings.early_masking.finder", {"channels": 4, "epochs": 1})
    run = ("dvc", "exp", "run", "-S", "datasets=[demo]", "-S", "regimes=[base,early_masking]")
    printed = checkout.run(*run)
    assert "finder: IoU on validation photos" in printed and "IoU of the found masks" in printed
    table = (checkout.folder / "plots/report/demo/table.md").read_text()
    assert "mask IoU clean" in table and "| early_masking" in table
    printed = checkout.run(*run, "-S", "loss=triplet", "evaluate@demo-early_masking")
    assert "Running stage 'train@demo-early_masking-42'" in printed and "finder: IoU" not in printed
    checkout.run("git", "checkout", ".")


def test_several_seeds_give_means_and_their_spread(checkout):
    checkout.run("dvc", "exp", "run", "-S", "datasets=[demo]", "-S", "seeds=[42,7]", "-S", "regimes=[base]")
    found = json.loads((checkout.folder / "metrics/evaluate/demo/base.json").read_text())["demo"]["base"]
    assert found["seeds"] == 2 and {"recall_at_1_seeds_sd", "map_at_r_seeds_sd"} <= set(found["clean"])
    queries = pd.read_csv(checkout.folder / "data/queries/demo/base.csv")
    assert queries.map_at_r_clean.mean() == pytest.approx(found["clean"]["map_at_r"], abs=2e-6)
    assert queries.map_at_r_swapped.mean() == pytest.approx(found["swapped"]["map_at_r"], abs=2e-6)
    table = (checkout.folder / "plots/report/demo/table.md").read_text()
    assert "| base" in table and "standard deviation over 2 training seeds" in table
