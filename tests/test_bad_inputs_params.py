"""params.yaml, spoilt key by key and as a whole."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from bad_inputs import ROOT
from spoils import content, cut, edited, fifo, folder, remove

pytestmark = pytest.mark.slow
COMMAND = "study_tables"  # reads nothing else that is spoilt here
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
ONE = {  # blocks by name whose entries are of one kind: of each, this one stands for all
    "images": "demo",
    "masks": "demo",
    "backgrounds": "demo",
    "train": "demo",
    "regime_settings": "early_masking",
    "evaluate": "demo",
    "overrides": "cub200",
    "max_images": "demo",
}
WRONG = {  # type of a value -> names and values that none of this type may have
    bool: {"text": "maybe", "null": None, "number": 3},
    int: {"text": "many", "null": None, "fraction": 2.5, "minus": -5000, "huge": 10**30, "list": [1]},
    float: {"text": "fast", "null": None, "huge": 10**30, "nan": float("nan"), "inf": float("inf")},
    str: {"number": 7, "null": None, "list": ["a"]},
    list: {"scalar": 7, "null": None, "nested": [[[1]]], "null inside": [None]},
    dict: {"scalar": 7, "null": None, "list": [1], "unknown key": None},
}
NULL = ("regime_settings", "early_masking", "finder")  # may be null, or left out
OPTIONAL = [("evaluate", "demo", "swaps", "new_scene"), NULL, NULL[:2]]
TRICKS = {  # whole files
    "empty": ("", "params.yaml"),
    "comments only": ("# nothing\n", "params.yaml"),
    "a scalar": ("7\n", "params.yaml"),
    "a list": ("- datasets\n", "params.yaml"),
    "prose": ("What to run: demo, with: everything\n", "params.yaml: is not valid YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", "is not valid YAML"),
    "a tab": ("data:\n\tdemo: 1\n", "is not valid YAML"),
    "a NUL byte": ("seed: 1\0\n", "is not valid YAML"),
    "Latin-1": ("datasets: [\u00c4pfel]\n".encode("latin-1"), "is not valid YAML"),
    "UTF-16": ("datasets: [demo]\n".encode("utf-16"), "params.yaml"),
    "an unknown tag": ("seed: !secret 1\n", "is not valid YAML"),
    "a Python tag": ("seed: !!python/object/apply:os.system ['true']\n", "is not valid YAML"),
    "a binary tag": ("seed: !!binary aGVsbG8=\n", "params.yaml"),
    "a timestamp": ("seed: 2020-01-01\n", "params.yaml"),
    "a set": ("seed: !!set {a, b}\n", "params.yaml"),
    "an unknown anchor": ("seed: *missing\n", "is not valid YAML"),
    "an open quote": ('loss: "triplet\n', "is not valid YAML"),
    "deep nesting": ("seed: " + 5000 * "[", "is not valid YAML"),
    "deep and closed": ("seed: " + 300 * "[" + 300 * "]", "params.yaml"),
    "itself": ("seed: &a [*a]\n", "params.yaml: holds itself"),
    "a complex key": ("? [a, b]\n: 1\n", "params.yaml"),
    "a number as key": ("7: 1\n", "params.yaml"),
    "null as key": ("null: 1\n", "params.yaml"),
    "billion laughs": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{k}: &{k} [{', '.join(9 * [f'*{j}'])}]\n" for j, k in ("ab", "bc", "cd", "de", "ef", "fg", "gh")),
        "params.yaml",
    ),
    "merge keys that are none": ("<<: 7\nseed: 1\n", "params.yaml"),
    "a key of a megabyte": ("k" * 10**6 + ": 1\n", "params.yaml"),
    "an escape": ('"\\e[31m": 1\n', "params.yaml"),
    "a line break in a key": ('"seed\\nerror: nothing": 1\n', "params.yaml"),
}


def _leaves(block: object, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value, and of every block."""
    if path:
        yield path
    if isinstance(block, dict):
        chosen = ONE.get(path[-1] if path else "")
        for key, value in block.items():
            if chosen in (None, key):
                yield from _leaves(value, (*path, key))


def _value(path: tuple, block: object) -> object:
    for key in path:
        block = block[key]
    return block


