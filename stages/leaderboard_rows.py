"""Measure one embedder of the leaderboard on the test photos of one dataset.

    python -m stages.leaderboard_rows demo hog

Rows and datasets are those of params.yaml's leaderboard. A row is an audit without its page: same views, same measures,
same seed. DVC looks at photos, masks, backgrounds and settings; `stages.leaderboard` refuses rows whose embedders have
changed since.

Reads   the embedder (see below); data/prepared/DATASET, data/masks/DATASET/packed, data/backgrounds/DATASET
Writes  data/leaderboard/DATASET/ROW: audit.json and queries.csv, as `python -m stages.audit` does, and for
        `python -m stages.compare` likewise. And .cache, see there
        prints what an audit says of the photos and of the model: what was guessed of it, what it was trained on
Takes   as long as an audit, and says it first: the demo with a baseline 40 s of one core
"""

from pathlib import Path

from bgbias import external
from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, dataset: str, row: str) -> None:
    """Embed all views, measure them, write the figures query by query."""
    from bgbias import files, seeding
    from bgbias.audit.shared import (
        Measures,
        answers,
        embeddings,
        explained,
        known_photos,
        looked_at,
        places,
        queries,
        sources,
    )
    from bgbias.cache import Cache
    from bgbias.errors import printable, refuse_unknown
    from bgbias.external import spec
    from bgbias.leaderboard.rows import contents

    board = settings.leaderboard
    refuse_unknown("dataset of leaderboard", [dataset], board.datasets)
    seeding.deterministic(settings.threads)
    options, cache, model = board.datasets[dataset], Cache(files.root() / ".cache"), spec.load(board.embedders[row])
    opened = sources.of_dataset(dataset, settings, model.input_px, cache, options.second_masks)
    listed = [Path(options.places)] if options.places else []
    for file in listed:
        opened = places.placed(opened, places.read(file), file)
    pictures, described, remarks = opened
    explains = model.differentiable and not options.no_attention
    fast, raw = answers.fastest(model, pictures), files.root() / "data/raw" / dataset
    normalised, guessed = looked_at(model, fast, pictures.table, pictures.photo, settings.seed)
    about_photos = remarks[1:]  # the first says that the figures are the report's
    known = known_photos.remark(model, raw, pictures.table.path)
    for sentence in [*about_photos, *guessed, *known]:
        print(printable(f"{dataset}, {row}: {sentence}"), flush=True)
    embedded = embeddings.embed(fast, pictures, cache)
    measures = Measures(pictures, embedded)
    told = {
        "embedder": board.embedders[row],
        "embedder_files": contents([*model.files, *listed]),
        "normalisation": normalised,
    }
    told |= {"known_photos": " ".join(known), "finder": model.card.finder is not None, "input_px": model.input_px}
    found = told | described | measures.all()
    explainer = explained.Explainer(model, pictures, embedded, settings.attention, cache) if explains else None
    found["attention"] = explainer.scores() if explainer else None
    columns = measures.columns() | explained.columns(explainer, len(pictures.table))
    with files.whole_folder(Path("data/leaderboard") / dataset / row) as partial:
        files.write_json(partial / "audit.json", found)
        queries.write(partial, pictures.table, columns)


if __name__ == "__main__":
    cli.run(main, f"{__doc__}\n{external.__doc__.partition(chr(10))[2].strip(chr(10))}", "dataset", "row")
