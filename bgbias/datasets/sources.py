"""Where raw data comes from: what the user has put under data/sources, else a public Git repository."""

import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

from bgbias import files
from bgbias.errors import InputError
from bgbias.files import root


class Public(NamedTuple):
    """A folder of a public Git repository at a pinned revision, and what must be found in it.

    Attributes:
        name: of the folder under data/sources that is looked at first.
        url: of the Git repository.
        folder: inside the repository.
        revision: the commit.
        parts: the files and folders of it that are taken.
        count: the number of files in them.
        checksum: `files.checksum` of them.
        instead: what does without them, to be advised where there is no network; "": nothing.
    """

    name: str
    url: str
    folder: str
    revision: str
    parts: tuple[str, ...]
    count: int
    checksum: str
    instead: str = ""


def fetch(public: Public, out: Path) -> None:
    """Copy the parts of a public dataset into a new folder and verify them.

    Args:
        public: what to fetch.
        out: the folder to make; it appears when everything is there and right.

    Raises:
        FileNotFoundError: neither under data/sources nor to be had from the repository.
        ValueError: the number of files or the checksum is not the published one.
    """
    local = root() / "data" / "sources" / public.name
    if local.is_dir():
        _copy(local, out, public, f"replace {local} by the original, or remove it to fetch {public.url}")
        return
    with files.scratch(out) as scratch:
        fetched = scratch / public.name
        command = [sys.executable, "-m", "dvc", "get", public.url, public.folder, "--rev", public.revision]
        done = subprocess.run([*command, "-o", fetched], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            reason = shorten(said[0], 150, placeholder=" ...")
            raise FileNotFoundError(
                f"{public.name}: {public.url} cannot be fetched ({reason}): connect to the network, "
                f"{public.instead}or put its folder {public.folder} at {public.revision} under {local}"
            )
        _copy(fetched, out, public, "the repository no longer holds what was published")


def _copy(source: Path, out: Path, public: Public, mend: str) -> None:
    with files.whole_folder(out) as partial:
        for part in public.parts:
            path = source / part
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    target = partial / file.relative_to(source)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)  # not its permissions: the source may be read-only
        count = sum(file.is_file() for file in partial.rglob("*"))
        if count != public.count:
            raise InputError(f"{source}: {count:,} files, expected {public.count:,}: {mend}")
        if files.checksum(partial) != public.checksum:
            raise InputError(f"{source}: the checksum is not the published one: {mend}")
