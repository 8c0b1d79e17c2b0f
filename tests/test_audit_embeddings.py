"""The embeddings of an audit: of every view, in memory only while they are used."""

import numpy as np
import torch
from audited_shop import SETTINGS

from bgbias.audit.measures import embeddings
from bgbias.audit.measures.embeddings import Embeddings
from bgbias.external.onnx_network import OnnxNetwork
from stages import audit


def test_a_view_is_opened_whenever_it_is_asked_for():
    opened = []

    def opening(view):
        return lambda: opened.append(view) or np.full((2, 3), float(len(view)))

    found = Embeddings({view: opening(view) for view in ("clean", "grid/0")})
    assert list(found) == ["clean", "grid/0"] and len(found) == 2 and opened == []
    assert torch.equal(found["grid/0"], torch.full((2, 3), 6.0, dtype=torch.float64))
    assert found["clean"].shape == found["clean"].shape and opened == ["grid/0", "clean", "clean"]


def test_an_audit_embeds_a_network_of_the_user_s_by_onnxruntime(in_the_shop, tmp_path, monkeypatch):
    by, real = [], embeddings.embed
    monkeypatch.setattr(embeddings, "embed", lambda model, *rest: by.append(type(model.network)) or real(model, *rest))
    given = {"photos": "photos", "masks": "masks", "backgrounds": "backgrounds", "quick": True}
    audit.main(SETTINGS, "python:drawn_embedders:object_alone", tmp_path, None, **given)
    assert by == [OnnxNetwork]
