"""The metrics that report and summary read."""

import pytest
from spoils import BROKEN, content, edited, figures

pytestmark = pytest.mark.slow


def inside(*keys: str, value: object = KeyError):
    """Change, or remove, what stands under some keys."""

    def change(found: dict) -> None:
        for key in keys[:-1]:
            found = found[key]
        if value is KeyError:
            del found[keys[-1]]
        else:
            found[keys[-1]] = value

    return figures(change)


METRICS = {
    **BROKEN,
    "a list": figures(lambda found: [found]),
    "a number": content("7"),
    "null": content("null"),
    "another dataset": edited('"demo"', '"dome"'),
    "deep": content(5000 * "["),
    "UTF-16": content('{"demo": 1}'.encode("utf-16")),
}
EVALUATED = METRICS | {
    "no views": inside("demo", "base", value={}),
    "a list of views": inside("demo", "base", value=[1]),
    "no clean": inside("demo", "base", "clean"),
    "clean is a number": inside("demo", "base", "clean", value=1),
    "no MAP@R": inside("demo", "base", "swapped", "map_at_r"),
    "text": inside("demo", "base", "clean", "recall_at_1", value="0.5"),
    "null": inside("demo", "base", "clean", "recall_at_1", value=None),
    "a list": inside("demo", "base", "clean", "recall_at_1", value=[1]),
    "NaN": inside("demo", "base", "swapped", "recall_at_1", value=float("nan")),
    "inf": inside("demo", "base", "drop", "map_at_r", value=float("inf")),
    "percent": inside("demo", "base", "new_scene", "recall_at_1", value=56.7),
    "attention in percent": inside("demo", "base", "attention", "clean", "mean", value=18.0),
    "no attention": inside("demo", "base", "attention"),
    "attention without sd": inside("demo", "base", "attention", "clean", "sd"),
    "attention of text": inside("demo", "base", "attention", "clean", "mean", value="x"),
    "no queries": inside("demo", "base", "queries"),
    "queries of text": inside("demo", "base", "queries", value="many"),
    "seeds of text": inside("demo", "base", "seeds", value="1"),
    "no new scene": inside("demo", "base", "new_scene"),
}
MASKED = METRICS | {
    "no masks": inside("demo", "masks"),
    "a number": inside("demo", "masks", value=1),
    "no count": inside("demo", "masks", "masks"),
    "no kind": inside("demo", "masks", "empty"),
    "text": inside("demo", "masks", "empty", value="none"),
    "NaN": inside("demo", "masks", "masks", value=float("nan")),
    "null": inside("demo", "masks", "border", value=None),
}


@pytest.mark.parametrize("how", list(EVALUATED.values()), ids=EVALUATED)
def test_metrics_of_a_regime(refuses, how):
    refuses("report demo", "metrics/evaluate/demo/base.json", ("metrics/evaluate/demo/base.json", how))


@pytest.mark.parametrize("how", list(METRICS.values()), ids=METRICS)
def test_metrics_of_a_regime_in_the_summary(refuses, how):
    refuses("summary demo", "metrics/evaluate/demo/base.json", ("metrics/evaluate/demo/base.json", how))


@pytest.mark.parametrize("how", list(MASKED.values()), ids=MASKED)
def test_metrics_of_masks(refuses, how):
    refuses("report demo", "metrics/masks/demo.json", ("metrics/masks/demo.json", how))
