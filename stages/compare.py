"""Compare two audits of the same photos, query by query.

    python -m stages.compare audits/base audits/bgaugment --out compared.md

What makes a photo hard for both models cancels out, so the intervals of the differences are the ones to judge by, not
whether the intervals in two reports overlap. Audits of other photos, masks, backgrounds or seeds are refused. --allow
masks compares audits by other masks, such as one model's by two kinds, and says which. Where most masks of an audit are
in doubt, that is said first, and only photos as they are are compared.

Networks of several training seeds, an audit each, are averaged where a pattern in quotes names their folders:

    python -m stages.compare 'audits/base_*' 'audits/bgaugment_*'

Intervals then hold what other seeds would change, too, as far as these tell it.

Reads   queries.csv and audit.json in the folders of the audits
Writes  what --out names: what is printed, in Markdown
Takes   2 s for 480 photos
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params

UNITS = (
    "In percent, differences in points; invariance, attention scores and mask agreement are shares. What the rows are: "
    "docs/audit.md, Two audits compared."
)


def main(settings: params.Params, first: Path, second: Path, out: Path | None, allow: str | None = None) -> None:
    """Say in words and in a table how the second differs from the first."""
    from bgbias import errors, files
    from bgbias.audit.measures import comparable, made_alike, queries
    from bgbias.metrics import paired
    from bgbias.metrics.names import METRICS
    from bgbias.report import comparison, tables

    sides, names = [comparable.folders(first), comparable.folders(second)], [str(first), str(second)]
    folders, said = [*sides[0], *sides[1]], []
    if len(folders) > 2:
        errors.refuse(set(sides[0]) & set(sides[1]), "on both sides: correct the patterns")
        said = list(map(comparable.averaged, (first, second), sides))
    read = comparable.tables([queries.read(folder) for folder in folders], folders)
    count = len(sides[0])
    of_sides = [paired.over_seeds(read[:count], sides[0]), paired.over_seeds(read[count:], sides[1])]
    found = paired.compare(*(table for table, _ in of_sides), settings.seed, names, [moved for _, moved in of_sides])
    for side in sides:
        comparable.refuse_no_seeds(side)
        for other in side[1:]:
            made_alike.refuse_unlike(side[0], other)
    said += made_alike.refuse_unlike(sides[0][0], sides[1][0], allow)  # afterwards: other photos have other masks, too
    said += made_alike.drawn_otherwise(folders) + comparable.left_out(folders)
    said += comparable.of_models({str(folder): folder for folder in folders})
    doubts = [f"{folder}: {doubt}" for folder in folders if (doubt := comparable.in_doubt(folder))]
    names, remarks = [tables.plain(name) for name in names], [tables.plain(line) for line in (*doubts, *said)]
    sentences = comparison.sentences(found, names)
    if doubts:
        found, sentences = found.loc[[f"{metric}_clean" for metric in METRICS]], []  # these need no masks
    table = tables.markdown(comparison.written(found[found.queries > 0], names))  # what both measured
    text = "\n".join([*remarks, *sentences, "", table, "", UNITS])
    if out:
        files.write_text(out, text + "\n")
    print(text)


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        "first",
        "second",
        allow={"choices": ["masks"], "help": "what may differ between the two, beside the models"},
        out={"type": Path, "help": "also write it there", "metavar": "FILE.md"},
    )
