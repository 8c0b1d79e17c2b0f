"""What an audit and its remedies run. Both load the same code, so each finds what the other has kept, see `cache`."""

from bgbias.audit import about, page, remedied
from bgbias.audit.inputs import known_photos, places, sources
from bgbias.audit.measures import answers, doubts, embeddings, explained, queries
from bgbias.audit.measures.examples import mask_sheet, worst_photos
from bgbias.audit.measures.figures import Measures
from bgbias.audit.measures.lost_queries import lost_queries
from bgbias.audit.measures.one_each import OneEach
from bgbias.audit.measures.sampled import Sampled
from bgbias.audit.progress import Steps
from bgbias.audit.verdict import advice, grade, sentences
from bgbias.audit.verdict.model_remarks import looked_at
from bgbias.models import finders

__all__ = [
    "Measures",
    "OneEach",
    "Sampled",
    "Steps",
    "about",
    "advice",
    "answers",
    "doubts",
    "embeddings",
    "explained",
    "finders",
    "grade",
    "known_photos",
    "looked_at",
    "lost_queries",
    "mask_sheet",
    "page",
    "places",
    "queries",
    "remedied",
    "sentences",
    "sources",
    "worst_photos",
]
