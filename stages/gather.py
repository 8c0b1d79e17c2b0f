"""Gather the figures of named experiments into one small results file.

    python -m stages.gather study-

Reads   the experiments of `dvc exp list` whose names start with the prefix, one for each loss
Writes  paper/results.json; results of other experiments there are kept, and this refused, without --replace
Takes   seconds
"""

from pathlib import Path

from bgbias.command import cli
from bgbias.config import params


def main(settings: params.Params, prefix: str, out: Path, replace: bool) -> None:
    """Pick the figures of the study's tables out of all that was recorded."""
    import dvc.api

    from bgbias.study import gathered, results_file

    results, told = gathered.gather(
        dvc.api.exp_show(), prefix, lambda experiment, name: dvc.api.read(name, rev=experiment["rev"], encoding="utf-8")
    )
    results_file.refuse_to_lose(out, results, replace)
    results_file.write_results(out, results, told)
    cells, losses = (
        f"1 {what}" if count == 1 else f"{count} {many}"
        for count, what, many in ((len(results), "cell", "cells"), (results.loss.nunique(), "loss", "losses"))
    )
    print(f"{out}: {cells} of {losses} on {', '.join(results.dataset.unique())}")


if __name__ == "__main__":
    cli.run(
        main,
        __doc__,
        "prefix",
        out={"type": Path, "default": Path("paper/results.json"), "help": "the results file"},
        replace={"action": "store_true", "help": "lose what other experiments have left there", "default": False},
    )
