"""The launcher that ties a process to its parent."""

import os
import subprocess
import sys
from pathlib import Path

from emulators.processes import launcher

LAUNCHER = Path(launcher.__file__)


def launch(parent, *program):
    command = [sys.executable, "-I", "-S", str(LAUNCHER), str(parent), *program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_launcher_becomes_the_program_it_is_given():
    done = launch(os.getpid(), sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "a", "b c")

    assert (done.returncode, done.stdout) == (7, "['a', 'b c']\n")


def test_program_does_not_begin_where_the_parent_is_gone_already():
    done = launch(os.getpid() + 1, sys.executable, "-c", "print('began')")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "parent ended" in done.stderr
