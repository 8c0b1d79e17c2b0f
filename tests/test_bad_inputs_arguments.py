"""What is typed after a stage's name; some of it in a process of its own, to show that it is the same there."""

import pytest
from spoils import edited, remove

pytestmark = pytest.mark.slow
ODD = [
    "../demo",
    "demo/",
    "a/b",
    ".",
    "",
    " ",
    "demo ",
    "DEMO",
    "dem\u00f6",
    "$(touch x)",
    "`id`",
    "; ls",
    "\x1b[31m",
    "a\nb",
]
SEEDS = ["-1", "4294967296", "9" * 30, "1e3", "4.2", "forty", "", "0x2a", "../42"]
OPTIONS = "--embedder model:models/demo/base/42 --out audits/new"
OF_FOLDER = f"audit --photos data/sources/own --mask-method given --backgrounds backgrounds {OPTIONS}".replace(
    "new", "own"
)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("stage", ["raw", "prepare", "masks", "backgrounds", "report"])
def test_a_dataset_that_there_is_not(refuses, stage, name):
    refuses([stage, name], "unknown dataset", valid=False)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("stage", ["train", "embed", "attention", "evaluate"])
def test_a_regime_that_there_is_not(refuses, stage, name):
    refuses([stage, "demo", name, *(["42"] if stage != "evaluate" else [])], "unknown regime", valid=False)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stage", ["train", "embed", "attention"])
def test_a_seed_that_is_none_or_of_no_model(refuses, stage, seed):
    refuses([stage, "demo", "base", "--", seed], "seed|invalid seed|expected 0 to", valid=False)


