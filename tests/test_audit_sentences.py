"""Whatever verdict and page say of an embedder is true of it: of each sentence is known for whom it holds.

What the embedders see is in the code of `audited_shop`. mixture goes by both, by the background more; leaning by both,
by the object more; doubtful by the object, amid noise; hindered is blind where object and background agree; startled,
where it does not know the background; torn, where something was painted over beside the object.
"""

import re

import pytest

from bgbias.audit.page import charts, measures, view_chart
from bgbias.audit.verdict import swaps

pytestmark = pytest.mark.usefixtures("in_the_shop")
SEES = {
    "object_alone": {"object"},
    "background_alone": {"background"},
    "noise": set(),
    "mixture": {"object", "background"},
}
POOL = r"\(95 % intervals .* by masks, .* by grabcut, 8 classes(, all alike: .*)?; backgrounds: 90 of backgrounds\)"
SWAP = rf"Swapping backgrounds costs [\d.-]+ points of Recall@1 {POOL}"
CLEAN = r"On the photos as they are, the nearest photo is of the right class for .*: "
GAP = r"Pasted on backgrounds of their own class, photos have a Recall@1 that is [\d.]+ points "
TRIALS = rf"In [\d.]+ % of trials {POOL} a photo of another class on the same background comes .*: "
BACK = r"Cut out and put back .*: "
ALONE = r"With the object taken away, a photo still finds its class among the clean ones in .*: "
SEARCHES = r"Of 100 searches, \d+ find the right product"
TRUE_OF = {  # a sentence of the verdict -> of whom it is true
    rf"{SWAP}\. Recall@1 is then [\d.]+ %\.": "mixture leaning startled",
    rf"{SWAP}\. Recall@1 is then [\d.]+ %, which is not shown to be better than guessing\.": "background_alone",
    rf"{SWAP}: no effect is shown\.": "object_alone doubtful torn",
    rf"{SWAP}: no effect is shown\. A model at chance has nothing to lose, so this says nothing about .*": "noise",
    r"With swapped backgrounds .* higher .*: the photos' own backgrounds serve this model worse than .*": "hindered",
    rf"{CLEAN}better than guessing .*": "object_alone background_alone mixture leaning doubtful startled torn",
    rf"{CLEAN}not shown to be better than guessing .*": "noise hindered",
    rf"{BACK}{swaps.NO_COST}\.": "object_alone background_alone mixture leaning startled",
    rf"{BACK}{swaps.NO_COST}, [\d.]+ points at most\.": "noise doubtful hindered",
    rf"{BACK}{swaps.COSTS}, [\d.]+ points at most\.": "torn",
    rf"{GAP}higher .*: the model uses what a background tells of the class\.": "background_alone mixture",
    rf"{GAP}lower .*: the model uses what a background tells of the class, to its harm\.": "hindered",
    rf"{GAP}.*: no effect is shown\.": "object_alone noise doubtful torn",
    rf"{GAP}.*: no effect is shown\. It stays open whether the loss comes from what own .*": "leaning startled",
    rf"{TRIALS}the background outweighs the object .*": "background_alone mixture",
    rf"{TRIALS}neither is shown to outweigh the other .*": "noise",
    rf"{TRIALS}the object outweighs the background .*": "object_alone leaning doubtful hindered startled torn",
    rf"{ALONE}the surroundings tell it the class\.": "background_alone mixture",
    rf"{ALONE}more than guessing only where a silhouette or a box is left to see, .*": "leaning",  # black has no hue
    rf"{ALONE}not shown to be more than guessing\.": "object_alone noise doubtful hindered startled torn",
    r"Put on 4 backgrounds in turn, 100\.0 % .*; on one of them, 100\.0 % on average\.": "object_alone torn",
    r"Put on 4 backgrounds in turn, 0\.0 % of the photos find .*": "background_alone noise mixture",
    r"Put on 4 backgrounds in turn, (?!0\.0 |100\.0 ).*": "leaning doubtful hindered startled",
    r"Its attention score is 1\.00 on clean and 1\.00 on swapped photos, .*": "object_alone hindered",
    r"Its attention score is -[\d.]+ on clean and -[\d.]+ on swapped photos, .*": "background_alone",
    rf"{SEARCHES}; on other backgrounds, \d+ do: it loses most of what it finds\.": "background_alone startled",
    rf"{SEARCHES}; on other backgrounds, \d+ do: it loses some of what it finds, and keeps most\.": "leaning",
    rf"{SEARCHES}; on other backgrounds, \d+ do: it loses a part of what it finds, and .*": "mixture",
    rf"{SEARCHES}; on other backgrounds, \d+ do: no loss is shown, but these .*": "object_alone doubtful torn",
    rf"{SEARCHES}; on other backgrounds, \d+ do: more than on their own\.": "hindered",
    rf"{SEARCHES}: not shown to be better than guessing \(11\)\.": "noise",
    r"Of what it finds beyond guessing, it keeps 100\.0 % .* all alike: up to 31 % of others .*": "object_alone torn",
    r"Of what it finds beyond guessing, it keeps (?!100\.0).*": "background_alone mixture leaning doubtful startled",
    r"No grade: on clean photos it is not shown to find more than guessing\.": "noise hindered",
    r"Show queries and gallery as objects alone on grey, .*": "mixture leaning",
    r"Measure what other remedies recover on these photos, .*": "background_alone mixture leaning startled",
    r"Train with random backgrounds behind the objects .*": "background_alone mixture leaning startled",
    r"Audit more photos, for a loss of up to .* points is not excluded\.": "object_alone doubtful torn",
    r"First see that the model finds the classes on clean photos: .*": "noise hindered",
}
OF_THE_PHOTOS = (
    "90 of the 90 backgrounds of backgrounds are of one colour each: |"
    "No mask is in doubt|With masks 1 px smaller|48 queries: |8 classes: |Its attention score is |48 of 48 |"
    "Masks of two kinds, masks and grabcut, agree with an IoU of 1.00 on average, of less than 0.50 for 0 % of 48 |"
    "The embeddings that the model gives have lengths from "
)


