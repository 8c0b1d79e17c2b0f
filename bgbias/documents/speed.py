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
    rows: dict[str, dict] = {}
    for cell, seconds in found["stages_s"].items():
        stage = cell.partition("@")[0]
        row = rows.setdefault(stage, {"stage": stage, "runs": 0, "seconds": 0.0})
        row["runs"] += 1
        row["seconds"] += seconds
    whole = [*rows.values(), {"stage": "all", "seconds": found["repro_s"]}]
    whole += [{"stage": "a second `dvc repro`", "seconds": found["second_repro_s"]}]
    return pd.DataFrame([row | {"runs": str(row.get("runs", "")), "seconds": f"{row['seconds']:.1f}"} for row in whole])


def _digits(number: float) -> str:
    """Three of them, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
