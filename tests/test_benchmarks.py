"""The benchmarks compare what they say they compare."""

import json
from dataclasses import replace

import pytest
import torch

from benchmarks import audit, catalogue, data_path, drawn, gpu, harness, scaling
from bgbias.audit.measures.embeddings import Embeddings
from bgbias.audit.measures.sampled import Sampled
from bgbias.config import read
from bgbias.metrics import bootstrap
from bgbias.models import trained
from bgbias.photos import pack
from bgbias.training import batches


def test_a_case_gives_medians_ratios_and_the_difference(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def taking(seconds):
        def run():
            clock[0] += seconds
            return seconds

        return run

    alternatives = {"slow": taking(6.0), "ours": taking(2.0), "least": taking(1.0)}
    case = harness.Case(
        "clock", alternatives, "ours", "slow", "least", 4, lambda found: found["slow"] - found["ours"], 3
    )
    found = harness.measure(case)
    ours = found["alternatives"]["ours"]
    assert set(ours) == {"median_s", "peak_mb", "images_per_s"}
    assert (ours["median_s"], ours["images_per_s"]) == pytest.approx((2, 2))
    assert (found["ratio_vs_published"], found["ratio_vs_bound"]) == pytest.approx((3, 2))
    assert found["max_abs_diff"] == 4
    assert "**ours**" in harness.table(found)


def test_a_run_that_is_cut_short_keeps_the_cases_that_it_has_measured(tmp_path, monkeypatch):
    def cases(options):
        yield harness.Case("whole", {"ours": lambda: 1}, "ours", "ours", None, 0, lambda found: 0.0, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["it", "--json", str(tmp_path / "found.json")])
    monkeypatch.setattr(harness.memory, "keep_freed", lambda: None)  # it would last
    with pytest.raises(KeyboardInterrupt):
        harness.run("", cases)
    assert list(json.loads((tmp_path / "found.json").read_text())["cases"]) == ["whole"]


@pytest.mark.skipif(not harness.counts_memory(), reason="peak memory is known on Linux only")
def test_the_peak_of_memory_is_that_of_the_run():
    before = torch.zeros(3_000_000)  # 12 MB that are not the run's
    peak, _ = harness._peak_mb(lambda: (torch.ones(10_000_000) + 1).sum())  # two times 40 MB
    assert 70 < peak < 95 and before.sum() == 0


def test_the_pipeline_s_batches_are_the_published_ones_to_two_grey_levels(tmp_path):
    settings = read.load()
    options = replace(settings.train["cub200"], batch_size=6)
    paths = drawn.files_of(tmp_path / "files", None, 12, 3)
    photos = drawn.prepared(tmp_path / "data", paths, settings.images["cub200"])
    crops = batches.Crops(photos, settings.regime_settings["bgaugment"], options, 1, 0)
    embedder = trained.new("bn_inception", 8, data_path.SIDE, "cosine")
    gap = data_path.published(crops, paths, 1) - data_path.ours(crops, embedder, 1)
    assert gap.abs().max() < 2.5 and gap.mean().abs() < 0.05  # ours is rounded to bytes, theirs is not


def test_an_epoch_on_a_gpu_is_timed_by_the_pipeline_s_loop_and_loader(tmp_path, monkeypatch):
    settings = read.load()
    options = replace(settings.train["cub200"], batch_size=4, max_epochs=1, batches_per_epoch=2, workers=0)
    monkeypatch.setattr(pack, "shrink_all", gpu.one_by_one)
    paths = drawn.files_of(tmp_path / "files", None, 8, 2)
    photos = drawn.prepared(tmp_path / "data", paths, settings.images["cub200"])
    crops = batches.Crops(photos, settings.regime_settings["bgaugment"], options, 2, 0)
    monkeypatch.setattr(gpu, "network", lambda distance: trained.new("small_resnet", 8, gpu.SIDE, distance))
    alternatives = gpu.epoch(crops, "bgaugment", 1).alternatives
    assert alternatives["fp32"]() > 0  # the mean loss
    alternatives["loader"]()


def test_an_audit_of_mapped_embeddings_is_that_of_embeddings_in_memory(tmp_path):
    found = harness.measure(audit.measures("few", tmp_path, 60, 12, 8))
    assert found["max_abs_diff"] == 0 and set(found["alternatives"]) == {"in memory", "bgbias"}


def test_a_catalogue_is_measured_by_what_audits_a_sample(tmp_path):
    pictures, opened = catalogue.simulated(tmp_path, 300, 30, 8, 20)
    found = Sampled(pictures, Embeddings(opened)).all()
    assert (found["sample"]["queries"], found["sample"]["gallery"]) == (20, 300)
    rates = catalogue.rates(tmp_path, 4)
    costs = catalogue.costs(rates | {"dimensions": 8, "queries": 20, "photos": 300, "measures": {"cpu_s": 1.0}}, 1000)
    assert set(rates) == {"decode_s", "embed_s"} and costs["photos"] == "1,000"


def test_intervals_of_one_set_of_resamples_are_those_of_each_its_own(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 50)  # is put back
    found = harness.measure(audit.intervals("few", 9, 40))
    assert found["max_abs_diff"] < 1e-12 and set(found["alternatives"]) == {"each", "bgbias", "drawing"}


def test_shared_work_is_compared_with_the_same_by_one_process(tmp_path):
    embedder = trained.new("small_resnet", 8, 32, "cosine")
    pictures = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    runs = {
        "embedding": (scaling.embedding(embedder.eval(), pictures), (8, 8)),
        "masks": (scaling.masks(tmp_path, 2), (2,)),
        "training": (scaling.step(embedder, pictures), (8, 8)),
    }
    for name, (run, shape) in runs.items():
        found = harness.measure(scaling.case(name, run, 8, 1))
        assert found["max_abs_diff"] < 1e-6 and set(found["alternatives"]) == {"one", "two"}
        assert run().shape == shape
    assert not (tmp_path / "masks").exists()
