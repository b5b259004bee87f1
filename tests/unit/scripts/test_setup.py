"""scripts/setup on a machine that has only what a test puts there."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INPUTS = (
    "requirements-dev.txt",
    "scripts/installers.txt",
    "emulators/pyproject.toml",
    "package.json",
    "package-lock.json",
    "emulators/tests/clients/javascript/package.json",
    "emulators/tests/clients/javascript/package-lock.json",
)
CLIENT = "emulators/tests/clients/javascript/node_modules"
TOOLS = ("bash", "cat", "dirname", "sha256sum", "rm", "mkdir", "env")


class Clone:
    """A bare clone and a PATH of its own."""

    def __init__(self, folder):
        self.root, self.bin = folder / "clone", folder / "bin"
        (self.root / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "scripts" / "setup", self.root / "scripts")
        for name in INPUTS:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(f"{name} 1\n")
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))

    def program(self, path, script):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        path.chmod(0o755)

    def stamp(self, folder, *names):
        text = f"{self.root}\n" + "".join((self.root / name).read_text() for name in names)
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / folder / ".ready").write_text(f"{hashlib.sha256(text.encode()).hexdigest()}  -\n")

    def make_python_ready(self):
        self.program(self.root / ".venv" / "bin" / "python", "exit 0")
        self.stamp(".venv", *INPUTS[:3])

    def make_node_ready(self):
        self.stamp("node_modules", *INPUTS[3:5])
        self.stamp(CLIENT, *INPUTS[5:])

    def setup(self):
        environment = {"PATH": str(self.bin), "HOME": str(self.root), "LANG": os.defpath}
        command = [str(self.bin / "bash"), str(self.root / "scripts" / "setup")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_clone_that_is_ready_is_left_alone_without_a_word(clone):
    clone.make_python_ready()
    clone.make_node_ready()

    done = clone.setup()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_absent_python_is_one_line_that_says_what_to_install(clone):
    clone.make_node_ready()
    clone.program(clone.bin / "gcc", "exit 0")

    done = clone.setup()

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "[setup] Python is missing: install Python 3.13, then run this again."


def test_absent_node_is_one_line_that_says_what_to_install(clone):
    clone.make_python_ready()

    done = clone.setup()

    assert done.returncode == 1
    assert done.stderr == (
        "[setup] Node.js 20 or later with npm is needed (found: none): install it, then run this again.\n"
    )


def test_old_node_is_refused_with_its_version(clone):
    clone.make_python_ready()
    clone.program(clone.bin / "node", "echo v18.19.0")

    assert "(found: v18.19.0)" in clone.setup().stderr


def test_failed_npm_is_tried_again_the_next_time(clone):
    clone.make_python_ready()
    clone.program(clone.bin / "node", "echo v20.1.0")
    clone.program(clone.bin / "npm", "exit 7")

    assert clone.setup().returncode == 7
    assert not (clone.root / "node_modules" / ".ready").exists()


@pytest.mark.parametrize(("lock", "where"), [(INPUTS[4], ""), (INPUTS[6], "emulators/tests/clients/javascript")])
def test_changed_package_lock_calls_npm_there_again_and_then_it_is_ready(clone, lock, where):
    clone.make_python_ready()
    clone.make_node_ready()
    (clone.root / lock).write_text("other\n")
    clone.program(clone.bin / "node", "echo v22.1.0")
    clone.program(clone.bin / "npm", "echo npm $* in $PWD")

    assert f"npm ci --loglevel=error in {clone.root / where}\n" in clone.setup().stdout
    assert clone.setup().stdout == ""


def test_absent_compiler_is_one_line_that_says_what_to_install(clone):
    clone.make_node_ready()

    done = clone.setup()

    assert done.returncode == 1
    assert done.stderr.startswith("[setup] a C compiler is missing: install one")


def test_moved_clone_is_set_up_again(clone):
    clone.make_python_ready()
    clone.make_node_ready()
    moved = clone.root.rename(clone.root.with_name("moved"))
    clone.root = moved

    assert clone.setup().returncode == 1
