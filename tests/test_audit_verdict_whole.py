"""The verdict as a whole: what each kind of audit says, in which order; and what the command prints."""

import pytest
from audit_found import FOUND, MANY, changed, r
from test_audit_second_pool import on_second
from test_audit_sensitivity import by_second

from bgbias.audit.verdict import kinds
from bgbias.audit.verdict.sentences import printed, verdict

NEAR = {"pairs": [["a", "b"]], "said": "2 photos are alike.", "clean_without": r(0.5), "drop_without": r(0.1)}
ALL = {"near_duplicates": NEAR} | by_second() | on_second()
BOTH = ["Swapping backgrounds", "Masks of"]
CLEAN, MASKS = ["It remarks", "On the"], ["No mask", "With masks"]
FEW = ["4 queries:", "2 classes:"]
SAMPLE, ONE_POOL = {"sample": {"said": "Audited are 4.", "gallery": 4}}, {"second_backgrounds": None}
FAST = ONE_POOL | {"second_masks": None, "mask_doubt": {"flagged": FOUND["mask_doubt"]["flagged"]}}


@pytest.mark.parametrize(
    ("changes", "without", "beginnings"),
    [
        ({}, "", [*BOTH, "On a", *CLEAN, "2 photos", "Cut out", "Pasted on", "In 20.0", "With the", "Put on",
                  "Its attention", *MASKS, "399 of", *FEW]),
        (SAMPLE | ONE_POOL, "gap", [*BOTH, "Audited are", *CLEAN, "2 photos", "Put on", "Its attention", *MASKS, *FEW]),
        (FAST, "gap worst_of_backgrounds attention", [BOTH[0], *CLEAN, "2 photos", MASKS[0], *FEW, "This audit"]),
        (SAMPLE | FAST, "gap worst_of_backgrounds attention",
         [BOTH[0], "Audited are", *CLEAN, "2 photos", MASKS[0], *FEW, "This audit"]),
        ({"mask_doubt.flagged.empty": ["a"] * 201}, "", ["No conclusion:", *CLEAN, "2 photos", *FEW]),
    ],
)  # fmt: skip
def test_each_kind_of_audit_says_all_that_it_has_measured(changes, without, beginnings):
    found = {name: of for name, of in changed(ALL | changes).items() if name not in without.split()}
    said = verdict(found, MANY.iloc[[0, 40, 1, 41]], 1, 0.023, ["It remarks this."])
    assert [" ".join(sentence.split()[:2]) for sentence in said] == beginnings
    if "This audit" in beginnings:
        assert said[-1] == (kinds.SAMPLE if "sample" in found else kinds.WHOLE).quick


@pytest.mark.parametrize(("grade", "start"), [("B", "Grade B. It keeps most."), (None, "It keeps most.")])
def test_the_command_prints_sentence_grade_verdict_and_numbered_steps(grade, start):
    summary = {"said": "It loses some.", "grade": grade, "graded": "It keeps most."}
    steps = [{"said": "Look.", "commands": []}, {"said": "Do.", "commands": ["mkdir a", "rm b"]}]
    found, first = {"summary": summary, "verdict": ["One.", "Two."]}, ["It loses some.", start, "One.", "Two."]
    one, both = (printed(found | {"advice": advice}) for advice in (steps[:1], steps))
    assert one == [*first, "What to do:", "1. Look."]
    assert both == [*first, "What to do, the cheapest first:", "1. Look.", "2. Do.", "   mkdir a", "   rm b"]
