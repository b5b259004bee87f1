"""Memory of arrays that live as long as one block of lines: kept for those of the next one."""

from typing import Final

import numpy as np

_LARGEST: Final = 31 << 20


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays of up to 31 MiB for the next ones; where it is not glibc, do nothing.

    glibc gives each array that is larger than a threshold, at first 128 KiB, pages of its own from the kernel, and
    gives them back when it is freed; it raises the threshold to the size of what was freed so, up to 32 MiB, and gives
    back free memory at its end from twice as much on (mallopt(3), M_MMAP_THRESHOLD). So an array that is made once,
    and never written, spares each block the faults of some thousand pages: half of the time that it takes.
    """
    np.empty(_LARGEST, np.uint8)
