"""Compare swaps with real moves, on the demo: what does a swap cost beyond another room?

    python -m stages.moves --embedder model:models/demo/base/42 --out metrics/studies/moves/base_42.json

Nothing but a renderer can move an object. Each test photo is rendered again with its object in three rooms that no
photo shows, seen from the same place, in the same light. By its mask, the object of the photo is also put before the
same parts of the same rooms. What that costs beyond the move is owed to the swap, not to the room.

Reads   data/raw/demo
Writes  FILE.json: Recall@1 and MAP@R of the photos, of moved and of swapped objects, queries and gallery alike; both
        drops, and by how much the swap's is larger (beyond), with 95 % intervals; prints the drops, after what was
        guessed of the model, and how many of the photos it was trained on
Takes   1 min for 480 photos and a small network, on one core
"""

from pathlib import Path

from bgbias import external
from bgbias.command import cli
from bgbias.config import params

ROOMS = 3  # of each photo


def main(settings: params.Params, embedder: str, out: Path, sheet: Path | None = None) -> None:
    """Render, embed and search, write the figures and print them."""
    from bgbias import files, moves, seeding
    from bgbias.audit.verdict.wording import aside, interval, points
    from bgbias.errors import printable
    from bgbias.external import spec
    from bgbias.report import figures

    seeding.deterministic(settings.threads)
    model = spec.load(embedder)
    raw = Path("data/raw/demo")
    made = moves.moves(raw, settings.data["demo"], ROOMS)
    found = moves.measured(model, made, settings.seed)
    remarks = moves.remarks(model, made, raw, settings.seed)
    files.write_json(out, {"embedder": embedder, "photos": len(made.labels), "rooms": ROOMS} | found)
    if sheet:
        figures.save(sheet, moves.sheet(made))
    move, swap, beyond = (found[name]["recall_at_1"] for name in ("drop_moved", "drop_swapped", "beyond"))
    further, within = aside(beyond, "more", "fewer")
    said = (
        f"{embedder}: in other rooms photos lose {points(move)} of Recall@1 ({interval(move)}) where objects are moved "
        f"there, {points(swap)} ({interval(swap)}) where they are swapped: {further} ({within})."
    )
    print(*map(printable, [*remarks, said]), sep="\n")


if __name__ == "__main__":
    cli.run(
        main,
        f"{__doc__}\n{external.__doc__.partition(chr(10))[2].strip(chr(10))}",
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "where the figures go", "metavar": "FILE.json"},
        sheet={"type": Path, "help": "also draw some photos, moved and swapped", "metavar": "FILE.png"},
    )