@pytest.mark.parametrize("name", sorted({name for of in TRUE_OF.values() for name in of.split()}))
def test_every_sentence_of_the_verdict_is_true_of_its_embedder(audits, name):
    summary, advice = audits[name]["summary"], [step["said"] for step in audits[name]["advice"]]
    said = [summary["said"], summary["graded"], *audits[name]["verdict"], *advice]
    for sentence in said:
        claims = [of for claim, of in TRUE_OF.items() if re.fullmatch(claim, sentence)]
        assert [name in of.split() for of in claims] == [True] or re.match(OF_THE_PHOTOS, sentence), sentence
    for claim, of in TRUE_OF.items():
        assert any(re.fullmatch(claim, sentence) for sentence in said) == (name in of.split()), claim


def finds(*of):
    """Beat guessing if and only if the embedder sees one of these."""
    return lambda values, lows, chance, sees: {low > chance for low in lows} == {bool(sees & set(of))}


def is_then(*, object_alone, background_alone, noise, mixture):
    """Have values within these ends."""
    ends = {"object": object_alone, "background": background_alone, "": noise, "background object": mixture}

    def check(values, lows, chance, sees):
        low, high = ends[" ".join(sorted(sees))]
        return all(low <= value <= high for value in values)

    return check


TRUE_OF_FIGURES = {  # a note of the page's charts of views and single measures -> whether it is true of the rows
    "Found by the object, by the background, or by both.": finds("object", "background"),
    "High is good: found by the object.": finds("object"),
    "High is good: found by the object, against its background.": is_then(
        object_alone=(1, 1), background_alone=(0, 0), noise=(0, 0.25), mixture=(0, 0.99)
    ),
    view_chart.LEFT: lambda values, lows, chance, sees: sees or max(lows) < chance,
    "High is bad where nothing of the object is left.": lambda values, lows, chance, sees: (
        (lows[-1] > chance) == ("background" in sees)
    ),
    "Points that backgrounds of the right class add, over random ones. 0: what they tell changes nothing.": is_then(
        object_alone=(0, 0), background_alone=(0.3, 1), noise=(-0.1, 0.1), mixture=(0.3, 1)
    ),
    "How often the same background outweighs the same class. 0 is best.": is_then(
        object_alone=(0, 0), background_alone=(1, 1), noise=(0.45, 0.55), mixture=(0.6, 1)
    ),
    "High is good. What lies between the two is lost to some of the backgrounds.": lambda values, lows, chance, sees: (
        (values[0] > values[1]) == (sees != {"object"}) and (lows[0] > chance) == (sees == {"object"})
    ),
    "Points that they gain over swapped photos. Above 0, it helps to show them so.": is_then(
        object_alone=(0, 0), background_alone=(-0.2, 0.2), noise=(-0.1, 0.1), mixture=(0.3, 1)
    ),
    "Points that photos lose, cut out and put back. Before other backgrounds, objects fit worse.": is_then(
        object_alone=(0, 0), background_alone=(0, 0), noise=(-0.25, 0.25), mixture=(0, 0)
    ),
    "1: the background does nothing. 0: a swap is like another photo.": is_then(
        object_alone=(0.999, 1), background_alone=(-0.05, 0.05), noise=(-0.05, 0.05), mixture=(0.1, 0.9)
    ),
}


@pytest.mark.parametrize("name", SEES)
def test_every_note_of_the_page_is_true_of_its_embedder(audits, name, monkeypatch):
    groups = []
    monkeypatch.setattr(charts, "chart", lambda caption, drawn, *headings: groups.extend(drawn))
    view_chart.chart(audits[name])
    measures.single(audits[name])
    assert {group.note for group in groups} == set(TRUE_OF_FIGURES)
    for group in groups:
        if "High is" in group.note:
            assert group.kind == group.note.partition("High is ")[2].split()[0].strip(".:")
        elif "High" in group.note or "Found" in group.note:  # by itself neither good nor bad
            assert group.kind == "open"
        values, lows = ([line.estimate[end] for line in group.lines] for end in ("value", "low"))
        assert TRUE_OF_FIGURES[group.note](values, lows, group.scale.mark, SEES[name]), (group.title, values)


@pytest.mark.parametrize("name", SEES)
def test_where_queries_and_gallery_are_swapped_only_the_object_can_help(audits, name):
    swapped, chance = audits[name]["matrix"]["swapped"]["swapped"], audits[name]["chance"]["recall_at_1"]
    assert measures.CELLS["swapped", "swapped"] == "only the object can help"
    assert (swapped["recall_at_1"]["low"] > chance) == ("object" in SEES[name])
