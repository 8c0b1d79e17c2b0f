"""The command `bgbias`: run a stage from any folder.

    bgbias audit --photos ~/shop/photos --embedder onnx:net.onnx --out audits/shop

is `python -m stages.audit ...`, but where the current folder has no params.yaml, the checkout's counts.
"""

import ast
import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
STAGES = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("__"))


def main() -> None:
    """Run the stage that the first argument names; without one, or with --help, list them."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print("usage: bgbias STAGE ...   (bgbias STAGE --help)\n")
        for stage in STAGES:
            print(f"  {stage:<18}{ast.get_docstring(ast.parse((HERE / f'{stage}.py').read_text())).splitlines()[0]}")
        return
    if name not in STAGES:
        sys.exit(f"error: no stage '{name}': one of {', '.join(STAGES)}")
    os.environ.setdefault("BGBIAS_PARAMS", str(HERE.parent / "params.yaml"))
    sys.argv = [name, *arguments]
    runpy.run_module(f"stages.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
