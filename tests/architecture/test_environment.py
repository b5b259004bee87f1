"""The environment is read by the settings alone, when somebody asks for them, and nothing happens at import."""

import ast
import json
import subprocess
import sys

import pytest

from shared.feeds.catalogue import FEEDS
from shared.settings.keys import settings_of
from tests.architecture.tree import ROOT, imports, is_in, modules, syntax

READER = "shared/settings/model.py"
WAYS = {"environ", "environb", "getenv", "getenvb"}


@pytest.fixture(scope="module")
def imported():
    command = [sys.executable, "-B", "-m", "tests.architecture.import_app"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_app_imports_in_an_empty_environment_and_reads_no_setting(imported):
    assert set(imported["reads"]) & set(settings_of(FEEDS)) == set()


def test_importing_the_app_opens_no_socket(imported):
    assert imported["sockets"] == []


def test_importing_the_app_writes_no_file_and_starts_no_thread(imported):
    assert imported["writes"] == []
    assert imported["threads"] == ["MainThread"]


def test_importing_the_app_imports_no_sqlalchemy_which_costs_a_second_of_cold_start(imported):
    assert "azure" in imported["packages"]
    assert "sqlalchemy" not in imported["packages"]


def test_importing_the_app_imports_no_pandas_which_arrow_loads_to_look_at_any_list(imported):
    assert "pyarrow" in imported["packages"]
    assert "pandas" not in imported["packages"]


def test_importing_the_app_imports_nothing_that_sends_telemetry(imported):
    assert "shared.signals.recording" in imported["modules"]
    assert [name for name in imported["modules"] if name.startswith(("azure.monitor", "opentelemetry.sdk"))] == []


def test_only_the_settings_read_the_environment():
    readers = [
        f"{name}:{node.lineno}"
        for name in modules("shared", "blueprints", "function_app.py")
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.Attribute) and node.attr in WAYS
    ]
    importers = [
        f"{name}:{line}"
        for name in modules("shared", "blueprints", "function_app.py")
        for line, what in imports(name)
        if any(is_in(what, f"os.{way}") for way in WAYS)
    ]

    assert {place.rpartition(":")[0] for place in readers + importers} == {READER}, readers + importers


def test_the_settings_are_read_from_a_function():
    at_import = [node for node in syntax(READER).body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert [node.lineno for top in at_import for node in ast.walk(top) if getattr(node, "attr", "") in WAYS] == []
