"""Memory that a process has freed is used again without asking the system for it."""

import subprocess
import sys

import pytest

MANY = """
import resource
{first}
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        b'x' * 2**26  # in 16,384 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages()
print(pages())
"""
KEPT = "from bgbias.command import memory; memory.keep_freed()"


def pages(first):
    """How many pages the system gives a process for four arrays, each freed before the next, after four others."""
    done = subprocess.run([sys.executable, "-c", MANY.format(first=first)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's memory")
def test_freed_memory_is_kept_for_what_comes_next():
    if pages("") < 1000:
        pytest.skip("here freed memory is kept, or pages are large, by themselves")
    assert pages(KEPT) < 100
