"""Audit any embedding model on anyone's photos: what does the background do to its retrieval?

    python -m stages.audit --photos ~/shop/photos --embedder onnx:net.onnx --out audits/shop

DIR of photos holds a folder of photos for each class, or a photos.csv with the columns path,class (and split, of which
only test is audited, mask, and role: of query and gallery, queries search the gallery alone). Where there is one photo
of each product, --one-each needs no classes. --dataset demo audits the test photos of a dataset of the pipeline
instead, with its prepared masks and backgrounds: its Recall@1 is the report's. The kind of masks can decide more than
an interval tells, so masks of a second kind are held beside the first (--second-masks). Where it is known where photos
were taken, those of other places are searched, too (--places). Of a catalogue that is too large for all this, a sample
of queries is audited (--queries).

Every entry of params.yaml's audit is a DVC stage of this script, which writes audits/NAME. DVC's templates take no
optional dependencies (weights, masks, backgrounds), so `dvc repro` runs it each time; what was embedded of the same
content comes from the cache, and figures that stay are the same to the byte (the page also names day, version and
machine).

Reads   the photos; the embedder (see below); masks and backgrounds, where folders of them are given; of a dataset
        data/prepared/NAME, data/masks/NAME/packed, data/backgrounds/NAME
Writes  DIR of --out: report.html (one page that needs nothing else: for everyone, the engineer and the reviewer),
        audit.json (the figures, shares in 0..1, with 95 % intervals), queries.csv (the same photo by photo, for
        `python -m stages.compare`). And .cache in the checkout, which all audits share and which may be deleted: with
        it an interrupted audit goes on, a repeated one embeds nothing, and masks are made once for all models. Nothing
        else is written, but for matplotlib's own list of fonts in ~/.cache
Takes   480 photos at 64 px with the demo's network 24 s, with a ResNet-18 60 s, on one core; 1.2 GB; it says so first.
        --quick embeds 3 views of 32, by masks of one kind, and draws no attention maps. Beside the embedding, 20,000
        photos at 512 dimensions 3 min of a core and 1.1 GB by masks of one kind: views are read from .cache one by one
"""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from bgbias import external
from bgbias.command import cli
from bgbias.config import audits, params
from bgbias.config.audits import SecondMasks
from bgbias.errors import printable

if TYPE_CHECKING:
    import pandas as pd

    from bgbias.audit.shared import Measures, Sampled, explained


def main(
    settings: params.Params,
    embedder: str,
    out: Path,
    dataset: str | None,
    second_masks: SecondMasks | None = None,
    second_backgrounds: str | None = None,
    places: Path | None = None,
    queries: int | None = None,
    title: str | None = None,
    quick: bool = False,
    no_attention: bool = False,
    paths: bool = False,
    **given: str | None,
) -> None:
    """Measure, write the figures, and say what they mean."""
    from bgbias import files, seeding
    from bgbias.audit.shared import (
        Measures,
        OneEach,
        Sampled,
        answers,
        embeddings,
        explained,
        known_photos,
        looked_at,
        made_alike,
        sources,
        steps,
    )
    from bgbias.audit.shared import places as where
    from bgbias.cache import Cache
    from bgbias.config.read import check
    from bgbias.external import spec

    seeding.deterministic(settings.threads)
    given = audits.given(dataset, given)
    one_each = given.get("one_each", False)
    audits.refuse_unused(quick, second_masks, second_backgrounds, queries, one_each, places)
    taken_at = where.read(places) if places else None
    beside = {"second_masks": "none" if quick else second_masks, "second_backgrounds": second_backgrounds}
    checked = given | {"embedder": embedder, "queries": queries} | beside
    options = None if dataset else check(checked, params.Audit, "options")
    sources.try_folder(out, options)
    maps = [] if quick or no_attention else ["attention maps"]
    step = steps("the model", "photos, masks and backgrounds", "embeddings", "figures", *maps, "the page")
    next(step)
    cache, model = Cache(files.root() / ".cache"), spec.load(embedder)
    next(step)
    if dataset:
        opened = sources.of_dataset(dataset, settings, model.input_px, cache, **beside, queries=queries)
    else:
        opened = sources.of_folder(options, model.input_px, settings.seed, cache)
    pictures, described, remarks = where.placed(opened, taken_at, places) if places else opened
    if kept := made_alike.replaced(out, embedder, described["made_with"], quick):
        print(printable(kept), flush=True)
    every, explains, pairs = pictures.gallery or pictures, bool(maps) and model.differentiable, not pictures.gallery
    folder = files.root() / "data/raw" / dataset if dataset else Path(options.photos)
    known = known_photos.remark(model, folder, every.table.path, mend=not dataset)
    next(step)
    fast = answers.fastest(model, pictures)
    normalised, guessed = looked_at(model, fast, every.table, every.photo, settings.seed)
    for sentence in guessed:
        print(printable(sentence), flush=True)
    passes = explained.passes(len(pictures.labels), settings.attention.copies, pairs) if explains else 0
    embedded = embeddings.embed(fast, pictures, cache, quick, passes)
    next(step)
    of = OneEach if one_each else Sampled if pictures.gallery else Measures
    measures = of(pictures, embedded, quick)
    mark = files.checksum(*model.files)[:16] if model.files else None
    told = {"embedder": embedder, "embedder_mark": mark, "normalisation": normalised}
    told |= {"known_photos": " ".join(known), "finder": model.card.finder is not None, "input_px": model.input_px}
    found = told | described | measures.all()
    explainer = explained.Explainer(model, pictures, embedded, settings.attention, cache) if explains else None
    if maps:
        next(step)
        found["attention"] = explainer.scores() if explainer else None
    next(step)
    asked = {"dataset": dataset, **given, **beside, "second_masks": second_masks, "embedder": embedder, "out": out}
    asked |= {"places": places, "queries": queries, "quick": quick}
    asked = {name: str(value) for name, value in asked.items() if value}
    names = pictures.gallery.class_names if pictures.gallery else every.table.class_name
    _judge(found, measures, names, [*guessed, *remarks, *known], asked, settings)
    _write(out, found, measures, explainer, title, {} if paths else asked)


