"""The three kinds of audits, and their words: of all photos, of a sample of queries, of one photo of each product."""

from typing import NamedTuple


class Kind(NamedTuple):
    """What an audit's searches are for, in words.

    Attributes:
        one_each: whether each photo shows another product, and searches for itself.
        unit: what intervals are drawn over, one and many.
        clean: of 100 searches of photos as they are, how many find what they should; `{clean}` is their number.
        swapped: the same, and on other backgrounds; `{searches}` is the first, `{swapped}` the number.
        find: what photos do that find what they should.
        itself: what is searched for.
        told: what surroundings tell that find it.
        works: what a model does that is better than guessing.
        more: what to do where there are too few; `{fewest}` is the number.
        quick: what a quick audit leaves out.
        caveat: what is to be said of its grade.
        lead: what the page says of a search.
    """

    one_each: bool
    unit: tuple[str, str]
    clean: str
    swapped: str
    find: str
    itself: str
    told: str
    works: str
    more: str
    quick: str
    caveat: str
    lead: str


WHOLE = Kind(
    one_each=False,
    unit=("class", "classes"),
    clean="Of 100 searches, {clean} find the right product",
    swapped="{searches}; on other backgrounds, {swapped} do",
    find="find their class",
    itself="its class",
    told="the class",
    works="finds the classes on clean photos",
    more="Audit photos of at least {fewest} classes",
    quick="This audit is quick: clean photos and two draws of swapped ones, by masks of one kind; without --quick it "
    "measures all the rest.",
    caveat="",
    lead="A product is a class of these photos. A search finds it if, of all other photos, the most similar one shows "
    "it. On other backgrounds means: all photos cut out by their masks and put on random backgrounds.",
)
SAMPLE = WHOLE._replace(
    quick="This audit is quick: two draws of swapped queries, by masks of one kind; without --quick it measures all "
    "draws, masks of a second kind and of other sizes, four backgrounds, and attention.",
    lead="A product is a class of these photos. A search finds it if, of all other photos of the gallery, the most "
    "similar one shows it. On other backgrounds means: the photos that are searched with are cut out by their masks "
    "and put on random backgrounds; the gallery stays as it is.",
)
ONE_EACH = Kind(
    one_each=True,
    unit=("photo", "photos"),
    clean="Of 100 photos as they are, {clean} find themselves",
    swapped="Of 100 photos put on other backgrounds, {swapped} find themselves among the photos as they are",
    find="find themselves",
    itself="itself",
    told="which photo it is",
    works="tells photos apart",
    more="Let at least {fewest} photos search (--queries)",
    quick="This audit is quick: two draws of swapped photos, by masks of one kind; without --quick it measures all "
    "draws, masks of a second kind and of other sizes, four backgrounds, objects and backgrounds alone, pasting, and "
    "attention.",
    caveat=" It is no grade of an audit in classes: pose and light stay here, and an embedder may go by them.",
    lead="Each photo stands for a product of its own. It finds itself if, of all photos as they are, this photo is the "
    "most similar one. On other backgrounds means: cut out by its mask and put on random backgrounds.",
)


def kind(found: dict) -> Kind:
    """Return the kind of an audit by what audit.json holds of its sample.

    >>> kind({}).unit, kind({"sample": {"one_each": True}}).unit
    (('class', 'classes'), ('photo', 'photos'))
    """
    if "sample" not in found:
        return WHOLE
    return ONE_EACH if found["sample"].get("one_each") else SAMPLE
