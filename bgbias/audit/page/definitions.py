"""What each measure of the page is, where it comes from, and what it cannot show."""

from bgbias.audit.page.markup import Html, joined, tag
from bgbias.audit.page.wording import kept_together
from bgbias.audit.verdict.grade import RULE
from bgbias.audit.verdict.kinds import kind

MEASURES = (  # name, definition, source
    (
        "Recall@1",
        "The share of photos whose most similar other photo, by the cosine of their embeddings, is of their class. "
        "High is good.",
        "usual in retrieval",
    ),
    (
        "MAP@R",
        "Of a photo with R others of its class: how many of the R most similar ones are of its class, and how early "
        "they come. High is good.",
        "Musgrave et al. 2020, A Metric Learning Reality Check",
    ),
    ("Chance", "What a random order of the photos would score, computed exactly.", "bgbias"),
    (
        "Clean, swapped, drop",
        "Clean are the photos as they are. In swapped ones, the object is cut out by its mask and put before a random "
        "background of those named above. The drop is clean minus swapped, query by query.",
        "Kobs & Hotho 2022, On Background Bias in Deep Metric Learning",
    ),
    (
        "Share that is kept, grade",
        "What is found on swapped photos beyond chance, as a share of what is found on clean ones beyond chance. Its "
        "value gives the grade: " + RULE + ".",
        "bgbias",
    ),
    (
        "Queries and gallery",
        "A query is what is searched with, the gallery what is searched; no photo finds itself. Where one view only is "
        "named, both are in it.",
        "bgbias",
    ),
    (
        "Objects alone, backgrounds alone, mixed",
        "Parts of the photos, and objects on other photos' backgrounds: of the same class, of any, of another. Queries "
        "and gallery are mixed alike. Where the background is of another class the gallery is clean, so it misleads.",
        "after Xiao et al. 2020, Noise or Signal: The Role of Image Backgrounds in Object Recognition",
    ),
    (
        "Its own place, other places",
        "A photo searches those of its class that were taken where it was, then as many of those taken elsewhere; all "
        "photos of other classes are there both times. Places differ in more than backgrounds, such as their light: "
        "what objects alone lose is not owed to what surrounds them.",
        "after Zheng et al. 2015, Scalable Person Re-identification: A Benchmark",
    ),
    (
        "Background gap",
        "Mixed, same class minus mixed, random class, query by query: how much more is found where backgrounds agree "
        "with objects. Both are pasted alike, so traces of pasting cancel out.",
        "after Xiao et al. 2020",
    ),
    (
        "Lost to pasting",
        "Clean minus pasted, query by query: each photo cut out and put back on its own background, the object painted "
        "over; and on that mirrored, where the cut shows more. What is lost there no other background has taken.",
        "bgbias",
    ),
    (
        "Conflict",
        "How often a photo of another class on the same background is more similar than a photo of the same class on "
        "another background of the pool. 0: the object always outweighs; 50 %: as random embeddings; 100 %: the "
        "background always outweighs.",
        "bgbias, after the cue conflict of Geirhos et al. 2019, ImageNet-trained CNNs Are Biased Towards Texture",
    ),
    (
        "Right on all of K backgrounds",
        "The share of photos that find their class on every one of K backgrounds. It falls with K by itself: compare "
        "it at one K only, beside the mean.",
        "bgbias",
    ),
    (
        "Invariance",
        "How much more alike two swaps of one photo are than two photos. 1: the background does nothing; 0: as "
        "random embeddings.",
        "bgbias",
    ),
    (
        "Variance shares",
        "How much of the differences between embeddings the photo explains, the background explains, and neither "
        "alone. Random embeddings do not give 0, so theirs are shown, too.",
        "two-way analysis of variance",
    ),
    (
        "Attention score",
        "How much of the attention falls on the object beyond its share of the area, on a scale where 1 is all.",
        "Kobs & Hotho 2022",
    ),
    (
        "Pair score",
        "The attention score of what makes a query and the photo found first alike: of where small changes of the one "
        "picture, the other left as it is, move their similarity most.",
        "bgbias, after Stylianou et al. 2019, Visualizing Deep Similarity Networks",
    ),
    (
        "Rank accuracy",
        "Of the most attended pixels, as many as the object has, the share on the object.",
        "Arras et al. 2022, CLEVR-XAI",
    ),
    (
        "Pointing game",
        "The share of photos whose most attended pixel is on the object.",
        "Zhang et al. 2018, Top-Down Neural Attention by Excitation Backprop",
    ),
    (
        "95 % interval",
        "How far the figure moves when classes are drawn anew from these, again and again. Queries of a class stand or "
        "fall together, so classes are drawn, not queries. Where nearly all of few classes score 0, or 100 %, it is "
        "too short towards the middle: of 10 to 20 such classes it holds the truth in some 75 of 100 cases.",
        "cluster bootstrap, Field & Welsh 2007, Bootstrapping Clustered Data",
    ),
    (
        "Masks in doubt",
        "Masks that are empty, nearly full, tiny, on the border, see-through or grey all over. Eroded masks are some "
        "pixels smaller, dilated ones larger; how far the drop moves with them is seen on the same backgrounds, query "
        "by query.",
        "bgbias",
    ),
    (
        "IoU of two masks",
        "Of the pixels that are object in one of the two, the share that is object in both. A mask of a second kind is "
        "no truth: where the two agree, both can be wrong in the same way.",
        "as in semantic segmentation",
    ),
)
OF_WHOLE_GALLERIES = ("Background gap", "Conflict", "Invariance", "Variance shares", "Pair score")  # not of queries
OF_ONE_EACH = {  # name -> its definition where photos search for themselves
    "Recall@1": "The share of photos that, searched with, are most similar to themselves as they are, by the cosine of "
    "the embeddings. High is good.",
    "MAP@R": "As there is one photo to find, Recall@1.",
    "95 % interval": "How far the figure moves when photos are drawn anew from these, again and again. Where nearly "
    "all of few photos find themselves, or none do, it is too short towards the middle: of 10 to 20 such photos it "
    "holds the truth in some 75 of 100 cases.",
    "Right on all of K backgrounds": "The share of photos that, put on each of K backgrounds in turn, find themselves "
    "every time. It falls with K.",
    "Queries and gallery": "A query is what is searched with: a photo as it is, or changed. The gallery, which is "
    "searched, is of all photos as they are, the query's own among them.",
    "Objects alone, backgrounds alone, mixed": "Parts of the photos, as queries; the gallery is of whole ones.",
    "Lost to pasting": "Clean minus pasted, query by query: each photo cut out and put back on its own background, the "
    "object painted over; and on that mirrored, where the cut shows more. The gallery shows no mirrored one, so what "
    "is lost there is owed to pasting or to the other background.",
}
LIMITS = (
    "That the model is as good or as bad on classes of another kind. The intervals speak of classes like these.",
    "What it does on new photos, if it was trained on these: it finds such better, on other backgrounds, too. Only of "
    "models that were trained by this project is that known, and said.",
    "That the background causes all of the drop. What pasting costs is measured on the photos' own backgrounds; others "
    "fit worse. On this project's renderings, where objects can really be moved, a swap costs some points more than a "
    "move into the same room. The background gap is free of it.",
    "More than the masks allow. What a mask leaves of the background passes for the object, and what it cuts away is "
    "missing. Two kinds can be wrong alike: on this project's renderings, whose exact masks are known, GrabCut's make "
    "the drop larger.",
    "That backgrounds alone tell the class. An outline can still show, and photos of a series share more than a place.",
    "What other backgrounds would do. Drop and conflict are measured on the pool that is named above: on this "
    "project's renderings a model lost twice as much before landscapes and patterns as in unseen rooms. A second pool "
    "can be held beside it (--second-backgrounds).",
    "From intervals that overlap, that there is no difference. Drop and gap are compared query by query and have "
    "their own intervals.",
    "From attention, why. It shows where small changes of the picture move the embedding, or the similarity of two "
    "pictures: up or down, and not how much of the similarity comes from there.",
)


def section(audit: dict) -> Html:
    """Return the definitions of what an audit of its kind measures, and what cannot be concluded."""
    instead, without = OF_ONE_EACH if kind(audit).one_each else {}, OF_WHOLE_GALLERIES if "sample" in audit else ()
    without = without if "places" in audit else (*without, "Its own place, other places")
    described = [
        tag("div", tag("dt", name), tag("dd", kept_together(instead.get(name, text)), tag("cite", source)))
        for name, text, source in MEASURES
        if name not in without
    ]
    limits = tag("ul", *(tag("li", limit) for limit in LIMITS))
    return joined(tag("dl", *described), tag("h3", "What cannot be concluded"), limits)
