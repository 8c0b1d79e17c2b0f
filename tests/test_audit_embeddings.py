"""The embeddings of an audit: of every view, in memory only while they are used."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from audited_shop import SIDE, run
from tqdm import tqdm

from bgbias.audit.measures import answers, embeddings
from bgbias.audit.measures.embeddings import Embeddings
from bgbias.cache import Cache
from bgbias.errors import InputError
from bgbias.external.onnx_network import OnnxNetwork


def test_a_view_is_opened_whenever_it_is_asked_for():
    opened = []

    def opening(view):
        return lambda: opened.append(view) or np.full((2, 3), float(len(view)))

    found = Embeddings({view: opening(view) for view in ("clean", "grid/0")})
    assert list(found) == ["clean", "grid/0"] and len(found) == 2 and opened == []
    assert torch.equal(found["grid/0"], torch.full((2, 3), 6.0, dtype=torch.float64))
    assert found["clean"].shape == found["clean"].shape and opened == ["grid/0", "clean", "clean"]


def test_an_audit_embeds_a_network_of_the_user_s_by_onnxruntime(shop, in_the_shop, tmp_path, monkeypatch):
    by, real = [], embeddings.embed
    monkeypatch.setattr(embeddings, "embed", lambda model, *rest: by.append(type(model.network)) or real(model, *rest))
    run(shop, tmp_path, "object_alone", quick=True)
    assert by == [OnnxNetwork]


def test_a_model_is_tried_on_photos_of_the_whole_table():
    assert answers.some(3).tolist() == [0, 1, 2]
    rows = answers.some(1000)
    assert (len(rows), rows[0], rows[-1]) == (16, 0, 999) and set(np.diff(rows)) <= {66, 67}


def test_embeddings_are_kept_by_all_that_they_depend_on(tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings.embedders, "embed", lambda model, batches, _: model.scale * batches[0])
    (tmp_path / "weights").write_text("a")
    model = SimpleNamespace(files=[tmp_path / "weights"], scale=1.0, name="python:mine:one")
    pictures = SimpleNamespace(labels=np.arange(40), photo=torch.tensor, identity="a")
    pictures.table = pd.DataFrame({"path": map(str, range(40))})
    first = answers.identity(model, pictures)
    assert answers.identity(model, pictures) == first
    changes = (
        lambda: torch.set_num_threads(2),  # which round sums otherwise
        lambda: vars(model).update(scale=2.0),
        lambda: vars(model).update(name="python:mine:other"),  # of the same file; swapped photos may tell them apart
        lambda: vars(pictures).update(identity="b"),
        lambda: (tmp_path / "weights").write_text("b"),
    )
    marks = {first}
    for change in changes:
        change()
        marks.add(answers.identity(model, pictures))
    assert len(marks) == 6


@pytest.fixture
def gives_rows(monkeypatch):
    """A model that gives the number of a photo, and sees to it that each is told by its name."""

    def embed(model, batches, names):
        found = torch.cat(list(batches)).float()
        assert [name.partition(" ")[0] for name in names] == [f"{number:.0f}" for number in found]
        return found[:, None]

    monkeypatch.setattr(embeddings.embedders, "embed", embed)
    monkeypatch.setattr(embeddings.embedders, "portions", lambda model, batch: batch.split(2))
    monkeypatch.setattr(embeddings, "parts", lambda number: [slice(at, at + 3) for at in range(0, number, 3)])
    return SimpleNamespace(files=[], name="rows")


def test_a_gallery_in_pieces_has_its_photos_in_order_and_an_interrupted_one_goes_on(gives_rows, tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "PIECE", 7)
    cache, gone = Cache(tmp_path), [15]

    def photo(rows):
        if gone and gone[0] in rows and len(rows) <= 7:
            raise OSError(f"{gone.pop()} is gone")
        return torch.tensor(rows)

    def gallery(content):
        table = pd.DataFrame({"path": map(str, range(20))})
        return embeddings._Gallery(gives_rows, SimpleNamespace(table=table, photo=photo, content=content), cache)

    assert gallery("a").left() == 20
    with pytest.raises(OSError, match="15 is gone"):
        gallery("a").embed()
    assert gallery("a").left() == 20 - 14
    gallery("a").embed()
    assert gallery("a").open()[:, 0].tolist() == list(range(20))
    assert gallery("a").left() == 0 and not list(tmp_path.rglob(embeddings.PIECES))
    assert gallery("b").left() == 20  # other photos


def test_a_view_of_some_photos_is_of_these(gives_rows, monkeypatch):
    monkeypatch.setattr(embeddings.views, "compose", lambda pictures, view, rows: torch.tensor(rows))
    monkeypatch.setattr(embeddings.views, "rows_of", lambda *_: np.array([2, 3, 5, 7]))
    pictures = SimpleNamespace(table=pd.DataFrame({"path": map(str, range(9))}))
    with tqdm(disable=True) as bar:
        found = list(embeddings._made(gives_rows, pictures, "mixed_same", bar))
    assert np.concatenate(found)[:, 0].tolist() == [2, 3, 5, 7]


def test_the_time_of_a_picture_is_that_of_a_batch_by_its_pictures(gives_rows, monkeypatch):
    monkeypatch.setattr(embeddings.views, "batches", lambda *_: iter([torch.arange(4)]))
    monkeypatch.setattr(embeddings, "perf_counter", iter([1.0, 3.0]).__next__)
    pictures = SimpleNamespace(table=pd.DataFrame({"path": map(str, range(9))}))
    assert embeddings.seconds_each(gives_rows, pictures) == 0.5


def drops_out(images):
    return torch.nn.functional.dropout(images.flatten(1)[:, :64], 0.5, True)


def hides(images):
    return images.flatten(1)[:, :64] + 1e4


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (drops_out, "gives the same photos other embeddings at each call, as dropout does"),
        (hides, "gives all photos nearly the same embedding .1 - cosine is "),
    ],
)
def test_a_model_that_is_none_is_refused_and_nothing_is_written(function, message, shop, in_the_shop, tmp_path):
    torch.jit.trace(function, torch.ones(1, 3, SIDE, SIDE), check_trace=False).save(str(tmp_path / "net.pt"))
    with pytest.raises(InputError, match=message):
        run(shop, tmp_path / "out", f"torchscript:{tmp_path}/net.pt?input_px={SIDE}", quick=True)
    assert not list(tmp_path.glob("out/*"))


class Keeps(torch.nn.Module):
    """Something kept from earlier calls moves what it gives."""

    def __init__(self):
        super().__init__()
        self.register_buffer("kept", torch.zeros(1))

    def forward(self, images):
        features = images.flatten(1)[:, :64]
        return features + self.kept * torch.arange(64)


def test_a_model_whose_answers_change_later_is_refused_then_and_when_it_is_loaded_anew(
    shop, in_the_shop, tmp_path, monkeypatch
):
    torch.jit.script(Keeps()).save(str(tmp_path / "net.pt"))
    real, made = embeddings._made, []

    def changing(embedder, pictures, view, bar):
        made.append(view)
        embedder.network.kept.fill_(view == "swapped/1")
        return real(embedder, pictures, view, bar)

    monkeypatch.setattr(embeddings, "_made", changing)
    monkeypatch.setattr(answers, "exported", lambda model, *_: model)  # an export may keep nothing
    for _ in range(2):  # the second time all is in the cache
        with pytest.raises(InputError, match=r"gives photos other embeddings now than it gave before .cosine .*alone$"):
            run(shop, tmp_path / "out", f"torchscript:{tmp_path}/net.pt?input_px={SIDE}", quick=True)
        assert made == ["clean", "swapped/0", "swapped/1"] and not list(tmp_path.glob("out/*"))
