"""What is published, by the rules of .funcignore."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pathspec
import pytest

ROOT = Path(__file__).parents[3]
RULES = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
APP = {"function_app.py", "host.json", "requirements.txt", "blueprints", "contracts", "shared"}


def is_published(path):
    return not any(RULES.match_file(part) for part in (path, f"{path}/"))


def is_published_by_core_tools(path):
    """Judge a path as Core Tools do: each pattern must fit from the root on, to the end of a name."""
    lines = (ROOT / ".funcignore").read_text().splitlines()
    patterns = [re.escape(line) for line in lines if line and not line.startswith("#")]
    globs = [one.replace(r"\*\*", ".+").replace(r"\*", "[^/]+") for one in patterns]
    return not any(re.match(rf"{glob}(/|$)", path) for glob in globs)


def published_files(folder):
    for path in sorted(folder.iterdir()):
        name = path.relative_to(ROOT).as_posix()
        if path.is_dir() and is_published(name):
            yield from published_files(path)
        elif path.is_file() and not RULES.match_file(name):
            yield name


def test_nothing_but_the_app_is_published():
    tops = {name.split("/")[0] for name in published_files(ROOT)}

    assert tops <= APP


def test_every_source_file_and_contract_of_the_app_is_published():
    wanted = {
        path.relative_to(ROOT).as_posix()
        for part in ("shared", "blueprints", "contracts")
        for path in (ROOT / part).rglob("*")
        if path.suffix in {".py", ".json", ".sql"}
    }

    assert wanted <= set(published_files(ROOT))


@pytest.mark.parametrize(
    "path", ["function_app.py", "host.json", "requirements.txt", "contracts/trades.v1.schema.json"]
)
def test_the_app_is_in_the_package(path):
    assert is_published(path)


@pytest.mark.parametrize(
    "path",
    [
        ".cache", ".ci", ".devcontainer", ".git", ".github", ".gitignore", ".local", ".venv", ".venv-checkov",
        ".python-version", ".vscode", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "azure.yaml", "benchmarks",
        "cost", "databricks", "definitions", "docs", "emulators", "infra", "local",
        "local.settings.json", "local.settings.sample.json", "node_modules", "package-lock.json",
        "package.json", "pyproject.toml", "requirements-dev.in", "requirements-dev.txt", "requirements.in",
        "scripts", "shared/domain/__pycache__", "tests",
    ],
)  # fmt: skip
def test_what_is_not_the_app_stays_at_home(path):
    assert not is_published(path)


@pytest.mark.parametrize(
    "path",
    [
        "shared/__pycache__/errors.cpython-313.pyc",
        "shared/domain/windows/__pycache__",
        "contracts/README.md",
        "tests/e2e",
    ],
)
def test_core_tools_which_match_from_the_root_alone_leave_the_same_at_home(path):
    assert not is_published_by_core_tools(path)
    assert not is_published(path)


def test_the_package_has_what_core_tools_would_publish_of_the_files_that_git_has():
    built = subprocess.run([sys.executable, ROOT / "scripts" / "package"], capture_output=True, text=True, check=True)
    with zipfile.ZipFile(ROOT / "dist" / "app.zip") as package:
        names = package.namelist()
    known = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert built.stdout.startswith("dist/app.zip: ")
    assert names == sorted(name for name in known if is_published_by_core_tools(name))
    assert {name.split("/")[0] for name in names} == APP
