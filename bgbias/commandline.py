"""The command line of a stage: its arguments, params.yaml, errors in one line."""

import argparse
import os
import sys
from collections.abc import Callable

from bgbias import params

EXPECTED = (ValueError, OSError, ArithmeticError)  # what the user can mend; anything else is a defect


def run(stage: Callable[..., None], description: str, **arguments: str) -> None:
    """Parse the arguments, read params.yaml and run a stage.

    An error that the user can mend is printed as one line and ends the process with exit code 1; set
    BGBIAS_TRACEBACK=1 to see where it came from.

    Args:
        stage: called with the checked parameters and the arguments.
        description: for --help: the stage's docstring.
        **arguments: name -> help of each positional argument.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, explanation in arguments.items():
        parser.add_argument(name, help=explanation)
    given = parser.parse_args()
    try:
        stage(params.load(), **vars(given))
    except EXPECTED as error:
        if os.environ.get("BGBIAS_TRACEBACK"):
            raise
        sys.exit(f"error: {' '.join(str(error).split())}")
