"""The retrieval metrics that tables, pages and audits report: their names in metrics files, and their headings."""

METRICS = {"recall_at_1": "Recall@1", "map_at_r": "MAP@R"}
SD = "_seeds_sd"  # how the names of standard deviations over seeds end


def deviation(scores: dict[str, float], name: str) -> float | None:
    """Return the standard deviation of a mean, over seeds where these are several, else over draws; None of one draw.

    >>> deviation({"map_at_r": 0.5, "map_at_r_sd": 0.1, "map_at_r_seeds_sd": 0.2}, "map_at_r")
    0.2
    """
    return scores.get(f"{name}{SD}", scores.get(f"{name}_sd"))
