"""What is published, by the rules of .funcignore."""

from pathlib import Path

import pathspec
import pytest

ROOT = Path(__file__).parents[3]
RULES = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
APP = {"function_app.py", "host.json", "requirements.txt", "blueprints", "contracts", "shared"}


def is_published(path):
    return not any(RULES.match_file(part) for part in (path, f"{path}/"))


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
        "databricks", "definitions", "docs", "emulators", "infra", "local",
        "local.settings.json", "local.settings.sample.json", "node_modules", "package-lock.json",
        "package.json", "pyproject.toml", "requirements-dev.in", "requirements-dev.txt", "requirements.in",
        "scripts", "shared/domain/__pycache__", "tests",
    ],
)  # fmt: skip
def test_what_is_not_the_app_stays_at_home(path):
    assert not is_published(path)
