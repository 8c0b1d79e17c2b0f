"""What an audit and its remedies run. Both load the same code, so each finds what the other has kept, see `cache`."""

from bgbias.audit import (
    about,
    advice,
    embeddings,
    explained,
    grade,
    known_photos,
    page,
    queries,
    remedied,
    sources,
    verdict,
    views,
)
from bgbias.audit.examples import mask_sheet, worst_photos
from bgbias.audit.measures import Measures
from bgbias.audit.model_remarks import looked_at
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
    "known_photos",
    "looked_at",
    "mask_sheet",
    "page",
    "queries",
    "remedied",
    "sources",
    "verdict",
    "views",
    "worst_photos",
]
