"""Tables in documents: each stands between two marks, the first of which says what it is made from.

    <!-- table: scores metrics/studies/demo_three_seeds.json views=clean,swapped -->
    ...
    <!-- end -->

The first word is the kind of table (KINDS), then come files, options last.
"""

import re
from pathlib import Path

from bgbias.documents import results, speed, studies
from bgbias.errors import InputError, refuse, refuse_unknown
from bgbias.report import tables

KINDS = {
    kind.__name__: kind
    for kind in (
        studies.scores, studies.differences, studies.arrows, studies.won, studies.attention,
        results.audits, results.by_masks, results.board, results.quality, results.remedies, results.markdown,
        results.rows, results.csv,
        speed.benchmark, speed.pipeline,
    )
}  # fmt: skip
MARK = "<!-- table: "
BLOCK = re.compile(rf"({MARK}([^\n]*?) -->\n)(?:(?!{MARK}).)*?(<!-- end -->)", re.S)


def filled(text: str, root: Path = Path()) -> str:
    """Return a document with all its tables written anew.

    Args:
        text: Markdown.
        root: the folder that the files of the marks are relative to.

    Raises:
        FileNotFoundError: a file that a mark names is missing.
        ValueError: a mark names an unknown kind or option, or has no end; a file holds something else than its table
            needs.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.csv").write_text("weight,swapped\\n2,75.3\\n")
    ...     print(filled("<!-- table: csv a.csv -->\\n\\nold\\n\\n<!-- end -->", Path(folder)))
    <!-- table: csv a.csv -->
    <BLANKLINE>
    | weight   |   swapped |
    |:---------|----------:|
    | 2        |      75.3 |
    <BLANKLINE>
    <!-- end -->
    """
    closed = {found.start() for found in BLOCK.finditer(text)}
    open_ = [
        text[found.start() :].partition("\n")[0] for found in re.finditer(MARK, text) if found.start() not in closed
    ]
    refuse(open_, "no <!-- end --> follows, before the next table, on")
    return BLOCK.sub(lambda found: f"{found[1]}\n{table(found[2], root)}\n\n{found[3]}", text)


def table(mark: str, root: Path = Path()) -> str:
    """Return the table that a mark asks for, in Markdown."""
    kind, *words = mark.split()
    refuse_unknown("kind of table", [kind], KINDS)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    paths = [root / word for word in words if "=" not in word]
    try:
        cells = KINDS[kind](*paths, **options)
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"table '{mark}': there is no {error} in its files: correct the mark, or the files") from error
    except (TypeError, ValueError, IndexError) as error:
        raise InputError(f"table '{mark}': {error}: correct the mark, or the files") from error
    return tables.markdown(cells, left=1 + ("loss" in cells and "regime" in cells))
