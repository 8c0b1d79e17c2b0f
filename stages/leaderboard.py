"""Gather the rows of a leaderboard into one table: how much each embedder loses when the background changes.

    python -m stages.leaderboard demo
    python -m stages.leaderboard shop --audits audits/shop_hog audits/shop_net

The first gathers the rows of params.yaml's leaderboard on one of its datasets, which stages.leaderboard_rows has
measured: `dvc repro leaderboard` runs both. The second gathers finished audits of any photos, made with the same masks,
backgrounds and seed; a row is called as its audit's folder. A table of this name with other rows, embedders, photos,
masks or backgrounds, or with places or second masks that the new one lacks, is refused, without --replace; one to which
rows are added is written anew.

Reads   data/leaderboard/NAME, or the audits' folders: audit.json and queries.csv
Writes  metrics/leaderboard/NAME.json (every figure, shares in 0..1, with 95 % intervals),
        plots/leaderboard/NAME/table.md and clean_swapped.png
Takes   2 s and 1 s for each row of 500 photos
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, name: str, audits: list[Path] | None, replace: bool = False) -> None:
    """Read the rows, write the figures, the table and the picture."""
    from bgbias import files
    from bgbias.config.values import refuse_odd_names, refuse_twice
    from bgbias.errors import InputError, refuse_unknown
    from bgbias.leaderboard import rows, shown
    from bgbias.report import figures, tables

    if audits:
        names = [audit.name for audit in audits]
        refuse_odd_names("leaderboard", [name, *names])
        refuse_twice("--audits: folders' names", names)
        if name in settings.leaderboard.datasets:
            raise InputError(f"{name}: params.yaml has a leaderboard of this name: choose another")
        folders = {audit.name: audit for audit in audits}
    else:
        refuse_unknown("dataset of leaderboard", [name], settings.leaderboard.datasets)
        folders = {row: Path("data/leaderboard") / name / row for row in settings.leaderboard.embedders}
        rows.refuse_changed(folders, settings.leaderboard.embedders, name)
    found = rows.board(folders, settings.seed)
    out = Path("metrics/leaderboard") / f"{name}.json"
    if audits and not replace:
        rows.refuse_to_lose(out, name, found)
    text = f"{tables.markdown(shown.table(found))}\n\n{shown.notes(found)}\n"
    files.write_json(out, {name: {"leaderboard": found}})
    files.write_text(Path("plots/leaderboard") / name / "table.md", text)
    figures.save(Path("plots/leaderboard") / name / "clean_swapped.png", shown.clean_against_swapped(found))
    print(text)


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        "name",
        audits={"type": Path, "nargs": "+", "help": "folders of audits, the first to compare with", "metavar": "DIR"},
        replace={"action": "store_true", "help": "with --audits, lose another table of this name"},
    )
