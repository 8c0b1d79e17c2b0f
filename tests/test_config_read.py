"""params.yaml: what is read, and what is refused with one line."""

import ast
from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml

from bgbias.config import params, read

LAUGHS = ", ".join(f"{b}: &{b} [{', '.join(8 * [f'*{a}'])}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
TEXT = Path("params.yaml").read_text(encoding="utf-8")


def load(tmp_path, old, new):
    assert old in TEXT
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return read.load(path)


def test_the_committed_file_is_sound_and_runs_the_demo():
    found = read.load()
    assert found.datasets == ["demo"] and found.regimes == ["base", "bgaugment", "bgconsistency"]


def test_numbers_are_read_as_dvc_writes_them(tmp_path):
    assert load(tmp_path, "lr: 0.003", "lr: 1e-06").train["demo"].lr == 1e-6


def test_dvc_leaves_the_file_as_it_is_when_it_sets_a_parameter(tmp_path):
    """So that `dvc exp run -S` and `dvc exp apply` change the lines they mean, and no other."""
    path = tmp_path / "params.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with modify_yaml(path) as found:
        found["seed"] = 43
    assert path.read_text(encoding="utf-8") == TEXT.replace("seed: 42", "seed: 43")


def test_parameters_cannot_be_changed():
    with pytest.raises(AttributeError):
        read.load().seed = 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 42", "sed: 42", "seed is missing; sed is unknown"),
        ("    lr: 0.003", "    rate: 0.003", "train.demo.lr is missing; train.demo.rate is unknown"),
        ("lr: 0.003", "lr: fast", "train.demo.lr: Input should be a valid number, found 'fast'"),
        ("lr: 0.003", "lr: -1", "train.demo.lr: Input should be greater than 0, found -1"),
        ("lr: 0.003", "lr: .nan", "train.demo.lr: "),
        ("batch_size: ", "batch_size: 0.5 #", "train.demo.batch_size: Input should be a valid integer, found 0.5"),
        ("freeze_batch_norm: false", "freeze_batch_norm: 0", "train.demo.freeze_batch_norm: Input should be a valid b"),
        ("background_correlation: 0.9", "background_correlation: 9", "less than or equal to 1, found 9"),
        ("val_share: 0.25", "val_share: -1", "data.own.val_share: Input should be greater than or equal to 0"),
        ("  grocery: {}", "  grocry: {}", "data.grocery is missing; data.grocry.seed is missing"),
        ("loss: ", "loss: cosface #", "unknown loss 'cosface'; close to it is arcface"),
        ("- demo", "- demmo", "unknown dataset 'demmo'; close to it is demo"),
        ("- bgaugment", "- bgaugmented", "unknown regime 'bgaugmented'; close to it is bgaugment"),
        ("- 42", "- 42\n- 42", "seeds \\[42, 42\\]: name each once"),
        ("  half:", "  my cure:", "regime_settings.my cure: name it with letters, digits, _ and - only"),
        ("paired: true", "paired: false", "regime_settings.bgconsistency: consistency needs paired: true"),
        ("    paired: false", "    paired: true", "regime_settings.base: paired: true needs replace above 0"),
        ("    replace_first: 0.0", "    replace_first: 0.5", "regime_settings.base: replace_first needs paired: true"),
        ("method: given", "method: guess", "masks.demo.method: Input should be 'given', 'rembg' or 'grabcut'"),
        ("crop_px: 96", "crop_px: 97", "images.demo: crop_px 97 is larger than short_side_px 96"),
        ("      swapped: test\n", "", "evaluate.demo: swaps needs a view named swapped"),
        (
            "      new_scene: scene",
            "      clean: scene",
            "evaluate.demo: swaps.clean: its metrics would overwrite others",
        ),
        (
            "      new_scene: scene",
            "      ../..: scene",
            "evaluate.demo: swaps.../..: name it with letters, digits, _ and",
        ),
        ("      new_scene: scene", "      new_scene: ../val", "evaluate.demo: swaps.../val: name it with letters, di"),
        ("audit: {}", "audit: {'a; b': {photos: p, embedder: e}}", "audit.a; b: name it with letters, digits, _ and"),
        ("remedies: {}", "remedies: {'é': {dataset: demo, embedder: e}}", "remedies.é: name it with letters, digits"),
        (
            "      own:\n        per_class",
            "      onw:\n        per_class",
            "dataset in losses.arcface.overrides: 'onw'",
        ),
        ("- base\n", "- base\n- base\n", "regimes \\['base', 'base', .*: name each once"),
        ("    - 8\n", "    - 1\n", "evaluate.demo: recall_at \\[1, 2, 4, 1\\]: name each once"),
        (
            "scale: 220.363",
            "scael: 1.0",
            "params.yaml: losses.arcface.overrides.sop: scael is unknown: remove or rename",
        ),
        ("scale: 220.363", "scale: 0.0", "losses.arcface.overrides.sop: scale: Input should be greater than 0, found"),
        ("seed: 42", "seed: " + 300 * "[" + 300 * "]", "is nested too deeply: remove what is in its brackets"),
        (
            "audit: {}",
            f"audit: {{a: &a 1, {LAUGHS}}}",
            "params.yaml: its aliases stand for more than 1,000,000 values: write fewer",
        ),
        (
            "  sop:\n    source: unsplash",
            "  sop: &a\n    source: unsplash\n  soap: *a",
            "dataset in backgrounds: 'soap'",
        ),
        (
            "softmax:\n    per_class: 1",
            "softmax:\n    per_class: 49",
            "train.demo.batch_size 48 is not more than losses.n",
        ),
        (
            "    - 0.4\n    - 1.0",
            "    - 0.4\n    - 1.5",
            "train_crop_share \\[0.4, 1.5\\]: a crop is at most all of a ph",
        ),
        ("    - 0.4\n    - 1.0", "    - 0.4\n    - 0.3", "train_crop_share \\[0.4, 0.3\\]: the smaller number comes f"),
        ("seed: 42", "seed: [42", "is not valid YAML"),
        (
            "seed: 42",
            "seed: " + 3000 * "[",
            "is not valid YAML: correct it, or `git restore .*params.yaml` .RecursionE",
        ),
        ("audit: {}", "audit: &a {a: *a}", "params.yaml: holds itself, or more than keys and values: remove it"),
        ("seed: 42 # of", "seed: 4294967296 # of", "seed: Input should be less than 4294967296, found 4294967296"),
        ("size_px: 96", "size_px: 4097", "data.demo.size_px: Input should be less than or equal to 4096, found 4097"),
        ("lr: 0.003", "lr: 1e30", "train.demo.lr: Input should be less than or equal to 1000000"),
        (
            "max_epochs: 40",
            "max_epochs: 1000001",
            "train.demo.max_epochs: Input should be less than or equal to 1000000",
        ),
        ("pos_margin: 0.1", "pos_margin: 1e30", "losses.contrastive.pos_margin: Input should be less than or equal to"),
        ("threads: 1", "threads: 1025", "threads: Input should be less than or equal to 1024"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path, old, new)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("masks:\n  demo:", "masks:\n  other:", "masks.demo"),
        ("    own: 100\n", "", "attention.max_images.own"),
        ("  own: #", "  flowers: #", "images.flowers"),
    ],
)
def test_a_dataset_without_one_of_its_blocks_is_refused(tmp_path, old, new, missing):
    with pytest.raises(ValueError, match=f"{missing} is missing"):
        load(tmp_path, old, new)


