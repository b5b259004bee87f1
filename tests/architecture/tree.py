"""The files of the project as git sees them, and what their syntax trees say."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[str, ...]:
    """List every file that is tracked, or would be if it were added now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return tuple(sorted(name for name in set(listed.split("\0")) if (ROOT / name).is_file()))


@cache
def text(name: str) -> str:
    """Read a file; one that is not text is empty."""
    content = (ROOT / name).read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def modules(*tops: str) -> list[str]:
    """List the Python files of some folders (or the files themselves); of all where none is named."""
    return [name for name in files() if name.endswith(".py") and (not tops or is_below(name, tops))]


def is_below(name: str, tops: tuple[str, ...]) -> bool:
    """Say whether a file is one of these or lies in one of these folders."""
    return any(name == top or name.startswith(f"{top}/") for top in tops)


@cache
def syntax(name: str) -> ast.Module:
    return ast.parse(text(name), name)


def imports(name: str) -> Iterator[tuple[int, str]]:
    """Give line and full name of all that a module imports, wherever in it; `from a import b` is `a.b`."""
    for node in ast.walk(syntax(name)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def is_in(name: str, package: str) -> bool:
    """Say whether a dotted name is a package or lies in it."""
    return name == package or name.startswith(f"{package}.")


def imported_within(package: str, *tops: str) -> dict[str, list[int]]:
    """Give the modules of some top folders that import a package, with the lines."""
    found = {name: [line for line, what in imports(name) if is_in(what, package)] for name in modules(*tops)}
    return {name: lines for name, lines in found.items() if lines}
