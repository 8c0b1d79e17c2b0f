"""Audit any embedding model on anyone's photos: what does the background do to its retrieval?

    python -m stages.audit --photos ~/shop/photos --embedder onnx:net.onnx --out audits/shop

DIR of photos holds a folder of photos for each class, or a photos.csv with the columns path,class (and split, of which
only test is audited, and mask). Every entry of params.yaml's audit is a DVC stage of this script, which writes
audits/NAME. DVC's templates take no optional dependencies (weights, masks, backgrounds), so `dvc repro` runs it each
time; what was embedded of the same content comes from the cache, and figures that stay are the same to the byte.

Reads   the photos; the embedder (see below); masks and backgrounds, where folders of them are given
Writes  DIR of --out: report.html (the verdict, all figures, the worst photos; one page that needs nothing else),
        audit.json (the figures, shares in 0..1, with 95 % intervals), queries.csv (the same photo by photo, for
        `python -m stages.compare`), and cache (may be deleted; with it an interrupted audit goes on, and a
        repeated one embeds nothing). Nothing else is written, but for matplotlib's own list of fonts in
        ~/.cache
Takes   480 photos at 64 px with the demo's network 14 s, with a ResNet-18 28 s, on two cores; 1.2 GB
"""

from pathlib import Path
from typing import get_args

from bgbias import models
from bgbias.config import cli, params


def main(settings: params.Params, out: Path, **given: str | None) -> None:
    """Measure, write the figures, and say what they mean."""
    from bgbias import files, seeding
    from bgbias.audit import embeddings, explained, queries, sources, verdict
    from bgbias.audit.examples import worst_photos
    from bgbias.audit.measures import Measures
    from bgbias.cache import Cache
    from bgbias.config.read import check
    from bgbias.models import spec
    from bgbias.report import page

    seeding.deterministic(settings.threads)
    options = check({name: value for name, value in given.items() if value}, params.Audit, "options")
    sources.refuse_out_within(options, out)
    sources.make_folder(out)
    cache, embedder = Cache(files.root() / ".cache"), spec.load(options.embedder)
    seen, said = sources.prepare(options, embedder.input_px, settings.seed, cache)
    embedded = embeddings.embed(embedder, seen, cache)
    measures = Measures(seen, embedded)
    found = sources.described(options, seen) | measures.all()
    known = seen, embedded, settings.attention, cache
    explainer = explained.Explainer(embedder, *known) if embedder.differentiable else None
    found["attention"] = explainer.scores() if explainer else None
    probed = len(measures.probed), measures.chance_of_probed()
    first, *others = verdict.sentences(found, seen.table.class_name, *probed)
    found["verdict"] = [first, *said, *others]
    files.write_json(out / "audit.json", found)
    queries.write(out, seen.table, measures.columns() | explained.columns(explainer, len(seen.table)))
    page.write(out / "report.html", found, worst_photos(seen, embedded, explainer))
    print("\n".join(found["verdict"]))


if __name__ == "__main__":
    cli.run(
        main,
        f"{__doc__}\n{models.__doc__.partition(chr(10))[2].strip(chr(10))}",
        photos={"required": True, "help": "folder of photos", "metavar": "DIR"},
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "folder for the results", "metavar": "DIR"},
        masks={"help": "folder of masks: apple/a.png (white: the object) for apple/a.jpg", "metavar": "DIR"},
        mask_method={
            "choices": get_args(params.MaskMethod),
            "help": "how to make masks instead; given: photos.csv names them",
        },
        rembg_model={"help": "name, or .onnx file", "metavar": "MODEL", "default": "u2net"},
        backgrounds={"help": "folder of background pictures; without it 100 are rendered", "metavar": "DIR"},
    )
