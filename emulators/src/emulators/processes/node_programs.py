"""Programs that npm installed: where they lie, and the interpreter that runs them."""

import shutil
from pathlib import Path

_MODULES = "node_modules"


class NodeMissing(Exception):
    """Node.js, or a program that npm should have installed, is not there; the text says what to do."""


def installed(path: str, folder: Path) -> Path:
    """Find a file or folder of a package as Node.js would: in `node_modules` of a folder, or of the nearest above it.

    Gives where it would be in `folder` itself if it is nowhere.
    """
    candidates = [one / _MODULES / path for one in (folder.absolute(), *folder.absolute().parents)]
    return next((found for found in candidates if found.exists()), candidates[0])


def node_command(program: Path, package: str, option: str, *arguments: str) -> list[str]:
    """Write the command line of Node.js for a program of a package; raises NodeMissing where one of both is not there.

    option: names the program on our own command line.
    """
    node = shutil.which("node")
    if node is None:
        raise NodeMissing("Node.js is missing: install Node.js 20 or later.")
    if not program.exists():
        raise NodeMissing(f"{program} is not there: install it (`npm install {package}`), or give {option}.")
    return [node, *arguments]
