"""Two tables of the same queries, compared query by query."""

import numpy as np
import pandas as pd
import pytest

from bgbias.metrics import paired, seeds
from bgbias.metrics.bootstrap import estimate
from bgbias.report import comparison
from bgbias.seeding import generator

CLASSES, PHOTOS = 12, 5


def queries(seed=0, **columns):
    """A table of queries, hits at random."""
    rng = np.random.default_rng(seed)
    names = [f"class {kind}" for kind in range(CLASSES) for _ in range(PHOTOS)]
    hits = pd.Series(rng.random(len(names)) < 0.5, dtype=float)
    table = pd.DataFrame({"class": names, "recall_at_1_clean": hits})
    table.index = [f"{name}/{number}.jpg" for number, name in enumerate(names)]
    return table.assign(**columns)


def drops(first, second):
    """Two tables whose drops are these, and the clean and swapped scores that go with them."""
    return [queries(recall_at_1_clean=0.9, recall_at_1_swapped=0.9 - drop, recall_at_1_drop=drop)
            for drop in (first, second)]  # fmt: skip


def test_the_difference_is_that_of_the_means_and_its_interval_is_paired():
    first, second = queries(0), queries(1)
    row = paired.compare(first, second, 7).loc["recall_at_1_clean"]
    less = second.recall_at_1_clean - first.recall_at_1_clean
    expected = estimate(less.to_numpy(), first["class"].to_numpy(), generator(7, "comparison"))
    assert row["first"] == first.recall_at_1_clean.mean() and row.second == second.recall_at_1_clean.mean()
    assert (row.difference, row.low, row.high) == expected[:3] and row.difference == pytest.approx(less.mean())
    assert (row.queries, row.classes) == (CLASSES * PHOTOS, CLASSES)


def test_a_gain_that_all_queries_share_has_no_width():
    first = queries(0)
    row = paired.compare(first, first.assign(recall_at_1_clean=first.recall_at_1_clean + 0.1), 0).iloc[0]
    assert (row.low, row.high) == pytest.approx((0.1, 0.1))


def test_tables_of_several_seeds_are_averaged_query_by_query():
    """By hand: means 0.25 and 0.75 of the queries that all have, variance 1/8, over two seeds 1/16."""
    one, other = queries(recall_at_1_clean=0.25), queries(recall_at_1_clean=0.75).iloc[::-1]
    one.iloc[-1, 1], other.loc[one.index[-1], "recall_at_1_clean"] = 1.0, np.nan
    mean, spreads = paired.over_seeds([one, other], ["42", "43"])
    assert mean.recall_at_1_clean.iloc[:-1].eq(0.5).all() and np.isnan(mean.recall_at_1_clean.iloc[-1])
    assert list(mean.index) == list(one.index) and (mean["class"] == one["class"]).all()
    assert spreads["recall_at_1_clean"] == (pytest.approx(1 / 16), 1)
    same, none = paired.over_seeds([one], ["42"])
    assert none == {} and paired.compare(one, same, 0).difference.eq(0).all()


def test_seeds_of_other_photos_are_not_averaged():
    one = queries(0)
    with pytest.raises(ValueError, match="42 and 43 are of different photos"):
        paired.over_seeds([one, queries(1).iloc[1:]], ["42", "43"])


def test_the_spread_of_seeds_widens_the_interval():
    first, second = queries(0), queries(1)
    as_trained = paired.compare(first, second, 7).iloc[0]
    spreads = [{"recall_at_1_clean": seeds.spread(sd, 3)} for sd in (0.02, 0.05)]
    row = paired.compare(first, second, 7, spreads=spreads).iloc[0]
    moved = [one["recall_at_1_clean"] for one in spreads]
    assert (row.low, row.high) == seeds.widened(*as_trained[["difference", "low", "high"]], moved)
    assert row.low < as_trained.low and row.high > as_trained.high and row.difference == as_trained.difference


def test_the_order_of_the_rows_is_nothing():
    first, second = queries(0), queries(1)
    assert paired.compare(first, second.iloc[::-1], 0).equals(paired.compare(first, second, 0))


def test_only_queries_that_both_define_count():
    first, second = queries(0), queries(1)
    first.iloc[:PHOTOS, 1] = np.nan  # a class
    second.iloc[-1, 1] = np.nan
    row = paired.compare(first, second, 0).iloc[0]
    assert (row.queries, row.classes) == (CLASSES * PHOTOS - PHOTOS - 1, CLASSES - 1)
    assert row["first"] == first.recall_at_1_clean.iloc[PHOTOS:-1].mean()
    assert row.second - row["first"] == pytest.approx(row.difference)


