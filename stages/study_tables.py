"""The study's tables from a results file, with the published figures beside ours.

    python -m stages.study_tables

Reads   paper/results.json (made by stages.gather), paper/published
Writes  paper/tables: table1 (MAP@R), table1_recall (Recall@1) and table2 (attention score), each as .md and .tex
Takes   a second
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, results: Path, published: Path, out: Path) -> None:
    """Render every table as Markdown and LaTeX."""
    from bgbias import files
    from bgbias.study import results_file, tables

    ours, theirs = results_file.read_results(results), results_file.read_published(published)
    settings_of, remarks = results_file.read_told(results)
    for name, (title, _) in tables.TABLES.items():
        odd = tables.departures(ours, settings_of, theirs, name)
        cells = tables.table(ours, theirs, name).rename(columns={dataset: f"{dataset}†" for dataset in odd}, level=0)
        notes = [*(f"† {one}" for one in odd.values()), *tables.finders(ours, name), *remarks]
        text = "\n\n".join([title, tables.markdown(cells), *notes])
        files.write_text(out / f"{name}.md", f"{text}\n")
        comments = [f"% {one}" for one in [title, *notes]]
        files.write_text(out / f"{name}.tex", "\n".join([*comments, tables.latex(cells), ""]))
        print(f"{text}\n")


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        results={"type": Path, "default": Path("paper/results.json"), "help": "the results file"},
        published={"type": Path, "default": Path("paper/published"), "help": "folder of the published figures"},
        out={"type": Path, "default": Path("paper/tables"), "help": "folder of the tables"},
    )
