"""Tables of what benchmarks have measured."""

from pathlib import Path

import pandas as pd

from bgbias import files
from bgbias.documents.studies import MEND


def benchmark(path: Path) -> pd.DataFrame:
    """What `benchmarks` has written with --json: a row an alternative, the fastest first, the pipeline's in bold."""
    rows = []
    for name, case in files.read_json(path, mend=MEND)["cases"].items():
        ways, ours = case["alternatives"], case["ours"]
        for way, found in sorted(ways.items(), key=lambda item: item[1]["median_s"]):
            row = {"measured": name, "way": f"**{way}**" if way == ours else way}
            row["images/s"] = _digits(found["images_per_s"]) if "images_per_s" in found else ""
            row["seconds"] = _digits(found["median_s"])
            row["time / ours"] = f"{found['median_s'] / ways[ours]['median_s']:.2f}"
            rows.append(row | {"peak MB": f"{found['peak_mb']:,.0f}"})
    whole = pd.DataFrame(rows)
    return whole.loc[:, (whole != "").any()]


def pipeline(path: Path) -> pd.DataFrame:
    """What `benchmarks.pipeline` has written with --json: a row a stage of `dvc repro`, all its cells together."""
    found = files.read_json(path, mend=MEND)
    cells = pd.Series(found["stages_s"])
    stages = cells.groupby(lambda cell: cell.partition("@")[0], sort=False).agg(["size", "sum"])
    rows = [*stages.itertuples(), ("all", "", found["repro_s"]), ("a second `dvc repro`", "", found["second_repro_s"])]
    written = [(stage, str(runs), f"{seconds:.1f}") for stage, runs, seconds in rows]
    return pd.DataFrame(written, columns=["stage", "runs", "seconds"])


def _digits(number: float) -> str:
    """Three of them, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