def test_what_is_never_defined_is_said_not_to_be():
    first = queries(0, invariance=np.nan)
    found = paired.compare(first, queries(1, invariance=0.2), 0)
    assert found.loc["invariance", "queries"] == 0
    assert list(comparison.written(found).iloc[1])[1:] == ["not defined", "not defined", "not defined", "0", "0"]


def test_the_table_is_in_percent_but_for_what_is_no_share():
    first = queries(recall_at_1_clean=0.5, invariance=0.2, attention_score_clean=-0.001)
    second = queries(recall_at_1_clean=0.75, invariance=-0.1, attention_score_clean=0.3)
    found = comparison.written(paired.compare(first, second, 0), ["base", "new"])
    assert list(found.columns) == ["measure", "A: base", "B: new", "B - A (95 % interval)", "queries", "classes"]
    assert list(found.iloc[0]) == ["Recall@1 clean", "50.0", "75.0", "25.0 (25.0 to 25.0)", "60", "12"]
    assert list(found.iloc[1])[1:4] == ["0.20", "-0.10", "-0.30 (-0.30 to -0.30)"]
    assert list(found.iloc[2])[:4] == ["attention score clean", "0.00", "0.30", "0.30 (0.30 to 0.30)"]


def test_an_end_that_is_almost_0_tells_its_side():
    row = pd.Series({"first": 0.5, "second": 0.52, "difference": 0.02, "low": 0.0003, "high": 0.04})
    rows = pd.DataFrame([row, -row], ["recall_at_1_swapped", "invariance"]).assign(queries=9, classes=3)
    cells = comparison.written(rows)["B - A (95 % interval)"]
    assert cells.tolist() == ["2.0 (0.03 to 4.0)", "-0.02 (-0.0003 to -0.04)"]


def test_in_words_it_is_said_who_loses_less():
    found = paired.compare(*drops(0.6, 0.1), 0)
    assert comparison.sentences(found, ["base", "new"]) == [
        "new loses 50.0 points of Recall@1 less to swapped backgrounds than base "
        "(95 % interval 50.0 to 50.0); 60 queries.",
        "On clean photos its Recall@1 is the same.",
        "On swapped photos its Recall@1 is 50.0 points higher (95 % interval 50.0 to 50.0).",
    ]
    assert "new loses 50.0 points of Recall@1 more" in comparison.sentences(
        paired.compare(*drops(0.1, 0.6), 0), ["base", "new"]
    )[0]  # fmt: skip


def test_that_the_words_are_of_the_first_masks_and_pool_is_said_with_the_drop_by_the_second():
    first, new = drops(0.6, 0.1)
    by_second = {"recall_at_1_drop_second": 0.2, "recall_at_1_drop_pool": np.nan}  # no second pool
    found = paired.compare(first.assign(**by_second), new.assign(**by_second | {"recall_at_1_drop_second": 0.3}), 0)
    *said, of_second = comparison.sentences(found, ["base", "new"])
    assert said == comparison.sentences(paired.compare(first, new, 0), ["base", "new"])
    assert of_second == (
        "Swapped photos are here by the first masks; by the second new loses 10.0 points more than base (95 % interval "
        "10.0 to 10.0)."
    )
    by_second = {"recall_at_1_drop_pool": first.recall_at_1_drop}
    *_, of_pool = comparison.sentences(paired.compare(first.assign(**by_second), new.assign(**by_second), 0), "ab")
    assert of_pool.startswith(
        "Swapped photos are here on the first backgrounds; on the second b loses 0.0 points less than a"
    )


def test_a_difference_whose_interval_holds_zero_is_not_shown():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, CLASSES * PHOTOS)
    (said, *_) = comparison.sentences(paired.compare(*drops(0.3, 0.3 + noise), 0), ["base", "new"])
    assert ": not shown to differ); 60 queries." in said


def test_the_interval_is_turned_where_less_is_said_and_an_end_at_zero_shows_nothing():
    found = {"drop": (-0.1, -0.3, 0.0), "clean": (0.0, -0.02, 0.01), "swapped": (0.05, np.nan, np.nan)}
    columns = ["difference", "low", "high"]
    table = pd.DataFrame.from_dict({f"recall_at_1_{name}": of for name, of in found.items()}, "index", columns=columns)
    assert comparison.sentences(table.assign(queries=60, classes=12), ["base", "new"]) == [
        "new loses 10.0 points of Recall@1 less to swapped backgrounds than base (95 % interval 0.0 to 30.0: not shown "
        "to differ); 60 queries.",
        "On clean photos its Recall@1 is 0.0 points lower (95 % interval -1.0 to 2.0: not shown to differ).",
        "On swapped photos its Recall@1 is 5.0 points higher (no interval: not shown to differ).",
    ]


