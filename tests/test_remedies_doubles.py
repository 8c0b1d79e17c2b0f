"""Remedies of photos that are the gallery's, saved anew, and of a model that changes meanwhile."""

import json

import pytest
import torch
from audited_shop import SETTINGS
from sent_photos import as_photos, audited, with_a_mirrored_one

from bgbias.audit.inputs import doubles, gallery
from bgbias.remedies import passes
from stages import remedies

pytestmark = pytest.mark.usefixtures("in_the_shop")


def remedied(sent, out, change=lambda rows: rows):
    folder, rows = sent
    change(rows).to_csv(folder / "photos/photos.csv", index=False)
    given = {"photos": str(folder / "photos"), "masks": str(folder / "masks"), "backgrounds": "backgrounds"}
    remedies.main(SETTINGS, "python:drawn_embedders:background_alone", out / "r.json", **given)
    return json.loads((out / "r.json").read_text())["r"]


def test_remedies_name_them_as_the_audit_does_and_look_for_none_again(shop, sent, tmp_path, monkeypatch, capsys):
    said = audited(shop, sent, tmp_path / "audit", quick=True)["near_duplicates"]["said"]
    monkeypatch.setattr(doubles.Doubles, "_write", lambda *given: pytest.fail("looked for again"))
    assert remedied(sent, tmp_path)["near_duplicates"] == 4
    assert f"\n{said} All figures hold them: clean Recall@1, what swapping costs, and" in capsys.readouterr().out


def test_remedies_of_a_gallery_that_no_audit_has_looked_through_decode_it_no_second_time(sent, tmp_path, monkeypatch):
    decoded, read = [], gallery.read_photo
    monkeypatch.setattr(gallery, "read_photo", lambda path: decoded.append(path) or read(path))
    few = remedied(sent, tmp_path, lambda rows: rows[rows.path != "sent/z0_0.jpg"])
    assert few["near_duplicates"] == 3 and decoded == []


def test_remedies_name_mirrored_copies(sent, tmp_path, capsys):
    remedied(with_a_mirrored_one(sent, tmp_path / "shop"), tmp_path)
    said = "1 of 15 queries have a near-duplicate of their mirror image in the gallery"
    assert f"\n{said}" in (out := capsys.readouterr().out) and "keep one of each. All figures hold them: " in out


class Rolled(torch.nn.Module):
    """A network's embeddings, their numbers in another order."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images).roll(1, dims=1)


def test_a_model_that_changes_while_remedies_embed_is_refused_and_nothing_is_written(sent, tmp_path, monkeypatch):
    embedded = passes.embedded

    def changing(embedder, *given, **more):
        found = embedded(embedder, *given, **more)
        embedder.network = Rolled(embedder.network)
        return found

    monkeypatch.setattr(passes, "embedded", changing)
    with pytest.raises(ValueError, match="gives photos other embeddings now than it gave before"):
        remedied(sent, tmp_path)
    assert not (tmp_path / "r.json").exists()


def test_remedies_of_photos_that_search_all_others_name_them_too(shop, sent, tmp_path, capsys):
    assert remedied(sent, tmp_path, as_photos)["near_duplicates"] == 8
    assert "\n8 of 39 photos are near-duplicates (recompressed" in capsys.readouterr().out
    less = remedied(sent, tmp_path, lambda rows: as_photos(rows)[~rows.path.str.contains("/z")])
    assert "near_duplicates" not in less and "near-duplicates" not in capsys.readouterr().out