def test_any_name_with_all_blocks_is_a_folder_of_photos(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace(" own:", " flowers:").replace("- demo", "- flowers"), encoding="utf-8")
    found = read.load(path)
    assert found.datasets == ["flowers"] and found.data["flowers"].test_share == 0.25


@pytest.mark.parametrize("name", ["../out", "my photos", "a/b", "-n", "a.b"])
def test_a_dataset_s_name_is_fit_for_paths_and_commands(tmp_path, name):
    with pytest.raises(ValueError, match=f"data.{name}: name it with letters, digits, _ and - only"):
        load(tmp_path, "  own: #", f"  {name}: #")


def test_audits_are_named_like_the_command_s_options(tmp_path):
    entry = "audit:\n  shop: {photos: shop, embedder: 'onnx:net.onnx', mask_method: rembg}\n#"
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace("audit: {}", entry), encoding="utf-8")
    assert read.load(path).audit["shop"].mask_method == "rembg"
    for old, new, message in (
        ("photos: shop, ", "", "audit.shop.photos is missing"),
        ("rembg}", "guess}", "audit.shop.mask_method: Input should be 'given', 'rembg' or 'grabcut', found 'guess'"),
        ("rembg}", "rembg, masks: masks}", "audit.shop: masks and mask_method: give one of the two"),
    ):
        path.write_text(TEXT.replace("audit: {}", entry.replace(old, new)), encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read.load(path)


def test_a_remedied_dataset_is_one_that_there_is(tmp_path):
    entry = "remedies:\n  base: {dataset: demo, embedder: 'model:models/demo/base'}\n#"
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace("remedies: {}", entry), encoding="utf-8")
    assert read.load(path).remedies["base"].dataset == "demo"
    for old, new, message in (
        ("dataset: demo, ", "", "remedies.base.dataset is missing"),
        ("dataset: demo", "dataset: paintings", "unknown dataset 'paintings'; known are demo, grocery"),
    ):
        path.write_text(TEXT.replace("remedies: {}", entry.replace(old, new)), encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read.load(path)


def test_the_schema_changes_no_result_so_that_no_stage_need_depend_on_it():
    files = [Path(params.__file__).with_name(f"{name}.py") for name in ("params", "losses", "values")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert "setattr" not in text  # its dataclasses are frozen
    for block in (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)):
        for part in block.body:
            name = f"{block.name}: {ast.unparse(part)}"
            if isinstance(part, ast.AnnAssign):
                assert part.value is None or ast.unparse(part.value) == "None", name
            elif isinstance(part, ast.FunctionDef):
                assert part.name == "__post_init__", name
            else:
                assert isinstance(part, ast.Expr), name  # the docstring
