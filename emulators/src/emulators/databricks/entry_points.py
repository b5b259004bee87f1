"""Which function an entry point of a wheel is, read from the `pyproject.toml` the wheel is built from."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A function that takes its arguments from `sys.argv`."""

    name: str
    module: str
    function: str

    @property
    def call(self) -> str:
        """Write the Python that calls it as Databricks does: its return value means nothing."""
        return f"import sys; from {self.module} import {self.function} as entry; sys.argv[0] = {self.name!r}; entry()"


def find_entry_point(pyproject: Path, package: str, name: str) -> EntryPoint:
    """Find the function `name` of the wheel `package`; LookupError where the project builds another wheel.

    Scripts and entry points of every group count; a name that none of them has is a function of the package itself.
    """
    try:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise LookupError(f"{pyproject} describes no project: {error!r}.") from error
    if _normal(project.get("name", "")) != _normal(package):
        raise LookupError(f"Python wheel with name {package} could not be found: {pyproject} builds {project['name']}.")
    module, _, function = _declared(project).get(name, f"{package}:{name}").partition(":")
    return EntryPoint(name, module.strip(), function.strip())


def _declared(project: dict[str, Any]) -> dict[str, str]:
    groups = [project.get("scripts", {}), *project.get("entry-points", {}).values()]
    return {name: target for group in groups for name, target in group.items()}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