def _with(path: tuple, value: object, missing: bool = False):
    """Write params.yaml with another value, or without the key."""

    def write(file: Path) -> None:
        found = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
        block = _value(path[:-1], found)
        if missing:
            del block[path[-1]]
        else:
            block[path[-1]] = copy.deepcopy(value)
        file.write_text(yaml.dump(found, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")

    return write


def _cases() -> Iterator:
    for path in _leaves(PARAMS):
        old, name, words = _value(path, PARAMS), ".".join(path), r"(\.|: )".join(map(re.escape, path))
        if path[-1] == "max_images" or path[-2:-1] == ("max_images",):
            old = old if isinstance(old, dict) else 1
        for what, value in WRONG[type(old)].items():
            if (path, what) == (NULL, "null"):
                continue
            if what == "unknown key":
                value = old | {"surplus": 1}
            yield pytest.param(path, value, words, id=f"{name}: {what}")
        if path not in OPTIONAL and "overrides" not in path[:-1]:
            yield pytest.param(path, KeyError, re.escape(path[-1]), id=f"{name}: missing")


@pytest.mark.parametrize(("path", "value", "words"), list(_cases()))
def test_a_value_of_params(refuses, path, value, words):
    refuses(COMMAND, rf"params.yaml.*\b{words}", ("params.yaml", _with(path, value, value is KeyError)))


@pytest.mark.parametrize(("text", "words"), list(TRICKS.values()), ids=TRICKS)
def test_a_file_of_params_that_is_none(refuses, text, words):
    refuses(COMMAND, words, ("params.yaml", content(text)))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (remove, "params.yaml: no such file"),
        (folder, "params.yaml: no such file"),
        (fifo, "params.yaml: no such file"),
        (cut, "params.yaml"),
        (edited("seed: 42\n", "seed: 42\nseed: 43\n"), "is not valid YAML.*seed"),
        (edited("embedders: {}", "embedders:\n    a: hog\n    a: x"), "is not valid YAML.*duplicate key .a."),
    ],
)
def test_params_that_are_not_there_or_not_whole(refuses, how, words):
    refuses(COMMAND, words, ("params.yaml", how))


