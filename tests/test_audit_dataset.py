"""An audit of a prepared dataset shows what the pipeline's table shows; what audits keep is shared and never stale."""

import dataclasses
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from bgbias.audit.inputs import second_kind, sources
from bgbias.audit.inputs.pools import mark
from bgbias.audit.measures import answers, embeddings
from bgbias.audit.measures.figures import Measures
from bgbias.audit.measures.sampled import Sampled
from bgbias.backgrounds import write_pools
from bgbias.cache import Cache, fingerprint
from bgbias.config import params, read
from bgbias.external import spec
from bgbias.masks import make, segment
from bgbias.metrics import evaluation
from bgbias.models import embedder as embedders
from bgbias.photos.decode import read_mask, read_photo
from bgbias.photos.pack import Pack
from bgbias.photos.views import Photos

SPEC = "torchvision:resnet18?input_px=16"


@pytest.fixture
def settings(data, geometry, monkeypatch):
    """Parameters of the drawn dataset, in whose checkout the test runs."""
    monkeypatch.chdir(data.parent)
    swaps = params.Evaluation(draws=2, swaps={"swapped": "test"}, recall_at=[1])
    masks = dataclasses.replace(read.load(Path(__file__).parent.parent / "params.yaml").masks["demo"], method="given")
    blocks = {"images": geometry, "evaluate": swaps, "masks": masks}
    return SimpleNamespace(seed=7, **{name: {"drawn": block} for name, block in blocks.items()})


def test_the_page_shows_the_recall_of_the_table(settings, geometry, tmp_path):
    embedder, cache = spec.load(SPEC), Cache(tmp_path / "cache")
    pictures, described, remarks = sources.of_dataset("drawn", settings, 16, cache)
    audited = Measures(pictures, embeddings.embed(embedder, pictures, cache)).all()["views"]
    photos = Photos.prepared("drawn", geometry)
    image_ids, pool = photos.split("test"), photos.pool("test")
    swaps = [photos.swapped(photos.draw(image_ids, pool, 7, "swapped", draw), pool) for draw in range(2)]
    names = list(photos.table.path[image_ids])
    views = {"clean": [embedders.embed(embedder, photos.clean(image_ids), names)]}
    views["swapped"] = [embedders.embed(embedder, batches, names) for batches in swaps]
    table, _ = evaluation.measure(views, photos.table.loc[image_ids], [1])
    for view in views:
        assert audited[view]["recall_at_1"]["value"] == pytest.approx(table[view]["recall_at_1"])
        assert audited[view]["map_at_r"]["value"] == pytest.approx(table[view]["map_at_r"])
    assert described["backgrounds"] == "5 of the pool test of drawn" and described["masks"] == "given"
    assert len(remarks) == 1 and "9 test photos of drawn" in remarks[0]


def test_a_sample_of_a_dataset_scores_as_among_all_its_photos(settings, tmp_path):
    embedder, cache = spec.load(SPEC), Cache(tmp_path / "cache")
    whole, ours = (sources.of_dataset("drawn", settings, 16, cache, "none", queries=count).pictures for count in (9, 4))
    assert whole.gallery is None and len(ours.labels) == 4 and len(ours.gallery.table) == 9
    found, expected = (
        kind(pictures, embeddings.embed(embedder, pictures, cache)).columns()
        for kind, pictures in ((Sampled, ours), (Measures, whole))
    )
    rows = ours.gallery.rows
    for name in ("map_at_r_clean", "map_at_r_swapped_in_clean", "right_on_one"):
        assert found[name].tolist() == pytest.approx(expected[name][rows].tolist(), abs=1e-6)


def test_near_duplicates_of_a_sample_of_a_dataset_are_those_among_all_its_photos(settings, geometry, tmp_path):
    rows = sources.of_dataset("drawn", settings, 16, Cache(tmp_path), "none", queries=4).pictures.gallery.rows
    photos = Photos.prepared("drawn", geometry)
    test, other = photos.split("test"), np.setdiff1d(np.arange(9), rows)[0]
    colours = np.random.default_rng(0).integers(0, 256, (len(photos.table), 6, 6, 3), dtype=np.uint8)
    colours[test[[rows[1], rows[2]]]] = colours[test[[rows[0], other]]]
    sizes = photos.photos.shapes[:, 1::-1].tolist()
    smooth = [Image.fromarray(one).resize(size) for one, size in zip(colours, sizes, strict=True)]
    shutil.rmtree(photos.photos.folder)
    Pack.write(photos.photos.folder, map(np.asarray, smooth))
    whole, ours = (
        sources.of_dataset("drawn", settings, 16, Cache(tmp_path), "none", queries=count).pictures for count in (9, 4)
    )
    assert whole.near_duplicates == sorted([(rows[0], rows[1]), tuple(sorted((rows[2], other)))])
    assert {tuple(sorted(pair)) for pair in ours.near_duplicates} == set(whole.near_duplicates)


