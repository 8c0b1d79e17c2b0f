"""The retrieval metrics that tables, pages and audits report: their names in metrics files, and their headings."""

METRICS = {"recall_at_1": "Recall@1", "map_at_r": "MAP@R"}