@pytest.mark.parametrize(
    ("loss", "dataset", "key", "value", "words"),
    [
        ("arcface", "sop", "scael", 1.0, "scael is unknown"),
        ("arcface", "sop", "scale", -1.0, "scale: .*greater than 0"),
        ("arcface", "cars196", "scale", 10.0**30, "scale: .*less than or equal"),
        ("arcface", "own", "per_class", 1.5, "per_class: .*integer"),
        ("contrastive", "cub200", "per_class", 1, "per_class: .*greater than or equal to 2"),
        ("contrastive", "cars196", "margin", 1.0, "margin is unknown"),
        ("triplet", "sop", "margin", 0.0, "margin: .*greater than 0"),
        ("multi_similarity", "cub200", "alpha", 0, "alpha: .*greater than 0"),
        ("normalized_softmax", "cars196", "consistency_scale", -1, "consistency_scale: .*greater than"),
        ("normalized_softmax", "own", "overrides", 1, "overrides"),
    ],
)
def test_overrides_of_losses_and_datasets_that_do_not_run(refuses, loss, dataset, key, value, words):
    spoil = _with(("losses", loss, "overrides", dataset, key), value)
    refuses(COMMAND, rf"params.yaml: losses\.{loss}\.overrides\.{dataset}: .*{words}", ("params.yaml", spoil))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("datasets",), [], "datasets: .*at least 1"),
        (("datasets",), ["demo", "demo"], "datasets"),
        (("datasets",), ["../demo"], r"unknown dataset '\.\./demo'"),
        (("regimes",), [], "regimes: .*at least 1"),
        (("regimes",), ["base", "base"], "regimes"),
        (("regimes",), ["$(touch x)"], "unknown regime"),
        (("seeds",), [], "seeds: .*at least 1"),
        (("seeds",), [42, 42], "seeds .*once"),
        (("seeds",), [-1], r"seeds\.0: .*greater than or equal to 0"),
        (("loss",), "cosface", "unknown loss 'cosface'"),
        (("loss",), "", "unknown loss ''"),
        (("threads",), 0, "threads: .*greater than or equal to 1"),
        (("train", "demo", "network"), "resnet18", "train.demo: unknown network"),
        (("train", "demo", "network"), "torchvision:", "train.demo: unknown network"),
        (("train", "demo", "network"), "torchvision:../x", "train.demo: unknown network"),
        (("train", "demo", "batch_size"), 0, "train.demo.batch_size"),
        (("train", "demo", "momentum"), 1.5, "train.demo.momentum"),
        (("train", "demo", "momentum"), 1.0, "train.demo.momentum: Input should be less than 1"),
        (("losses", "arcface", "margin_degrees"), 1000.0, "arcface.margin_degrees: Input should be less than 180"),
        (("train", "demo", "lr"), 0, "train.demo.lr"),
        (("data", "demo", "home_scenes"), 9, "data.demo: home_scenes 9 is larger"),
        (("data", "demo", "background_correlation"), 1.01, "data.demo.background_correlation"),
        (("data", "own", "val_share"), -0.1, "data.own.val_share"),
        (("images", "demo", "crop_px"), 64, "images.demo: crop_px 64 is larger"),
        (("images", "demo", "train_crop_share"), [0.5], "images.demo.train_crop_share"),
        (("images", "demo", "train_crop_share"), [0, 1], "images.demo.train_crop_share"),
        (("images", "demo", "train_crop_share"), [1, 0.5], "images.demo: train_crop_share .*smaller"),
        (("images", "demo", "train_crop_ratio"), [3, 2], "images.demo: train_crop_ratio .*smaller"),
        (("evaluate", "demo", "draws"), 1, "evaluate.demo.draws"),
        (("evaluate", "demo", "recall_at"), [2], "evaluate.demo: recall_at needs 1"),
        (("evaluate", "demo", "recall_at"), [1, 1], "evaluate.demo: recall_at"),
        (("evaluate", "demo", "recall_at"), [1, 0], "evaluate.demo.recall_at"),
        (("evaluate", "demo", "swaps"), {}, "evaluate.demo: swaps needs"),
        (("evaluate", "demo", "swaps", "swapped"), "../../own", "evaluate.demo: swaps"),
        (("evaluate", "demo", "swaps", "swapped"), "", "evaluate.demo: swaps"),
        (("evaluate", "demo", "swaps", "drop"), "test", "evaluate.demo: swaps.drop"),
        (("evaluate", "demo", "swaps", "swapped"), "val", "evaluate.demo: swaps.swapped draws from val"),
        (("losses", "triplet", "per_class"), 1, "losses.triplet.per_class: .*greater than or equal to 2"),
        (("losses", "normalized_softmax", "per_class"), 48, "batch_size 4 is not more than .*so a batch has one class"),
        (
            ("regime_settings", "base", "vary_backgrounds"),
            True,
            "regime_settings.base.vary_backgrounds True changes not",
        ),
        (
            ("regime_settings", "base", "consistency_rise"),
            0.5,
            "regime_settings.base.consistency_rise 0.5 changes noth",
        ),
        (("regime_settings", "base", "select_on"), ["clean", "clean"], "regime_settings.base"),
        (("regime_settings", "base", "consistency"), 1.0, "regime_settings.base: consistency needs"),
        (("regime_settings", "base", "paired"), True, "regime_settings.base: paired"),
        ((*NULL, "channels"), 0, "regime_settings.early_masking.finder.channels: .*greater than or equal to 1"),
        ((*NULL, "most_px"), 4, "regime_settings.early_masking.finder.most_px: .*greater than or equal to 16"),
        ((*NULL, "lr"), 0, "regime_settings.early_masking.finder.lr: .*greater than 0"),
        ((*NULL, "encoder"), {"network": "resnet18", "weights": "scratch", "lr": 0}, "unknown network 'resnet18'"),
        ((*NULL, "encoder"), {"network": "small_resnet", "weights": "scratch"}, "finder.encoder.lr is missing"),
        (("regime_settings", "a b"), PARAMS["regime_settings"]["base"], "regime_settings.a b: name it"),
        (("audit",), {"shop": {"photos": "a"}}, "audit.shop.embedder is missing"),
        (("audit",), {"sh op": {"photos": "a", "embedder": "b"}}, "audit.sh op: name it"),
        (("audit",), {"shop": {"photos": 1, "embedder": "b"}}, "audit.shop.photos"),
        (("audit",), {"shop": {"photos": "a", "embedder": "b", "masks": "m", "mask_method": "given"}}, "audit.shop"),
        (("remedies",), {"demo": {"dataset": "x", "embedder": "b"}}, "unknown dataset 'x'"),
        (("remedies",), {"demo": {"dataset": "demo"}}, "remedies.demo.embedder is missing"),
        (("leaderboard", "datasets"), {"dmeo": {}}, "unknown dataset 'dmeo'; close to it is demo"),
        (("leaderboard", "datasets"), {"demo": {"second_masks": "sam"}}, "leaderboard.datasets.demo.second_masks"),
        (("leaderboard", "datasets"), {"demo": {}}, "leaderboard.embedders is empty: add a row"),
        (("leaderboard", "embedders"), {"../x": "a"}, "leaderboard.embedders.../x: name it with letters"),
        (("leaderboard", "embedders"), {"a": "small_resnet", "b": "small_resnet"}, "name each once"),
        (("mask_quality",), {"cub": {"labels": "x", "method": "by eye"}}, "mask_quality.cub.method"),
        (("mask_quality",), {"cub": {"method": "given"}}, "mask_quality.cub.labels is missing"),
    ],
)
def test_values_of_the_right_type_that_make_no_sense(refuses, path, value, words):
    refuses(COMMAND, f"params.yaml: .*{words}", ("params.yaml", _with(path, value)))


def test_a_batch_that_the_classes_do_not_fill(refuses):
    batch = ("params.yaml", _with(("train", "demo", "batch_size"), 4096))
    refuses("prepare demo", "demo: batch_size 4096 needs .* classes .*: lower train.demo.batch_size to", batch)
