"""What helps an embedder that relies on the background, without training it again? On photos as audits see them.

    python -m stages.remedies --photos ~/shop/photos --embedder onnx:net.onnx --out audits/shop/remedies.json

DIR of photos, masks and backgrounds are as for `python -m stages.audit`: the same photos at the embedder's size, masks
and swaps, and what an audit has embedded comes from the same .cache. What is learnt from embeddings needs a photos.csv
with the splits train and val beside test; without, remedies of pictures alone are measured, and none is chosen.
Where photos.csv names roles, queries search the gallery alone, and both are cut out: swapped are the queries, and the
gallery, as it is, is shown as the remedy says.
--dataset demo measures on the test photos of a dataset of the pipeline instead, with its masks, backgrounds and splits.

--places FILE.csv says where photos were taken, as for audits: does a remedy find more of a class in other places? Of
validation photos it may say so, too; then a remedy is chosen for that.

Every entry of params.yaml's remedies is a DVC stage of this script, which DVC runs each time, as audits.

Reads   the photos; the embedder (see below); masks and backgrounds, where folders of them are given; of a dataset
        data/prepared/NAME, data/masks/NAME/packed, data/backgrounds/NAME
Writes  FILE.json: for each remedy clean and swapped Recall@1 and MAP@R of the test photos, and how much of the drop it
        recovers, shares in 0..1, with 95 % intervals; which one validation chooses; near_duplicates, how many photos
        are (queries: have one in the gallery), where some are; with places Recall@1 in the own place and elsewhere,
        and what is won there, and which remedy validation chooses for that. Where most masks of a split are in
        doubt, nothing.
        And .cache, as audits do.
        --save FILE.safetensors: `directions` (P, D) and `matrix` (D, D), for removed and whitened of
        bgbias.remedies.projection
Takes   the demo 40 s, grocery 2 min 30 s of one core: each photo of each view is embedded in 27 ways, once
"""

from pathlib import Path

from bgbias import external
from bgbias.command import cli
from bgbias.config import audits, params

BEST_CASE = (
    "Swapped photos are composed by the masks that remedies use, a best case. By masks of new queries expect to lose "
    "what dilated and eroded ones lose."
)
LEGEND = (
    "In percent; ±: standard deviation over draws of backgrounds; recovered: the share of what swapping costs as is, "
    "with its 95 % interval; empty where other draws of these classes may lose nothing. docs/remedies.md says what "
    "each remedy does."
)
CHOSEN = (
    "removed: {removed} of {dimensions} dimensions. Chosen by validation: {chosen}, by the mean of MAP@R on clean and "
    "on swapped photos of the split val, the last column."
)
ELSEWHERE = (
    "By places: Recall@1 in percent of photos as they are among photos of their class of the own place, then as many "
    "of others; won: in points, with its 95 % interval. docs/places.md says how."
)
CHOSEN_ELSEWHERE = "Chosen by validation for other places: {chosen_elsewhere}, by the last column."
WITH_DOUBLES = "All figures hold them: clean Recall@1, what swapping costs, and what is recovered of that."


def main(
    settings: params.Params,
    embedder: str,
    out: Path,
    dataset: str | None = None,
    save: Path | None = None,
    finder: Path | None = None,
    places: Path | None = None,
    **given: str | None,
) -> None:
    """Learn on training classes, choose on validation, measure on test."""
    from safetensors.torch import save_file

    from bgbias import files, seeding
    from bgbias.audit.shared import (
        answers,
        doubts,
        finders,
        known_photos,
        looked_at,
        measured_on,
        remedied,
        sources,
        tables,
    )
    from bgbias.audit.shared import places as where
    from bgbias.cache import Cache
    from bgbias.config.read import check
    from bgbias.errors import InputError, printable
    from bgbias.external import spec
    from bgbias.remedies import recovery
    from bgbias.report.tables import markdown

    seeding.deterministic(settings.threads)
    given = audits.given(dataset, given)
    taken_at = where.read(places) if places else None
    checked = given | {"embedder": embedder, "second_masks": "none"}
    options = None if dataset else check(checked, params.Audit, "options")
    sources.try_folder(out.parent, options)
    found_by = finders.load(finder) if finder else None
    cache, model = Cache(files.root() / ".cache"), spec.load(embedder)
    if dataset:
        splits = measured_on.of_dataset(dataset, settings, model.input_px, cache)
    else:
        splits = measured_on.of_folder(options, model.input_px, settings.seed, cache)
    splits = measured_on.placed(splits, taken_at, places) if places else splits
    folder = files.root() / "data/raw" / dataset if dataset else Path(options.photos)
    known = known_photos.remark(model, folder, splits.tested.table.path, mend=not dataset)
    tested = splits.tested
    if save and not splits.learning:
        raise InputError(
            f"--save {save}: photos.csv names no splits train and val to learn from: add them, or leave it"
        )
    gallery = tested.gallery and tested.gallery.size
    remarks = [*splits.remarks, *known, *measured_on.doubtful(splits), *measured_on.few(splits)]
    doubles, mirrored = doubts.said_of_alike(tested), doubts.said_of_mirrored(tested)
    remarks += [f"{said} {WITH_DOUBLES}" for said in (doubles, mirrored) if said]
    print("\n".join(map(printable, remarks)), flush=True)
    fast = answers.fastest(model, tested)
    for sentence in looked_at(model, fast, tested.table, tested.photo, settings.seed)[1]:
        print(printable(sentence), flush=True)
    measured, learnt = remedied.measure(fast, splits, cache, found_by)
    described = recovery.described(measured, learnt) | {"embedder": embedder}
    described |= {"dataset": dataset} if dataset else {"photos": given["photos"]}
    described |= {"gallery": gallery} if gallery else {}
    described |= {"near_duplicates": doubts.alike(tested)} if doubles else {}
    described |= {"places": where.mark(tested.places)} if places else {}
    described["empty_masks"] = recovery.empty_masks(tested.photos, tested.image_ids)
    files.write_json(out, {out.stem: {"remedies": measured, **described}})
    if save:
        with files.whole_file(save) as partial:
            save_file({"directions": learnt.directions.contiguous(), "matrix": learnt.matrix.contiguous()}, partial)
    print(f"{markdown(tables.recovered(measured))}\n\n{LEGEND}\n\n{BEST_CASE}")
    if learnt:
        print(f"\n{CHOSEN.format(**described)}")
    if places:
        print(f"\n{markdown(tables.elsewhere(measured))}\n\n{ELSEWHERE}")
        if "chosen_elsewhere" in described:
            print(f"\n{CHOSEN_ELSEWHERE.format(**described)}")
    print(f"\nThe figures: {printable(str(out))}", flush=True)


if __name__ == "__main__":
    cli.run(
        main,
        f"{__doc__}\n{external.__doc__.partition(chr(10))[2].strip(chr(10))}",
        shared=True,
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "where the figures go", "metavar": "FILE.json"},
        **audits.OF_A_FOLDER,
        dataset={"help": "or a dataset of params.yaml, prepared with masks and backgrounds", "metavar": "NAME"},
        save={"type": Path, "help": "where the directions go", "metavar": "FILE.safetensors"},
        finder={"type": Path, "help": "of stages.finder, to be tried as a remedy", "metavar": "FOLDER"},
        places={"type": Path, "help": "list of where photos were taken, path,place", "metavar": "FILE.csv"},
    )
