"""Where the time of a bare `dvc repro` of the demo goes, stage by stage, in a clone of its own.

    python -m benchmarks.pipeline

stage: its whole time; start: until --help is printed, which is Python and what the command line needs, not PyTorch
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks import harness
from bgbias import cores, files
from bgbias.report import tables

ROOT = Path(__file__).parent.parent


def clone(folder: Path) -> None:
    """Put the committed project there."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)


def reproduce(folder: Path, *arguments: str) -> tuple[float, dict[str, float]]:
    """Run `dvc repro`; returns its seconds and those of each stage that it ran."""
    dvc = [sys.executable, "-m", "dvc", "repro", *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    start = time.perf_counter()
    running = subprocess.Popen(
        dvc, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    begun = {}
    for line in running.stdout:
        found = re.match(r"Running stage '(.+)'|Stage '(.+)' (?:didn't change|is cached)", line)
        if found:
            begun[found[1] or found[2]] = time.perf_counter()
    if running.wait():
        raise SystemExit("error: dvc repro failed; run it by hand to see why")
    ends = [*list(begun.values())[1:], time.perf_counter()]
    return time.perf_counter() - start, {name: end - begun[name] for name, end in zip(begun, ends, strict=True)}


def start_of(stage: str) -> float:
    """Seconds until a stage's --help is printed: the median of three."""
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", f"stages.{stage}", "--help"], cwd=ROOT, check=True, capture_output=True)
        seconds.append(time.perf_counter() - begun)
    return sorted(seconds)[1]


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the starts only, in less than a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    where = harness.machine(cores.count())
    print(f"{where}\n", flush=True)
    found = {"starts_s": {path.stem: start_of(path.stem) for path in sorted((ROOT / "stages").glob("[a-z]*.py"))}}
    if options.quick:
        rows = [{"stage": name, "start s": f"{seconds:.1f}"} for name, seconds in found["starts_s"].items()]
    else:
        with tempfile.TemporaryDirectory() as folder:
            clone(Path(folder) / "clone")
            found["repro_s"], found["stages_s"] = reproduce(Path(folder) / "clone")
            found["second_repro_s"], _ = reproduce(Path(folder) / "clone")
        starts = {name: found["starts_s"][name.partition("@")[0]] for name in found["stages_s"]}
        rows = [
            {"stage": name, "s": f"{seconds:.1f}", "start s": f"{starts[name]:.1f}"}
            for name, seconds in found["stages_s"].items()
        ]
        rows.append({"stage": "all", "s": f"{found['repro_s']:.1f}", "start s": f"{sum(starts.values()):.1f}"})
        rows.append({"stage": "a second time", "s": f"{found['second_repro_s']:.1f}", "start s": ""})
        found["peak_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(tables.markdown(pd.DataFrame(rows)))
    if "peak_mb" in found:
        print(f"\nlargest process: {found['peak_mb']:,.0f} MB")
    if options.json:
        files.write_json(options.json, {"machine": where, **found})


if __name__ == "__main__":
    main()