def test_photos_that_are_enlarged_for_the_embedder_are_named(settings, tmp_path):
    whole, enlarged = (sources.of_dataset("drawn", settings, px, Cache(tmp_path), "none").remarks for px in (20, 21))
    assert "packed for crops of 20 px and enlarged to the embedder's 21" in enlarged[1] and len(whole) == 1


def test_an_audit_of_a_dataset_is_marked_by_its_photos_masks_and_backgrounds(settings, tmp_path):
    about = sources.of_dataset("drawn", settings, 16, Cache(tmp_path), "none").described["made_with"]
    made = {"photos": "prepared/drawn/photos", "masks": "masks/drawn/packed", "backgrounds": "backgrounds/drawn/test"}
    assert {name: about[name] for name in made} == {name: mark(Path("data") / of) for name, of in made.items()}


@pytest.mark.parametrize(
    ("method", "kind", "radius"), [("given", "grabcut", None), ("grabcut", "grabcut from a larger disc", 0.9)]
)
def test_second_masks_of_a_dataset_are_made_of_its_packed_photos(
    settings, geometry, tmp_path, monkeypatch, method, kind, radius
):
    asked, cut_out = [], second_kind.cut_out
    monkeypatch.setattr(second_kind, "cut_out", lambda *given: asked.append(given[1]) or cut_out(*given))
    settings.masks["drawn"] = dataclasses.replace(settings.masks["drawn"], method=method)
    photos = Photos.prepared("drawn", geometry)
    for queries in (None, 4):
        pictures = sources.of_dataset("drawn", settings, 16, Cache(tmp_path), queries=queries).pictures
        second = pictures.second_kind
        assert second.name == kind and {options.grabcut_radius for options in asked} == {radius}
        for mask, image_id in zip(second.masks, pictures.image_ids, strict=True):
            expected = segment.grabcut(Image.fromarray(photos.photos[image_id]), second_kind.GRABCUT_PX, radius)
            assert np.array_equal(mask[..., 0], np.asarray(expected))
    assert len(pictures.image_ids) == 4 and not np.array_equal(pictures.image_ids, photos.split("test")[:4])
    assert sources.of_dataset("drawn", settings, 16, Cache(tmp_path), "none").pictures.second_kind is None


def test_other_second_masks_are_embedded_anew_and_the_first_views_not(settings, tmp_path, monkeypatch):
    embedder, cache = spec.load(SPEC), Cache(tmp_path / "cache")
    one = sources.of_dataset("drawn", settings, 16, cache).pictures
    monkeypatch.setattr(second_kind, "cut_out", lambda photo, *options: Image.new("L", photo.size, 255))
    settings.masks["drawn"] = dataclasses.replace(settings.masks["drawn"], method="grabcut")
    other = sources.of_dataset("drawn", settings, 16, cache).pictures
    assert one.identity == other.identity
    embedded = [embeddings.embed(embedder, pictures, cache) for pictures in (one, other)]
    assert [torch.equal(*(of[view] for of in embedded)) for view in ("swapped/0", "second/swapped/0")] == [True, False]
    assert len(list((tmp_path / "cache").rglob("swapped/0.npy"))) == 1 + 2  # of the first masks once


@pytest.mark.parametrize(("first", "second"), [("grabcut", "given"), ("rembg", "rembg")])
def test_second_masks_that_a_dataset_cannot_have_are_refused(settings, tmp_path, first, second):
    settings.masks["drawn"] = dataclasses.replace(settings.masks["drawn"], method=first)
    with pytest.raises(ValueError, match=f"--second-masks {second}: the masks of drawn are by {first}: give grabcut"):
        sources.of_dataset("drawn", settings, 16, Cache(tmp_path), second)


def test_a_pool_that_is_rendered_by_the_same_seed_again_is_no_second_pool(settings, tmp_path):
    demo = dataclasses.replace(read.load(Path(__file__).parent.parent / "params.yaml").data["demo"], seed=settings.seed)
    pool = Path("data/backgrounds/drawn")
    shutil.rmtree(pool)
    write_pools("rendered", demo, 24, pool)
    said = r"\d+ of the 100 backgrounds of the second pool, 100 of this project, rendered, are in the first, too, so it"
    with pytest.raises(ValueError, match=said):
        sources.of_dataset("drawn", settings, 16, Cache(tmp_path), "none", "rendered")
    settings.seed += 1
    assert len(sources.of_dataset("drawn", settings, 16, Cache(tmp_path), "none", "rendered").remarks) == 1


