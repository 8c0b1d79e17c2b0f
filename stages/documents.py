"""Write the tables of README.md and docs/ anew from the figures that the repository holds.

    python -m stages.documents

Reads   README.md and docs/*.md; the files that their marks `<!-- table: KIND FILE ... -->` name
Writes  what stands between such a mark and the next `<!-- end -->`
Takes   2 s; nothing is measured: `python -m stages.record` keeps what a run has measured
"""

from pathlib import Path

from bgbias.config import cli, params


def main(settings: params.Params) -> None:
    """Fill every document."""
    from bgbias import files
    from bgbias.documents import blocks

    for path in [Path("README.md"), *sorted(Path("docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        if (now := blocks.filled(text)) != text:
            files.write_text(path, now)
            print(f"{path}: tables written")


if __name__ == "__main__":
    cli.run(main, __doc__)
