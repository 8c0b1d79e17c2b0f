"""What an audit and its remedies run. Both load the same code, so each finds what the other has kept, see `cache`."""

# ruff: noqa: F401 (stages import these from here)

from bgbias.audit import about, measured_on, page, remedied
from bgbias.audit.inputs import known_photos, places, sources
from bgbias.audit.measures import answers, doubts, embeddings, explained, made_alike, queries
from bgbias.audit.measures.examples import mask_sheet, worst_photos
from bgbias.audit.measures.figures import Measures
from bgbias.audit.measures.lost_queries import lost_queries
from bgbias.audit.measures.one_each import OneEach
from bgbias.audit.measures.sampled import Sampled
from bgbias.audit.progress import steps
from bgbias.audit.verdict import advice, grade, own_split, retraining, sentences
from bgbias.audit.verdict.model_remarks import looked_at
from bgbias.models import finders
from bgbias.report import remedies as tables
