"""Queries that are photos of the gallery, saved anew: named, and what is found without them is said."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from audited_shop import SETTINGS, run
from PIL import Image

from bgbias.audit.inputs import doubles, gallery, sample
from bgbias.audit.measures import embeddings
from bgbias.datasets import near_duplicates
from bgbias.remedies import passes
from stages import remedies

pytestmark = pytest.mark.usefixtures("in_the_shop")
CLASSES, OF_SHOP, SENT, SIZE = 5, 4, 3, (88, 64)
COPIED = ((0, 0), (0, 1), (2, 3), (4, 2))  # class and number of photos that come again, saved anew


def drawn(rng, kind):
    """A photo of a disc somewhere, its colour the class's, on a ground that no other has; and its mask."""
    ground = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize(SIZE)
    x, y = rng.integers(32, 52), rng.integers(24, 40)
    disc = np.hypot(np.arange(SIZE[1])[:, None] - y, np.arange(SIZE[0]) - x) < 18
    colour = np.array([50 * kind, 250 - 50 * kind, 120])
    photo = np.where(disc[..., None], colour, ground).astype(np.uint8)
    return Image.fromarray(photo), Image.fromarray(255 * disc.astype(np.uint8))


def saved_anew(picture, path):
    """Without 3 % of each side, smaller by 0.7, as a JPEG of quality 60; masks as they are."""
    (width, height), left, top = picture.size, round(0.015 * picture.width), round(0.015 * picture.height)
    cut = picture.crop((left, top, width - left, height - top))
    cut = cut.resize((round(0.7 * cut.width), round(0.7 * cut.height)))
    cut.save(path, **({"quality": 60} if path.suffix == ".jpg" else {}))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Photos of the shop, sent ones, and sent ones that are the shop's: path, class, and role."""
    folder, rng, rows = tmp_path_factory.mktemp("doubles"), np.random.default_rng(0), []

    def add(path, kind, role, pictures, save):
        for part, picture in zip(("photos", "masks"), pictures, strict=True):
            file = folder / part / path if part == "photos" else (folder / part / path).with_suffix(".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            save(picture, file)
        rows.append((path, f"class{kind}", role))

    shop = {(kind, number): drawn(rng, kind) for kind in range(CLASSES) for number in range(OF_SHOP)}
    for (kind, number), pictures in shop.items():
        add(f"shop/{kind}_{number}.png", kind, "gallery", pictures, Image.Image.save)
    for kind in range(CLASSES):
        for number in range(SENT):
            add(f"sent/{kind}_{number}.png", kind, "query", drawn(rng, kind), Image.Image.save)
    for kind, number in COPIED:  # last, so that all others keep their numbers, and the backgrounds drawn by these
        add(f"sent/z{kind}_{number}.jpg", kind, "query", shop[kind, number], saved_anew)
    return folder, pd.DataFrame(rows, columns=["path", "class", "role"])


def audited(shop, files, out, change=lambda rows: rows, name="background_alone", **options):
    folder, rows = files
    change(rows).to_csv(folder / "photos/photos.csv", index=False)
    given = {"photos": str(folder / "photos"), "masks": str(folder / "masks"), "second_masks": "none"}
    return run(shop, out, name, **given | options)


def about_doubles(found):
    return [sentence for sentence in found["verdict"] if "near-duplicate" in sentence]


def percent(estimates):
    return f"{100 * estimates['recall_at_1']['value']:.1f}"


PAIRS = [[f"sent/z{kind}_{number}.jpg", f"shop/{kind}_{number}.png"] for kind, number in COPIED]


@pytest.mark.parametrize("quick", [False, True])
def test_sent_photos_that_are_the_shops_are_named_with_the_figures_without_them(shop, files, tmp_path, quick):
    found = audited(shop, files, tmp_path / "all", quick=quick)
    without = audited(shop, files, tmp_path / "less", lambda rows: rows[~rows.path.str.contains("/z")], quick=quick)
    near = found["near_duplicates"]
    assert (near["queries"], near["pair_count"], near["pairs"]) == (4, 4, PAIRS)
    assert near["clean_without"] == without["matrix"]["clean"]["clean"] and near["drop_without"] == without["drop"]
    assert near["clean_without"]["recall_at_1"]["value"] < found["matrix"]["clean"]["clean"]["recall_at_1"]["value"]
    none = {"queries": 0, "pair_count": 0, "pairs": [], "said": "", "clean_without": None, "drop_without": None}
    assert without["near_duplicates"] == none
    assert about_doubles(without) == []
    assert about_doubles(found) == [
        "4 of 19 queries have a near-duplicate in the gallery (recompressed, resized or slightly cropped; 4 pairs, "
        "such as sent/z0_0.jpg = shop/0_0.png), found by any model: leave these queries out. Without these queries, "
        f"Recall@1 of the photos as they are is {percent(near['clean_without'])} %, and swapping backgrounds costs "
        f"{percent(near['drop_without'])} points."
    ]
    assert f"<p>{about_doubles(found)[0][:60]}" in (tmp_path / "all/report.html").read_text()


def test_a_sent_photo_of_another_class_is_called_mislabelled(shop, files, tmp_path):
    moved = audited(shop, files, tmp_path, lambda rows: rows.replace({"class": {"class2": "class1"}}).assign(
        **{"class": rows["class"].where(rows.path != "sent/z2_3.jpg", "class1")}), quick=True)  # fmt: skip
    said = "leave these queries out. Of two classes, one of them wrong: 1 pair, such as sent/z2_3.jpg = shop/2_3.png."
    assert said in about_doubles(moved)[0]


def test_where_hardly_any_other_query_is_left_no_figure_without_them_is_said(shop, files, tmp_path):
    found = audited(shop, files, tmp_path, lambda rows: rows[~rows.path.str.match("sent/[1-4]_")], quick=True)
    assert found["near_duplicates"]["queries"] == 4 and found["near_duplicates"]["drop_without"] is None
    assert about_doubles(found)[0].endswith("leave these queries out. Without these queries, too few are left.")


def as_photos(rows):
    return rows.drop(columns="role")


def test_of_a_sample_those_with_another_in_the_gallery_are_named_as_among_all(shop, files, tmp_path, monkeypatch):
    every = audited(shop, files, tmp_path / "every", as_photos, quick=True)
    assert every["near_duplicates"]["pairs"] == PAIRS
    paths = sorted(files[1].path)
    drawn = [number for number, path in enumerate(paths) if path.startswith("sent/") or path == "shop/0_1.png"]
    drawn.remove(paths.index("sent/z0_0.jpg"))

    def figures(folder, rows):
        monkeypatch.setattr(sample, "draw", lambda *given: np.array(rows))
        return audited(shop, files, tmp_path / folder, as_photos, queries=len(rows))

    found = figures("some", drawn)
    near, doubled = found["near_duplicates"], {paths.index(path) for pair in PAIRS for path in pair}
    assert near["pairs"] == PAIRS[1:] and near["queries"] == 4  # of one pair both are drawn
    without = figures("less", [row for row in drawn if row not in doubled])
    assert near["clean_without"] == without["matrix"]["clean"]["clean"] and near["drop_without"] == without["drop"]
    assert about_doubles(without) == []
    said = (
        "4 of 19 queries have a near-duplicate in the gallery (recompressed, resized or slightly cropped; 3 pairs, such"
    )
    assert (
        about_doubles(found)[0].startswith(said) and "any model: keep one of each. Without" in about_doubles(found)[0]
    )


def test_they_are_looked_for_once_and_an_interrupted_search_goes_on(shop, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doubles, "PIECE", 8)
    looked, find = [], near_duplicates.near_duplicates_of

    def watched(queries):
        one = find(queries)
        return lambda batch: looked.append((len(queries), len(batch))) or one(batch)

    monkeypatch.setattr(doubles, "near_duplicates_of", watched)
    write = doubles.Doubles._write

    def broken(self, rows, *given):
        if rows[0] == 16:
            raise KeyboardInterrupt
        write(self, rows, *given)

    monkeypatch.setattr(doubles.Doubles, "_write", broken)
    with pytest.raises(KeyboardInterrupt):
        audited(shop, files, tmp_path / "one", quick=True)
    asked = 19 + 90  # queries and backgrounds
    assert looked == [(1, 8), (asked, 8), (asked, 8)]  # the first for the time that is announced
    assert "near-duplicates of queries looked for among 20 photos: about" in capsys.readouterr().out
    monkeypatch.setattr(doubles.Doubles, "_write", write)
    found = audited(shop, files, tmp_path / "one", quick=True)
    assert looked[3:] == [(1, 8), (asked, 4)] and found["near_duplicates"]["pairs"] == PAIRS
    said = " px, and near-duplicates of queries looked for among 4 photos: about "
    assert said in capsys.readouterr().out
    audited(shop, files, tmp_path / "two", name="leaning", quick=True)
    assert len(looked) == 5 and "looked for" not in capsys.readouterr().out  # whatever the model


def test_other_photos_of_the_gallery_or_other_queries_are_looked_through_anew(shop, files, tmp_path):
    first = audited(shop, files, tmp_path / "first", quick=True)
    less = audited(shop, files, tmp_path / "less", lambda rows: rows[rows.path != "shop/2_3.png"], quick=True)
    other = audited(shop, files, tmp_path / "other", lambda rows: rows[rows.path != "sent/z0_0.jpg"], quick=True)
    pairs = [found["near_duplicates"]["pairs"] for found in (first, less, other)]
    assert pairs == [PAIRS, [pair for pair in PAIRS if "2_3" not in pair[1]], PAIRS[1:]]


@pytest.mark.parametrize("change", [lambda rows: rows, as_photos])
def test_photos_of_the_gallery_saved_anew_are_no_backgrounds(shop, files, tmp_path, monkeypatch, change):
    rows = change(files[1])
    unasked = [place for place, path in enumerate(sorted(rows.path)) if path != "shop/1_2.png"]
    monkeypatch.setattr(sample, "draw", lambda *given: np.array(unasked))
    asked = {} if "role" in rows else {"queries": len(unasked)}
    walls = {"backgrounds": str(shutil.copytree("backgrounds", tmp_path / "walls")), "quick": True}
    audited(shop, files, tmp_path / "one", change, **walls, **asked)
    saved_anew(Image.open(files[0] / "photos/shop/1_2.png"), tmp_path / "walls/wall.jpg")
    monkeypatch.setattr(embeddings, "_made", lambda *given: pytest.fail("embedded first"))
    message = "^audited photos among the backgrounds, with their objects; .*: .*walls/wall.jpg = shop/1_2.png$"
    with pytest.raises(ValueError, match=message):
        audited(shop, files, tmp_path / "two", change, **walls, **asked)


def remedied(files, out, change=lambda rows: rows):
    folder, rows = files
    change(rows).to_csv(folder / "photos/photos.csv", index=False)
    given = {"photos": str(folder / "photos"), "masks": str(folder / "masks"), "backgrounds": "backgrounds"}
    remedies.main(SETTINGS, "python:drawn_embedders:background_alone", out / "r.json", **given)
    return json.loads((out / "r.json").read_text())["r"]


def test_remedies_name_them_as_the_audit_does_and_look_for_none_again(shop, files, tmp_path, monkeypatch, capsys):
    said = audited(shop, files, tmp_path / "audit", quick=True)["near_duplicates"]["said"]
    monkeypatch.setattr(doubles.Doubles, "_write", lambda *given: pytest.fail("looked for again"))
    assert remedied(files, tmp_path)["near_duplicates"] == 4
    assert f"\n{said} All figures hold them: clean Recall@1, what swapping costs, and" in capsys.readouterr().out


def test_remedies_of_a_gallery_that_no_audit_has_looked_through_decode_it_no_second_time(files, tmp_path, monkeypatch):
    decoded, read = [], gallery.read_photo
    monkeypatch.setattr(gallery, "read_photo", lambda path: decoded.append(path) or read(path))
    few = remedied(files, tmp_path, lambda rows: rows[rows.path != "sent/z0_0.jpg"])
    assert few["near_duplicates"] == 3 and decoded == []


class Rolled(torch.nn.Module):
    """A network's embeddings, their numbers in another order."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images).roll(1, dims=1)


def test_a_model_that_changes_while_remedies_embed_is_refused_and_nothing_is_written(files, tmp_path, monkeypatch):
    embedded = passes.embedded

    def changing(embedder, *given, **more):
        found = embedded(embedder, *given, **more)
        embedder.network = Rolled(embedder.network)
        return found

    monkeypatch.setattr(passes, "embedded", changing)
    with pytest.raises(ValueError, match="gives photos other embeddings now than it gave before"):
        remedied(files, tmp_path)
    assert not (tmp_path / "r.json").exists()


def test_remedies_of_photos_that_search_all_others_name_them_too(shop, files, tmp_path, capsys):
    assert remedied(files, tmp_path, as_photos)["near_duplicates"] == 8
    assert "\n8 of 39 photos are near-duplicates (recompressed" in capsys.readouterr().out
    less = remedied(files, tmp_path, lambda rows: as_photos(rows)[~rows.path.str.contains("/z")])
    assert "near_duplicates" not in less and "near-duplicates" not in capsys.readouterr().out
