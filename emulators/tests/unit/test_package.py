"""What the package says of itself: it needs what it imports, and nothing of the repository around it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
SOURCES = sorted((PACKAGE / "src").rglob("*.py"))
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
AZURE = {
    "azure.core": "azure-core",
    "azure.eventhub.extensions.checkpointstoreblobaio": "azure-eventhub-checkpointstoreblob-aio",
    "azure.eventhub": "azure-eventhub",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "azure.storage.queue": "azure-storage-queue",
}
DATA_ONLY = {"tzdata"}  # read by zoneinfo where the system has no time zones


def imported():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module


def distribution(module, installed):
    top = module.split(".")[0]
    if top == "azure":
        return next(name for prefix, name in AZURE.items() if module.startswith(prefix))
    return installed[top][0].lower().replace("_", "-")


def test_the_package_needs_exactly_what_it_imports():
    installed = packages_distributions()
    own = {"emulators", *sys.stdlib_module_names}
    needed = {distribution(module, installed) for module in imported() if module.split(".")[0] not in own}

    declared = {re.split(r"[<>=\[]", each)[0] for each in PROJECT["dependencies"]}

    assert declared - DATA_ONLY == needed
    assert declared >= DATA_ONLY


def test_every_emulator_can_be_run_by_its_name():
    services = {path.parent.name for path in SOURCES if path.name == "__main__.py"}

    described = set(re.findall(r"^## (\w+)$", (PACKAGE / "README.md").read_text(), re.MULTILINE))

    assert services <= described
