"""What of a dataset of the pipeline marks an audit: the photos that are audited, and no others."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from test_audit_dataset import settings  # noqa: F401 (fixture)

from bgbias.audit.inputs import sources
from bgbias.audit.measures import made_alike
from bgbias.cache import Cache
from bgbias.photos.pack import Pack


def rewritten(rows, change=lambda pictures, kind: pictures):
    """Write the drawn dataset anew of some of its photos, classes from 0 on, as if there had been no others."""
    table = pd.read_csv("data/prepared/drawn/images.csv", keep_default_na=False).iloc[rows]
    for kind, folder in (("photos", Path("data/prepared/drawn/photos")), ("masks", Path("data/masks/drawn/packed"))):
        pictures = change([np.array(picture) for picture in Pack(folder).subset(rows)], kind)
        shutil.rmtree(folder)
        Pack.write(folder, iter(pictures))
    table = table.assign(image_id=range(len(table)), class_id=pd.factorize(table.class_id)[0])
    table.to_csv("data/prepared/drawn/images.csv", index=False)


def made_with(of, cache, queries=None):
    return sources.of_dataset("drawn", of, 16, cache, "none", queries=queries).described["made_with"]


def test_datasets_of_the_same_test_photos_are_compared_whatever_else_they_hold(settings, tmp_path):  # noqa: F811
    """With fewer photos for training the others have other numbers, by which backgrounds are drawn."""
    cache, table = Cache(tmp_path / "cache"), pd.read_csv("data/prepared/drawn/images.csv")
    some, whole = (made_with(settings, cache, queries) for queries in (4, None))
    dropped = table.class_name == table.class_name[table.split == "train"].iloc[0]
    rewritten(np.flatnonzero(~dropped))
    fewer = made_with(settings, cache)
    assert fewer["photos"] != whole["photos"] and fewer["masks"] != whole["masks"]
    assert fewer["audited"] == whole["audited"] and made_alike.differing(whole, fewer) == []
    assert fewer["drawn"] != whole["drawn"] and made_with(settings, cache, 4)["queries"] == some["queries"]
    number = int(np.flatnonzero(table.split[~dropped] == "test")[0])
    for kind in ("photos", "masks"):
        before = made_with(settings, cache)

        def change(pictures, of, kind=kind):
            pictures[number][12, 12] ^= 255 * (of == kind)
            return pictures

        rewritten(np.arange(len(table) - sum(dropped)), change)
        assert made_alike.differing(before, after := made_with(settings, cache)) == [kind]
        assert after["drawn"] == before["drawn"]
    settings.images["drawn"] = dataclasses.replace(settings.images["drawn"], crop_px=19)
    assert made_alike.differing(after, made_with(settings, cache)) == ["photos", "masks"]  # shown otherwise
