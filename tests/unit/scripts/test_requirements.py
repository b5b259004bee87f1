"""The pinned requirements."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLIENT = "emulators/tests/clients/javascript/"
PINNED = ("requirements.txt", "requirements-dev.txt", "scripts/installers.txt", "infra/checks/checkov.txt")
DEVELOPMENT_ONLY = {"azure-functions-runtime", "pytest", "ruff", "mypy", "trustme", "python-qpid-proton", "polars"}


def entries(path):
    text = (ROOT / path).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def names(path):
    return {re.split(r"[=\[ ;]", entry)[0].lower() for entry in entries(path)}


@pytest.mark.parametrize("path", PINNED)
def test_every_package_is_pinned_with_hashes(path):
    for entry in entries(path):
        assert re.match(r"^[a-zA-Z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize(
    "path", [*PINNED, *(f"{folder}{name}" for folder in ("", CLIENT) for name in ("package-lock.json", "package.json"))]
)
def test_no_file_names_a_registry(path):
    text = (ROOT / path).read_text()

    assert "index-url" not in text
    assert not re.search(r'"resolved"\s*:|(^|\s)(--find-links|-f)\s', text)


def test_the_app_needs_nothing_of_development():
    assert not names("requirements.txt") & DEVELOPMENT_ONLY


def test_development_runs_the_versions_that_are_published():
    published = {entry.split(" ")[0] for entry in entries("requirements.txt")}

    assert published <= {entry.split(" ")[0] for entry in entries("requirements-dev.txt")}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "scripts/installers", "infra/checks/checkov"])
def test_every_listed_package_is_pinned(name):
    lines = (ROOT / f"{name}.in").read_text().splitlines()
    listed = {re.split(r"[<>=\[ ]", line)[0] for line in lines if line and line[0] not in "#-"}

    assert listed <= names(f"{name}.txt")


def test_what_the_emulators_need_is_pinned_for_development():
    project = tomllib.loads((ROOT / "emulators" / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["tests"]]

    assert {re.split(r"[<>=\[]", each)[0] for each in needed} <= names("requirements-dev.txt")
