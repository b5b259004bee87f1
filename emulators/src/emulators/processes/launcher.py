"""Become another program that dies with its parent, however the parent dies.

`python -I -S launcher.py <parent pid> <program> [argument …]`: on Linux the kernel is asked to kill this process when
the thread that started it ends (prctl(2), PR_SET_PDEATHSIG), which also holds after the exec; elsewhere it only execs.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then exec the program named on the command line."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent ended before its child began.")
    os.execvp(program[0], program)  # noqa: S606 - the program is our own command line


if __name__ == "__main__":
    main()