@pytest.mark.parametrize("stage", ["raw", "prepare", "masks", "backgrounds", "train", "embed", "evaluate", "report"])
@pytest.mark.parametrize("arguments", [[], ["demo", "base", "42", "more"], ["demo", "--unknown"], ["--demo"]])
def test_arguments_that_are_missing_or_too_many(refuses, stage, arguments):
    refuses([stage, *arguments], "error: .*(required|unrecognized)", valid=False)


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "", "9" * 30, "\u00b2", "\x1b[31m"])
@pytest.mark.parametrize(
    "command", ["masks demo", "train demo base 42", "embed demo base 42", "attention demo base 42"]
)
def test_no_number_of_processes(refuses, monkeypatch, command, number):
    monkeypatch.setenv("BGBIAS_PROCESSES", number)
    refuses(command, "BGBIAS_PROCESSES is .*(correct it|lower it)", valid=False)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("evaluate grocery base", "data/embeddings/grocery/base/42/images.csv: no such file"),
        ("prepare cub200", "data/raw/cub200 does not exist: run"),
        ("masks sop", "data/prepared/sop/images.csv: no such file"),
        ("train cars196 base 42", "data/prepared/cars196/images.csv: no such file"),
        ("report own", "no such file"),
        ("attention demo half 42", "models/demo/half/42: no model here"),
        ("embed demo half 42", "models/demo/half/42: no model here"),
        ("evaluate demo half", "data/embeddings/demo/half/42/images.csv: no such file"),
        (f"audit {OPTIONS}", "give --photos DIR with its options, or --dataset NAME"),
        (f"audit --photos a --dataset demo {OPTIONS}", "give --photos DIR"),
        (f"audit --photos nowhere {OPTIONS}", "nowhere is no folder"),
        (f"audit --photos data/sources/own/photos.csv {OPTIONS}", "photos.csv is no folder"),
        (f"audit --dataset deom {OPTIONS}", "unknown dataset 'deom'"),
        (f"audit --dataset grocery {OPTIONS}", "data/prepared/grocery/images.csv: no such file"),
        (f"{OF_FOLDER} --masks nowhere", "masks and mask_method: give one of the two"),
        (f"{OF_FOLDER.replace('given', 'rembg')} --rembg-model u3net", "u3net"),
        (f"{OF_FOLDER.replace('given', 'rembg')} --rembg-model nowhere.onnx", "nowhere.onnx"),
        (f"{OF_FOLDER} --mask-method guess", "invalid choice: 'guess'"),
        (f"{OF_FOLDER} --backgrounds nowhere", "nowhere is no folder"),
        (f"{OF_FOLDER} --backgrounds paper", "paper: 0 pictures, at least 4"),
        (f"{OF_FOLDER} --out data/sources/own/audit", "lies in data/sources/own, which is read"),
        (f"{OF_FOLDER} --out params.yaml/audit", "--out params.yaml/audit: no folder can be made there"),
        (f"{OF_FOLDER} --out params.yaml", "--out params.yaml: no folder can be made there"),
        (f"{OF_FOLDER} --out /proc/audit", "--out /proc/audit: no folder can be made there"),
        (f"{OF_FOLDER} --queries 0", "--queries 0: expected 1 or more"),
        (f"{OF_FOLDER} --queries -5", "--queries -5: expected 1 or more"),
        (f"{OF_FOLDER} --queries many", "^error: argument --queries: invalid int value: 'many': correct it, see"),
        (f"{OF_FOLDER} --queries 4 --second-backgrounds photos", "--queries swaps none: give one of the two"),
        (f"{OF_FOLDER} --places nowhere.csv", "nowhere.csv: no such file"),
        (f"{OF_FOLDER} --places params.yaml", "params.yaml: its first line is"),
        (f"{OF_FOLDER} --places nowhere.csv --queries 4", "and by --queries some do: give one of the two"),
        (f"{OF_FOLDER} --second-backgrounds backgrounds", "second_backgrounds backgrounds: the first are the same"),
        (f"{OF_FOLDER} --second-backgrounds nowhere", "nowhere is no folder"),
        (f"{OF_FOLDER} --second-backgrounds paper", "paper: 0 pictures, at least 4"),
        (f"{OF_FOLDER} --second-backgrounds photos --quick", "photos: --quick measures on one pool"),
        (f"audit --dataset demo {OPTIONS} --second-backgrounds test", "test: the first pool of demo is the same"),
        (f"audit --dataset demo {OPTIONS} --second-backgrounds tset", "tset is no folder"),
        ("compare audits/none audits/own", "audits/none/queries.csv: no such file"),
        ("compare params.yaml audits/own", "params.yaml/queries.csv: no such file"),
        ("remedies --dataset demo --embedder x: --out metrics/r.json", "unknown scheme 'x'"),
        ("remedies --dataset dmeo --embedder small_resnet --out metrics/r.json", "unknown dataset 'dmeo'"),
        ("remedies --dataset demo --embedder small_resnet", "required: --out"),
        ("leaderboard_rows demo hog", "unknown row 'hog'; known are none"),
        ("leaderboard demo", "unknown dataset of leaderboard 'demo'; known are none"),
        ("leaderboard shop --audits audits/none", "audits/none/audit.json: no such file"),
        ("leaderboard shop --audits audits/own audits/own", "'own', 'own'.: name each once"),
        ("leaderboard ../shop --audits audits/own", "leaderboard.../shop: name it with letters"),
        ("remedies --embedder small_resnet --out metrics/r.json", "give --photos DIR with its options, or --dataset"),
        ("remedies --photos nowhere --embedder small_resnet --out metrics/r.json", "nowhere is no folder"),
        ("remedies --photos a --masks b --mask-method given --embedder x: --out m/r.json", "give one of the two"),
        ("remedies --photos a --embedder small_resnet --out params.yaml/r.json", "params.yaml: no folder can be made"),
        ("remedies --dataset demo --embedder small_resnet --out r.json --finder paper", "paper: no finder here"),
        ("finder demo base 42 --out finders/a", "regime_settings.base has no finder"),
        ("finder demo early_masking 42", "required: --out"),
        ("finder demo early_masking 42 --out paper", "paper: something else than a finder lies there, and would be"),
        ("finder demo early_masking 42 --out params.yaml", "params.yaml: something else than a finder lies there"),
        ("export --model models/none --out net.onnx", "models/none: no model here"),
        ("export --model models/demo/base/42", "required: --out"),
        ("moves --embedder baseline:hg --out metrics/m.json", "unknown baseline 'hg'"),
        ("mask_quality --labels nowhere --out metrics/q.json", "nowhere is not a folder"),
        ("mask_quality --labels paper --out metrics/q.json", "paper: no NAME_image"),
        ("mask_quality --labels paper --out metrics/q.json --grabcut-px 0", "grabcut_px: .*greater than or equal to 1"),
        ("mask_quality --labels paper --out metrics/q.json --grabcut-px 99999", "grabcut_px: .*4096"),
        ("mask_quality --labels paper --out metrics/q.json --grabcut-px x", "invalid int value: 'x'"),
        ("study_tables --results nowhere.json", "nowhere.json: no such file"),
        ("study_tables --results paper", "paper: no such file"),
        ("study_tables --published nowhere", "nowhere/table1_map_at_r.csv: no such file"),
        ("study_tables --out params.yaml", "params.yaml"),
        ("figure2 demo --images 9999 --models models/demo/base/42", "demo has no image_id 9999"),
        ("figure2 demo --images -1 --models models/demo/base/42", "demo has no image_id -1|expected at least one"),
        ("figure2 demo --images 1 --models models/none", "models/none: no model here"),
        ("figure2 demo --images one --models models/demo/base/42", "invalid int value: 'one'"),
        ("figure2 demo --images 1", "required: --models"),
        ("figure2 demo --images 1 --models models/demo/base/42 ./models/demo/base/42", "--models .*: name each once"),
        ("gather", "required: prefix"),
    ],
)
def test_options(refuses, command, words):
    refuses(command, words, valid=False)


@pytest.mark.parametrize(
    ("command", "words", "spoils"),
    [
        ("raw dmeo", "unknown dataset 'dmeo'", []),
        ("prepare demo", "data/raw/demo does not exist", [("data/raw/demo", remove)]),
        ("masks demo", "data/prepared/demo/images.csv: no such file", [("data/prepared/demo", remove)]),
        ("backgrounds demo", "data.demo.size_px", [("params.yaml", edited("size_px: 32", "size_px: 0"))]),
        ("train demo base 42", "shapes.npy", [("data/masks/demo/packed/shapes.npy", remove)]),
        ("train demo base x", "invalid seed value: 'x'", []),
        (
            "attention demo base 42",
            "weights.safetensors is missing",
            [("models/demo/base/42/weights.safetensors", remove)],
        ),
        ("evaluate demo base", "scores.csv: no such file", [("data/attention/demo/base/42/scores.csv", remove)]),
        ("study_tables", "results.json: no such file", [("paper/results.json", remove)]),
        (OF_FOLDER, "unknown scheme 'modell'", []),
        ("remedies --dataset demo --embedder onnx:gone.onnx --out metrics/r.json", "gone.onnx: no such file", []),
    ],
)
def test_processes_of_their_own(refuses, small, command, words, spoils):
    small.passes(*OF_FOLDER.split())
    command = command.replace("model:", "modell:") if command == OF_FOLDER else command
    refuses(command, words, *spoils, valid=False, alone=True)
