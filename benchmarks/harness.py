"""Compares alternatives in alternation within one run; prints medians, ratios and peak memory.

Timings of one run can be compared with one another; between runs, and between machines, only the ratios can.
"""

import argparse
import ctypes
import os
import platform
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pandas as pd
import torch

from bgbias import cores, files, ranks
from bgbias.command import memory
from bgbias.report import tables


class Case(NamedTuple):
    """Alternatives that do the same work.

    Attributes:
        name: the key under which its figures are written.
        alternatives: name -> what is timed; its result is compared.
        ours: the alternative that the pipeline uses.
        published: the alternative that a user would use instead.
        bound: the alternative that nothing exact can beat; or None.
        pictures: that each alternative handles, for pictures/s; 0: seconds are shown.
        difference: the results by alternative -> the greatest difference of ours from the truth.
        repeats: of each alternative.
        notes: more figures, by name.
    """

    name: str
    alternatives: dict[str, Callable[[], Any]]
    ours: str
    published: str
    bound: str | None
    pictures: int
    difference: Callable[[dict[str, Any]], float]
    repeats: int
    notes: Callable[[dict[str, float], dict[str, Any]], dict[str, float]] = lambda seconds, results: {}


def measure(case: Case) -> dict:
    """Run every alternative of a case for its memory, then all of them in turn for their time."""
    seconds, peaks, results = {name: [] for name in case.alternatives}, {}, {}
    for name, run in case.alternatives.items():
        peaks[name], results[name] = _peak_mb(run)
    for _ in range(case.repeats):
        for name, run in case.alternatives.items():
            start = time.perf_counter()
            results[name] = run()  # the last one lives on, as a batch does in a training loop
            _wait()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(values) for name, values in seconds.items()}
    found = {name: {"median_s": medians[name], "peak_mb": peaks[name]} for name in medians}
    if case.pictures:
        for name, value in medians.items():
            found[name]["images_per_s"] = case.pictures / value
    ours = medians[case.ours]
    return {
        "alternatives": found,
        "ours": case.ours,
        "ratio_vs_published": medians[case.published] / ours,
        "ratio_vs_bound": ours / medians[case.bound] if case.bound else None,
        "max_abs_diff": case.difference(results),
        **case.notes(medians, results),
    }


def _peak_mb(run: Callable[[], Any]) -> tuple[float | None, Any]:
    """The memory that a run needs at its peak beyond what was taken before, on Linux; and its result."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        result = run()
        return (torch.cuda.max_memory_allocated() - before) / 2**20, result
    run()  # the first run of anything loads code
    if not counts_memory():
        return None, run()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from now
    before = _status("VmRSS")
    result = run()
    return (_status("VmHWM") - before) / 1024, result


def counts_memory() -> bool:
    """Whether the system tells the peak of a process's memory, and lets it start anew."""
    return os.access("/proc/self/clear_refs", os.W_OK)


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def machine(threads: int) -> str:
    """What the figures were measured on, in words."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.is_file() else ""
    model = cores.named() + "".join(f", {name}" for name in ("amx_bf16", "avx512_bf16") if name in flags)
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    processors = cores.count() * ranks.on_this_machine()
    counted = ", ".join(f"{n} {word}{'s' * (n > 1)}" for n, word in ((processors, "core"), (threads, "thread")))
    return (
        f"{model}; {counted} used, {memory_gb:.0f} GiB{gpu}; "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def table(found: dict) -> str:
    """A case's figures as Markdown: a row an alternative, with its ratio to ours (above 1: slower than ours)."""
    rows, ours = [], found["alternatives"][found["ours"]]["median_s"]
    for name, figures in found["alternatives"].items():
        speed = {"images/s": f"{figures['images_per_s']:,.1f}"} if "images_per_s" in figures else {}
        peak = "" if figures["peak_mb"] is None else f"{figures['peak_mb']:,.0f}"
        times = {"median s": f"{figures['median_s']:.4g}", "time / ours": f"{figures['median_s'] / ours:.2f}"}
        rows.append({"": f"**{name}**" if name == found["ours"] else name, **speed, **times, "peak MB": peak})
    return tables.markdown(pd.DataFrame(rows))


def run(description: str, cases: Callable[[argparse.Namespace], Iterable[Case]], **flags: str) -> None:
    """The command line of a benchmark.

    Args:
        description: for --help.
        cases: the parsed options (quick, photos, threads) -> cases, made one after the other.
        **flags: more options, name -> help; --photos takes a folder, the others nothing.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, in less than a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--threads", type=int, default=1, help="that the processor uses (default: 1)")
    for flag, explanation in flags.items():
        how = {"type": Path, "metavar": "DIR"} if flag == "photos" else {"action": "store_true"}
        parser.add_argument(f"--{flag}", help=explanation, **how)
    options = parser.parse_args()
    memory.keep_freed()  # as every stage does
    torch.set_num_threads(options.threads)
    where = machine(options.threads)
    print(f"{where}\n", flush=True)
    measured = {}
    for case in cases(options):
        found = measured[case.name] = measure(case)
        extra = [f"{key} {value:.4g}" for key, value in found.items() if isinstance(value, float)]
        print(f"{case.name}: {', '.join(extra)}\n\n{table(found)}\n", flush=True)
        if options.json:  # after each, for a run may be cut short
            files.write_json(options.json, {"machine": where, "cases": measured})
    print(f"peak of the whole run: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