def test_a_cell_has_no_interval_of_one_class_and_no_sign_before_zero():
    tables = {name: queries(recall_at_1_clean=hits) for name, hits in (("base", 0.5), ("new", 0.5 - 1e-13))}
    assert comparison.between(tables, ["recall_at_1_clean"], 0, {}).iloc[0, 1] == "+0.0 (0.0 to 0.0)"
    of_one = {name: table.assign(**{"class": "plum"}) for name, table in tables.items()}
    assert comparison.between(of_one, ["recall_at_1_clean"], 0, {}).iloc[0, 1] == "+0.0"


def test_differences_are_those_of_each_regime_from_all_before_it():
    columns = [f"{metric}_{view}" for metric in ("recall_at_1", "map_at_r") for view in ("clean", "swapped")]
    tables = {name: queries(**dict.fromkeys(columns, share))
              for name, share in (("base", 0.25), ("augmented", 0.5), ("paired", 0.375))}  # fmt: skip
    caption, table = comparison.differences(tables, {name: {"seeds": 1} for name in tables}, seed=0)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    headings = ["Recall@1 clean", "Recall@1 swapped", "MAP@R clean", "MAP@R swapped"]
    assert caption.endswith("of the networks as trained: other seeds move them, too.")
    assert rows[0] == ["difference in points", *headings]
    assert rows[2] == ["augmented - base", *["+25.0 (25.0 to 25.0)"] * 4]
    assert [row[0] for row in rows[3:]] == ["paired - base", "paired - augmented"]
    assert rows[4][1] == "-12.5 (-12.5 to -12.5)"


def test_one_regime_differs_from_nothing():
    assert comparison.differences({"base": queries()}, {"base": {"seeds": 1}}, seed=0) == []


def test_differences_of_several_seeds_hold_what_others_would_change():
    """By hand: no class differs, so what is left is Welch's interval, t(4) = 2.776 times the root of 2 x 0.03^2 / 3."""
    measures = [f"{metric}_{view}" for metric in ("recall_at_1", "map_at_r") for view in ("clean", "swapped")]
    tables = {name: queries(**dict.fromkeys(measures, share)) for name, share in (("base", 0.25), ("new", 0.5))}
    view = {"recall_at_1_seeds_sd": 0.03, "map_at_r_seeds_sd": 0.0}
    caption, table = comparison.differences(
        tables, {name: {"seeds": 3, "clean": view, "swapped": view} for name in tables}, 0
    )
    assert caption.endswith("over classes, widened by what other seeds would change, as the 3 here tell it.")
    cells = [cell.strip() for cell in table.splitlines()[2].split("|")[1:-1]]
    assert cells == ["new - base", *["+25.0 (18.2 to 31.8)"] * 2, *["+25.0 (25.0 to 25.0)"] * 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "x and y are of different photos: 59 in common of 60 and 59, class 0/0.jpg only "
         "in x: compare what was measured on the same photos"),
        (lambda table: table.rename(index={"class 0/0.jpg": "new.jpg"}), "59 in common of 60 and 60"),
        (lambda table: pd.concat([table, table[:1].set_axis(["new.jpg"])]), "of 60 and 61, new.jpg only in y"),
        (lambda table: table.assign(**{"class": "plum"}), "class 0/0.jpg in different classes"),
        (lambda table: table.assign(conflict=0.1), "different measures, such as conflict: measure both anew"),
        (lambda table: pd.concat([table, table[:1]]), "y: class 0/0.jpg is there twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        paired.compare(queries(0), change(queries(1)), 0, ["x", "y"])


def test_differences_of_few_classes_are_said_to_conclude_nothing():
    def some(count):
        return [table[table["class"] < f"class {count}"] for table in map(queries, (0, 1))]  # 10 and 11 sort before 2

    few = "4 classes are too few to conclude anything: intervals over so few are too short."
    for count, said in ((2, [few]), (3, [])):  # of 4 classes, and of 5
        tables = dict(zip(("base", "new"), some(count), strict=True))
        tables = {name: table.assign(recall_at_1_swapped=0.5, map_at_r_clean=0.5, map_at_r_swapped=0.5)
                  for name, table in tables.items()}  # fmt: skip
        found = comparison.differences(tables, {"base": {"seeds": 1}, "new": {"seeds": 1}}, 0)
        assert found[:-2] == said
        both = [table.assign(recall_at_1_drop=0.1) for table in tables.values()]
        assert comparison.sentences(paired.compare(*both, 0), ["base", "new"])[: len(said)] == said


def test_measures_that_are_no_shares_are_written_as_they_are():
    names = ("attention_pair_score_clean", "attention_score_clean", "mask_agreement", "conflict")
    both = [queries(**dict.fromkeys(names, 0.25)), queries(**dict.fromkeys(names, 0.5))]
    written = comparison.written(paired.compare(*both, 0)).set_index("measure")
    assert written["A: first"].to_list()[1:] == ["0.25", "0.25", "0.25", "25.0"]
