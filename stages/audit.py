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

from bgbias import audited, commandline, files, page, params, paramsfile
from bgbias.audit import embeddings, explained, photos, pictures, queries, verdict
from bgbias.audit.cache import Cache
from bgbias.audit.examples import worst_photos
from bgbias.audit.measures import Measures

METHODS = ("given", "grabcut", "rembg")
GRABCUT_PX = 128
SOURCES = ("photos", "masks", "backgrounds")  # folders that are read


def refuse_out_within(options: params.Audit, out: Path) -> None:
    """What is written into a folder of photos, masks or backgrounds would be read there the next time."""
    for folder in filter(None, (getattr(options, name) for name in SOURCES)):
        if out.resolve().is_relative_to(Path(folder).resolve()):
            raise ValueError(f"--out {out} lies in {folder}, which is read: choose another folder")


def make_folder(out: Path) -> None:
    """Make it before anything that takes long."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"--out {out}: no folder can be made there ({error.strerror}): choose another") from error


def pool_of(options: params.Audit) -> Path | None:
    """The folder of backgrounds; None: they are rendered."""
    return Path(options.backgrounds) if options.backgrounds else None


def prepare(options: params.Audit, input_px: int, seed: int, cache: Cache) -> tuple[pictures.Pictures, list[str]]:
    """Photos, masks and backgrounds; and what is to be said of the choice of photos."""
    folder = Path(options.photos)
    table, said = photos.read(folder)
    method = "given" if options.masks else options.mask_method or "grabcut"
    if options.masks:
        table = photos.given_masks(table, Path(options.masks))
    elif method == "given":
        photos.refuse_unmasked(table, folder)
    making = params.Masks(method=method, rembg_model=options.rembg_model, grabcut_px=GRABCUT_PX)
    packs = (
        pictures.photo_pack(table, folder, input_px, cache),
        pictures.mask_pack(table, folder, making, input_px, cache),
        pictures.background_pack(pool_of(options), input_px, seed, cache),
    )
    return pictures.Pictures(table, *packs, seed, cache), said


def described(options: params.Audit, seen: pictures.Pictures) -> dict:
    """What was audited with what."""
    return {
        "embedder": options.embedder,
        "photos": len(seen.table),
        "classes": seen.table.class_name.nunique(),
        "masks": options.masks or options.mask_method or "grabcut",
        "backgrounds": f"{len(seen.backgrounds)} of {options.backgrounds or 'this project, rendered'}",
        "made_with": pictures.made_with(seen.masks, pool_of(options), seen.seed),
    }


def main(settings: params.Params, out: Path, **given: str | None) -> None:
    """Measure, write the figures, and say what they mean."""
    options = paramsfile.check({name: value for name, value in given.items() if value}, params.Audit, "options")
    refuse_out_within(options, out)
    make_folder(out)
    cache, embedder = Cache(out / "cache"), audited.load(options.embedder)
    seen, said = prepare(options, embedder.input_px, settings.seed, cache)
    embedded = embeddings.embed(embedder, seen, cache)
    measures = Measures(seen, embedded)
    found = described(options, seen) | measures.all()
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
    commandline.run(
        main,
        f"{__doc__}\nSPEC of --embedder:\n\n{audited.__doc__.partition(chr(10))[2].strip(chr(10))}",
        photos={"required": True, "help": "folder of photos", "metavar": "DIR"},
        embedder={"required": True, "help": "the model, see above", "metavar": "SPEC"},
        out={"type": Path, "required": True, "help": "folder for the results", "metavar": "DIR"},
        masks={"help": "folder of masks: apple/a.png (white: the object) for apple/a.jpg", "metavar": "DIR"},
        mask_method={"choices": METHODS, "help": "how to make masks instead; given: photos.csv names them"},
        rembg_model={"help": "name, or .onnx file", "metavar": "MODEL", "default": "u2net"},
        backgrounds={"help": "folder of background pictures; without it 100 are rendered", "metavar": "DIR"},
    )
