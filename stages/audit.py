"""Audit any embedding model on anyone's photos: what does the background do to its retrieval?

    python -m stages.audit --photos ~/shop/photos --embedder onnx:net.onnx --out audits/shop

DIR of photos holds a folder of photos for each class, or a photos.csv with the columns path,class (and split, of which
only test is audited, and mask). --dataset demo audits the test photos of a dataset of the pipeline instead, with its
prepared masks and backgrounds: its Recall@1 is the report's. The kind of masks can decide more than an interval tells,
so masks of a second kind are held beside the first (--second-masks).

Every entry of params.yaml's audit is a DVC stage of this script, which writes audits/NAME. DVC's templates take no
optional dependencies (weights, masks, backgrounds), so `dvc repro` runs it each time; what was embedded of the same
content comes from the cache, and figures that stay are the same to the byte.

Reads   the photos; the embedder (see below); masks and backgrounds, where folders of them are given; of a dataset
        data/prepared/NAME, data/masks/NAME/packed, data/backgrounds/NAME
Writes  DIR of --out: report.html (the verdict, all figures, the worst photos; one page that needs nothing else),
        audit.json (the figures, shares in 0..1, with 95 % intervals), queries.csv (the same photo by photo, for
        `python -m stages.compare`). And .cache in the checkout, which all audits share and which may be deleted: with
        it an interrupted audit goes on, a repeated one embeds nothing, and masks are made once for all models. Nothing
        else is written, but for matplotlib's own list of fonts in ~/.cache
Takes   480 photos at 64 px with the demo's network 14 s, with a ResNet-18 28 s, on two cores; 1.2 GB. Beside the
        embedding, 20,000 photos at 512 dimensions 3 min of a core and 1.1 GB: views are read from .cache one by one
"""

from pathlib import Path
from typing import get_args

from bgbias import external
from bgbias.config import cli, params
from bgbias.errors import InputError


def main(
    settings: params.Params,
    embedder: str,
    out: Path,
    dataset: str | None,
    second_masks: params.SecondMasks | None = None,
    **given: str | None,
) -> None:
    """Measure, write the figures, and say what they mean."""
    from bgbias import files, seeding
    from bgbias.audit import embeddings, explained, page, queries, sources, verdict, views
    from bgbias.audit.examples import worst_photos
    from bgbias.audit.measures import Measures
    from bgbias.cache import Cache
    from bgbias.config.read import check
    from bgbias.external import spec
    from bgbias.external.steady import refuse_unsteady

    seeding.deterministic(settings.threads)
    given = {name: value for name, value in given.items() if value}
    if bool(dataset) == bool(given):
        raise InputError("give --photos DIR with its options, or --dataset NAME, which has masks and backgrounds")
    given |= {"embedder": embedder, "second_masks": second_masks}
    options = None if dataset else check(given, params.Audit, "options")
    sources.make_folder(out, options)
    cache, model = Cache(files.root() / ".cache"), spec.load(embedder)
    if dataset:
        pictures, described, remarks = sources.of_dataset(dataset, settings, model.input_px, cache, second_masks)
    else:
        pictures, described, remarks = sources.of_folder(options, model.input_px, settings.seed, cache)
    refuse_unsteady(model, next(views.batches(pictures, "clean")), list(pictures.table.path))
    embedded = embeddings.embed(model, pictures, cache)
    measures = Measures(pictures, embedded)
    found = {"embedder": embedder} | described | measures.all()
    known = pictures, embedded, settings.attention, cache
    explainer = explained.Explainer(model, *known) if model.differentiable else None
    found["attention"] = explainer.scores() if explainer else None
    probed = len(measures.probed), measures.chance_of_probed()
    found["verdict"] = verdict.sentences(found, pictures.table.class_name, *probed, remarks)
    files.write_json(out / "audit.json", found)
    columns = measures.columns() | explained.columns(explainer, len(pictures.table))
    queries.write(out, pictures.table, columns)
    page.write(out / "report.html", found, worst_photos(pictures, embedded, explainer))
    print("\n".join(found["verdict"]))


if __name__ == "__main__":
    cli.run(
        main,
        f"{__doc__}\n{external.__doc__.partition(chr(10))[2].strip(chr(10))}",
        photos={"help": "folder of photos", "metavar": "DIR"},
        dataset={"help": "or a dataset of params.yaml, with its prepared masks and backgrounds", "metavar": "NAME"},
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "folder for the results", "metavar": "DIR"},
        masks={"help": "folder of masks: apple/a.png (white: the object) for apple/a.jpg", "metavar": "DIR"},
        mask_method={
            "choices": get_args(params.MaskMethod),
            "help": "how to make masks instead; given: photos.csv names them",
        },
        second_masks={
            "choices": get_args(params.SecondMasks),
            "help": "masks to hold beside them, for a verdict no stronger than both allow; without it grabcut, beside "
            "grabcut from a larger disc; none: 21 views are embedded, not 30",
        },
        rembg_model={"help": "name, or KIND:FILE, a local file of such a model; without it u2net", "metavar": "MODEL"},
        backgrounds={"help": "folder of background pictures; without it 100 are rendered", "metavar": "DIR"},
    )
