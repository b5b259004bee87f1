"""What is published, by the rules of .funcignore: as git reads them, and as Core Tools do."""

import json
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pathspec
import pytest

ROOT = Path(__file__).parents[3]
LINES = (ROOT / ".funcignore").read_text().splitlines()
RULES = pathspec.GitIgnoreSpec.from_lines(LINES)
APP = {"function_app.py", "host.json", "requirements.txt", "blueprints", "contracts", "shared"}


def is_published(path):
    return not any(RULES.match_file(part) for part in (path, f"{path}/"))


pattern = runpy.run_path(str(ROOT / "scripts" / "package"))["pattern"]


def is_published_by_core_tools(path, lines=LINES):
    return not pattern(lines).match(path)


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


@pytest.mark.parametrize(
    ("line", "path", "published"),
    [
        ("docs", "docs/a.md", False),
        ("docs", "docs_of_ours/a.md", False),  # a line says how a path begins, and no more
        ("docs", "shared/docs/a.md", True),  # and it begins at the root
        ("/docs", "docs/a.md", False),
        ("*.md", "README.md", False),
        ("*.md", "contracts/README.md", True),  # a star crosses no slash
        ("**/*.md", "contracts/README.md", False),
        ("**/*.md", "README.md", True),
        ("a.b", "aXb", True),
        ("# docs", "docs/a.md", True),
    ],
)
def test_a_line_is_read_as_core_tools_read_it(line, path, published):
    assert is_published_by_core_tools(path, ["", line]) is published


def known_to_git():
    asked = ["git", "ls-files"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_core_tools_and_git_leave_the_same_files_of_this_clone():
    everywhere = {path.relative_to(ROOT).as_posix() for part in APP for path in (ROOT / part).rglob("*")}
    names = [name for name in {*known_to_git(), *everywhere} if (ROOT / name).is_file()]

    assert {name for name in names if is_published_by_core_tools(name)} == set(filter(is_published, names))


@pytest.fixture
def packed(tmp_path):
    """Build the package in a folder of its own, for a durable backend; gives its files by their names."""

    def build(*options):
        words = [sys.executable, ROOT / "scripts" / "package", "--folder", tmp_path / "app", *options]
        subprocess.run(words, capture_output=True, check=True)
        found = [path for path in (tmp_path / "app").rglob("*") if path.is_file()]
        return {path.relative_to(tmp_path / "app").as_posix(): path.read_bytes() for path in found}

    return build


def test_the_zip_has_what_git_has_and_the_rules_leave_and_so_has_the_folder(packed):
    built = subprocess.run([sys.executable, ROOT / "scripts" / "package"], capture_output=True, text=True, check=True)
    with zipfile.ZipFile(ROOT / "dist" / "app.zip") as package:
        found = {name: package.read(name) for name in package.namelist()}

    assert built.stdout.startswith("dist/app.zip: ")
    assert list(found) == sorted(filter(is_published, known_to_git()))
    assert found == packed()
    assert {name.split("/")[0] for name in found} == APP


@pytest.mark.parametrize("files", [["notes.txt"], [".git", "host.json"]])
def test_a_folder_with_other_files_is_left_as_it_is(packed, tmp_path, files):
    (tmp_path / "app").mkdir()
    for name in files:
        (tmp_path / "app" / name).write_text("kept")

    with pytest.raises(subprocess.CalledProcessError):
        packed()

    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == files


def test_a_package_for_azure_storage_has_every_file_as_it_is(packed):
    assert all((ROOT / name).read_bytes() == content for name, content in packed("--durable", "storage").items())


def test_a_package_for_the_scheduler_differs_by_its_host_json_alone(packed):
    storage, scheduler = packed(), packed("--durable", "scheduler")

    assert {name for name in storage if storage[name] != scheduler[name]} == {"host.json"}
    assert set(storage) == set(scheduler)


def test_the_host_json_of_the_scheduler_is_that_of_git_but_for_what_is_of_one_backend(packed):
    of_git, written = (
        json.loads((ROOT / "host.json").read_text()),
        json.loads(packed("--durable", "scheduler")["host.json"]),
    )

    durable = written["extensions"]["durableTask"]
    assert durable.pop("storageProvider") == {
        "type": "azureManaged",
        "connectionStringName": "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    }
    assert written["extensionBundle"].pop("version") == "[4.32.0, 5.0.0)"
    del of_git["extensions"]["durableTask"]["storageProvider"]
    del of_git["extensionBundle"]["version"]
    del of_git["logging"]["logLevel"]["DurableTask.AzureStorage"]
    assert written == of_git
