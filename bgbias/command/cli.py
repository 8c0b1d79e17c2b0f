"""The command line of a stage: its arguments, params.yaml, errors in one line."""

import argparse
import copy
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from bgbias import errors, ranks
from bgbias.command import launch, memory, signals, together
from bgbias.config import read
from bgbias.errors import InputError, refuse_unknown
from bgbias.files import locks

MADE = ("data", "models", "metrics", "plots")  # what is missing there is made by a stage


def seed(text: str) -> int:
    """Read a seed; argparse says what else it found.

    >>> seed("42")
    42
    """
    if not 0 <= (number := int(text)) < 2**32:
        raise argparse.ArgumentTypeError(f"{number}: expected 0 to {2**32 - 1}")
    return number


ARGUMENTS = {
    "dataset": {"help": "name of the dataset, of those under data in params.yaml"},
    "regime": {"help": "how the network is trained, of those under regime_settings in params.yaml"},
    "seed": {"type": seed, "help": "of the training"},
    "row": {"help": "of those under leaderboard.embedders in params.yaml"},
    "name": {"help": "of the table: a dataset of leaderboard in params.yaml; any with --audits"},
    "prefix": {"help": "how the experiments' names start"},
    "study": {"help": "how the file of figures is called"},
    "first": {"type": Path, "help": "folder of an audit, or a pattern in quotes of several"},
    "second": {"type": Path, "help": "of what to compare with it, likewise"},
}


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keeps a docstring's lines, names each option once, and says what it is when not given, if it is anything."""

    def _get_help_string(self, action: argparse.Action) -> str:
        nothing = action.default is None or action.default is False
        return action.help if nothing else super()._get_help_string(action)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """Show an option once, without the spelling for DVC."""
        shown = copy.copy(action)
        shown.option_strings = [option for option in action.option_strings if "_" not in option]
        return super()._format_action_invocation(shown)


class _Parser(argparse.ArgumentParser):
    """Refuses in one line, as the stages do."""

    def error(self, message: str) -> NoReturn:
        text = errors.printable(" ".join(message.split()))
        self.exit(2, f"error: {text}: correct it, see `python -m stages.{Path(self.prog).stem} --help`\n")


@signals.interruptible()
def run(stage: Callable[..., None], description: str, *arguments: str, shared: bool = False, **options: dict) -> None:
    """Parse the arguments, read params.yaml and run a stage.

    An error is printed as one line and ends the process with exit code 1, so do Ctrl-C with 130 and SIGTERM with 143.
    What no one foresaw is said to be so, with the line of code; BGBIAS_TRACEBACK=1 shows all of it. What killed
    processes have left is removed first, and the same stage for the same arguments runs once at a time. A stage that
    several processes can share is started once for each of them, see `launch`.

    Args:
        stage: called with the checked parameters, the arguments and the options.
        description: for --help: the stage's docstring.
        *arguments: what the stage runs for, of ARGUMENTS: such as "dataset", "regime" and "seed".
        shared: whether several processes can share its work.
        **options: name -> how argparse's add_argument is called for it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be bytes that no terminal takes
    together.silence_all_but_the_first()
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")  # else PyTorch prints pages where processes lose one another
    parser = _Parser(description=description, formatter_class=_Formatter)
    for name in arguments:
        parser.add_argument(name, metavar=name, **ARGUMENTS[name])
    for name, how in options.items():
        spellings = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))  # DVC writes keys as they are
        parser.add_argument(*spellings, **how)
    given = parser.parse_args()
    try:
        settings = read.load()
        if getattr(given, "dataset", None) is not None:
            refuse_unknown("dataset", [given.dataset], settings.data)
        if "row" in given:
            refuse_unknown("row", [given.row], settings.leaderboard.embedders)
        if "regime" in given:
            refuse_unknown("regime", [given.regime], settings.regime_settings)
        if shared and (count := launch.wanted()):
            launch.launch(f"stages.{Path(inspect.getfile(stage)).stem}", count)
            return
        memory.keep_freed()
        with together.joined(shared, settings):
            ranks.by_first(locks.sweep)
            with locks.locked(_cell(given)):
                stage(settings, **vars(given))
    except Exception as error:
        if isinstance(error, BrokenPipeError) and signals.unread(error):
            sys.exit(signals.UNREAD)
        if os.environ.get("BGBIAS_TRACEBACK"):
            sys.stderr = sys.__stderr__
            raise
        together.end(f"error: {errors.printable(' '.join(_one_line(error).split()))}")


def _cell(given: argparse.Namespace) -> str:
    """What a stage writes, which two processes must not at once: for stages without a dataset and --out nothing."""
    named = [str(vars(given)[key]) for key in ("dataset", "regime", "row", "seed", "out") if vars(given).get(key)]
    return " ".join([Path(sys.argv[0]).stem, *(named or [str(os.getpid())]), f"in {Path.cwd()}"])


def _one_line(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.filename:  # the system's own message names no mend
        made = Path(error.filename).parts[:1] in [(folder,) for folder in MADE]
        mend = "run the stages before this one, as `dvc repro` does for the datasets of params.yaml" if made else ""
        return f"{error.filename} is missing: {mend or 'put it there, or correct the path'}"
    if isinstance(error, OSError) and error.filename and ": " not in error.strerror:  # likewise
        return f"{error.filename}: {error.strerror}: correct the path, or what lies there"
    if isinstance(error, InputError | OSError):
        return str(error)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unforeseen {type(error).__name__} at {where.filename}:{where.lineno} ({error}): look at what the stage was "
        "given and reads; BGBIAS_TRACEBACK=1 shows more, which is worth a report"
    )