@pytest.fixture
def folders(raw, tmp_path):
    """Drawn photos by class, masks and backgrounds for them, and a cache."""
    photos, _ = raw
    backgrounds = tmp_path / "backgrounds"
    backgrounds.mkdir()
    for number, path in enumerate(sorted(photos.rglob("photos/*/0.png"))[:4]):
        ImageOps.invert(Image.open(path).convert("RGB")).save(backgrounds / f"{number}.png")
    return {"photos": photos / "photos", "masks": photos / "masks", "backgrounds": backgrounds}


def opened(folders, cache, **options):
    given = {name: str(path) for name, path in (folders | options).items() if path}
    return sources.of_folder(read.check(given | {"embedder": SPEC}, params.Audit, "options"), 16, 1, cache).pictures


def test_second_masks_that_photos_csv_does_not_name_are_refused(folders, tmp_path):
    with pytest.raises(ValueError, match="photos.csv names no mask for photos; add them, or --second-masks grabcut"):
        opened(folders, Cache(tmp_path / "cache"), second_masks="given")


@pytest.mark.parametrize("kind", ["photos", "masks", "backgrounds"])
def test_one_byte_of_any_file_that_an_audit_reads_makes_it_anew(folders, kind, tmp_path):
    embedder, cache = spec.load(SPEC), Cache(tmp_path / "cache")
    first = answers.identity(embedder, opened(folders, cache))
    assert answers.identity(embedder, opened(folders, cache)) == first
    file = sorted(folders[kind].rglob("*.png"))[-1]
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    pixels = np.asarray((read_mask if kind == "masks" else read_photo)(file)).copy()
    pixels[len(pixels) // 2, len(pixels[0]) // 2] ^= 255
    Image.fromarray(pixels).save(file)
    os.utime(file, ns=times)  # as rsync and cp -p leave it
    assert answers.identity(embedder, opened(folders, cache)) != first


def test_one_byte_of_the_weights_makes_it_anew_even_where_no_answer_changes(folders, tmp_path):
    weights, cache, marks, given = tmp_path / "weights.pth", Cache(tmp_path / "cache"), set(), []
    state = spec.load(SPEC).network.state_dict() | {"fc.weight": torch.zeros(1000, 512)}
    for bias in (0, 1):  # of the classifier, which is cut off
        torch.save(state | {"fc.bias": torch.full((1000,), float(bias))}, weights)
        embedder, pictures = spec.load(f"torchvision:resnet18:{weights}?input_px=16"), opened(folders, cache)
        given.append(embedders.embed(embedder, [pictures.photo(np.arange(4))], list("abcd")))
        marks.add(answers.identity(embedder, pictures))
    assert torch.equal(*given) and len(marks) == 2


def test_audits_of_the_same_photos_make_their_masks_once(folders, tmp_path, monkeypatch):
    cache = Cache(tmp_path / "cache")
    opened(folders, cache, masks=None)
    monkeypatch.setattr(segment, "grabcut", None)  # would fail
    opened(folders, cache, masks=None)


def test_another_network_under_the_same_name_makes_other_masks(tmp_path):
    model = tmp_path / "net.onnx"
    marks = set()
    for content in (b"one", b"two"):
        model.write_bytes(content)
        options = params.Masks(method="rembg", rembg_model=str(model), grabcut_px=128)
        settings, data = make.made_from(options)
        marks.add(fingerprint(settings, data))
    assert len(marks) == 2


@pytest.mark.parametrize("which", ["the first pool", "a pool by its name", "a folder"])
def test_pools_of_a_dataset_whose_backgrounds_are_alike_are_refused_too(settings, tmp_path, which):
    if which == "a folder":
        asked = str(tmp_path / "white")
        (tmp_path / "white").mkdir()
        for level in range(250, 254):
            Image.new("RGB", (60, 40), (level,) * 3).save(tmp_path / f"white/{level}.png")
    else:
        asked, name = (None, "test") if which == "the first pool" else ("white", "white")
        pictures = (np.full((40, 60, 3), level, np.uint8) for level in range(250, 254))
        shutil.rmtree(f"data/backgrounds/drawn/{name}", ignore_errors=True)
        Pack.write(Path("data/backgrounds/drawn") / name, pictures)
    with pytest.raises(ValueError, match="of 4 backgrounds 1 differ, expected 4, for a swap among alike ones"):
        sources.of_dataset("drawn", settings, 16, Cache(tmp_path / "cache"), "none", asked)


def test_audited_photos_of_a_dataset_are_no_second_pool(settings, tmp_path):
    photos = Photos.prepared("drawn", settings.images["drawn"])
    (tmp_path / "walls").mkdir()
    for image_id in photos.split("test")[:5]:
        Image.fromarray(photos.photos[image_id]).save(tmp_path / f"walls/{image_id}.png")
    with pytest.raises(ValueError, match=r"walls: audited photos among the backgrounds, with their objects"):
        sources.of_dataset("drawn", settings, 16, Cache(tmp_path / "cache"), "none", str(tmp_path / "walls"))