def _judge(
    found: dict,
    measures: "Measures | Sampled",
    class_names: "pd.Series",
    remarks: list[str],
    asked: dict[str, str],
    settings: params.Params,
) -> None:
    """Add what the figures mean, and what to do."""
    from bgbias.audit.shared import advice, grade, own_split, retraining, sentences

    of_photos, sample = (class_names, len(measures.probed), measures.chance_of_probed()), found.get("sample")
    drawn = measures.pictures.table.class_name if sample and sample["queries"] < sample["of"] else None
    found["verdict"] = sentences.verdict(found, *of_photos, remarks, drawn)
    dataset = asked.get("dataset", "own")
    training, px = settings.train[dataset], settings.images[dataset].input_px
    cure = retraining.cure(training), f"{training.network}, {px} px"
    pool = settings.backgrounds[dataset].source if "dataset" in asked else found["made_with"]["backgrounds"]
    own = "photos" in asked and "one_each" not in asked
    split = own_split.of_folder(Path(asked["photos"]), class_names, settings) if own else None
    steps = advice.steps(found, asked, settings.seeds[0], *cure, rendered=pool == "rendered", split=split)
    found |= {"summary": grade.summary(found), "advice": steps}


def _write(
    out: Path,
    found: dict,
    measures: "Measures | Sampled",
    explainer: "explained.Explainer | None",
    title: str | None,
    hidden: dict[str, str],
) -> None:
    """Write the figures, photo by photo, too, and the page, and print the verdict."""
    from bgbias import files
    from bgbias.audit.shared import (
        about,
        explained,
        lost_queries,
        mask_sheet,
        page,
        queries,
        sentences,
        worst_photos,
    )

    for earlier in (queries.FILE, "report.html"):  # killed before all is written, it leaves none of another audit
        (out / earlier).unlink(missing_ok=True)
    files.write_json(out / "audit.json", found)
    pictures = measures.pictures
    columns = measures.columns() | explained.columns(explainer, len(pictures.table), not pictures.gallery)
    if pictures.gallery:
        worst = lost_queries(pictures, measures.embeddings, measures.scores, explainer)
    else:
        worst = worst_photos(pictures, measures.embeddings, explainer)
    queries.write(out, pictures.table, columns)
    private = about.private(hidden)
    shown = about.without(found, private), worst, mask_sheet(pictures)
    page.write(out / "report.html", *shown, about.about(title, bool(private)))
    print("\n".join(map(printable, sentences.printed(found))))
    print(printable(f"The page: {out / 'report.html'}"))


if __name__ == "__main__":
    cli.run(
        main,
        f"{__doc__}\n{external.__doc__.partition(chr(10))[2].strip(chr(10))}",
        shared=True,
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "folder for the results", "metavar": "DIR"},
        **audits.OF_A_FOLDER,
        dataset={"help": "or a dataset of params.yaml, with its prepared masks and backgrounds", "metavar": "NAME"},
        second_masks={
            "choices": get_args(SecondMasks),
            "help": "masks to hold beside them, for a verdict no stronger than both allow; without it grabcut, beside "
            "grabcut from a larger disc; none: 23 views are embedded, not 32",
        },
        second_backgrounds={
            "help": "backgrounds to hold beside these, for a verdict no stronger than both pools allow: photos (those "
            "of the photos, objects painted over), rendered, or a folder; 9 more views are embedded",
            "metavar": "DIR",
        },
        places={
            "type": Path,
            "help": "list of where photos were taken (shops, sellers, days), of the columns path,place: does a photo "
            "find its class in another place? see docs/places.md",
            "metavar": "FILE.csv",
        },
        queries={
            "type": int,
            "metavar": "N",
            "help": "audit a sample of N photos, drawn by the seed from all classes in proportion to their size: only "
            "these are cut out and swapped, and search the gallery of all photos as they are; see docs/catalogues.md",
        },
        one_each={
            "action": "store_true",
            "help": "each photo shows another product, so none has another to find: on other backgrounds it has to "
            "find itself among the photos as they are; folders and classes do not count; see docs/catalogues.md",
        },
        title={"help": "of the page; without it, the model's SPEC", "metavar": "TEXT"},
        quick={
            "action": "store_true",
            "help": "clean photos and two draws of swapped ones only, by masks of one kind; a full audit later embeds "
            "these no second time",
        },
        no_attention={"action": "store_true", "help": "leave out attention maps"},
        paths={"action": "store_true", "help": "show absolute paths on the page in full, not their last names"},
    )
