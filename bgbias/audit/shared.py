"""What an audit and its remedies run. Both load the same code, so each finds what the other has kept, see `cache`."""

from bgbias.audit import (
    about,
    advice,
    embeddings,
    explained,
    grade,
    normalisation,
    page,
    queries,
    remedied,
    sources,
    verdict,
    views,
)
from bgbias.audit.examples import mask_sheet, worst_photos
from bgbias.audit.measures import Measures
from bgbias.audit.model_remarks import model_remarks
from bgbias.audit.progress import Steps
from bgbias.audit.sampled import Sampled
from bgbias.models import finders

__all__ = [
    "Measures",
    "Sampled",
    "Steps",
    "about",
    "advice",
    "embeddings",
    "explained",
    "finders",
    "grade",
    "mask_sheet",
    "model_remarks",
    "normalisation",
    "page",
    "queries",
    "remedied",
    "sources",
    "verdict",
    "views",
    "worst_photos",
]
