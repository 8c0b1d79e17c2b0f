"""Write the tables of README.md and docs/ anew from the figures that the repository holds.

    python -m stages.documents

Reads   README.md and docs/*.md; the files that their marks `<!-- table: KIND FILE ... -->` name
Writes  what stands between such a mark and the next `<!-- end -->`
Takes   2 s; nothing is measured: `python -m stages.record` keeps what a run has measured
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params) -> None:
    """Fill every document."""
    from bgbias import files
    from bgbias.documents import blocks
    from bgbias.errors import as_input_error

    for path in [Path("README.md"), *sorted(Path("docs").glob("*.md"))]:
        with as_input_error(f"{path}: its tables cannot be written"):
            text = path.read_text(encoding="utf-8")
            now = blocks.filled(text)
        if now != text:
            files.write_text(path, now)
            print(f"{path}: tables written")


if __name__ == "__main__":
    cli.run(main, __doc__)
