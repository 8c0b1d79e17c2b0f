"""What a process does with the memory that its tensors have left."""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's numbers of its settings, in malloc.h
PAD = 2**26  # bytes that are asked for at once beside what is needed


def keep_freed() -> None:
    """Let the process keep memory that is freed, for the next tensor, and not give it back to the system meanwhile.

    By default glibc maps each large block anew, and the system clears it page by page, which took two thirds of the
    time of an EfficientNet's attention maps. No figure depends on it. Other C libraries are left as they are.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):
        libc.mallopt(MMAP_MAX, 0)
        libc.mallopt(TRIM_THRESHOLD, -1)
        libc.mallopt(TOP_PAD, PAD)
