"""Notebooks are thin: they import what the wheel gives, and show it."""

import re
from importlib import import_module

import pytest

from check_bundle import problems_of_notebook
from hub_stage import ROOT

NOTEBOOKS = sorted((ROOT / "databricks/notebooks").glob("*.py"))

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def test_there_are_notebooks_for_bronze_payments_a_window_and_a_tables_history():
    assert [path.stem for path in NOTEBOOKS] == [
        "explore_bronze",
        "explore_payments",
        "table_history",
        "window_report",
    ]


@each_notebook
def test_a_notebook_only_shows_what_the_wheel_gives(path):
    text = path.read_text()
    imports = re.findall(r"^(?:from|import) (\S+)", text, re.MULTILINE)

    assert problems_of_notebook(path) == []
    assert {name.partition(".")[0] for name in imports} == {"lakehouse"}
    assert not re.search(r"^\s*(def|class|for|while|if) ", text, re.MULTILINE)
    for module, names in re.findall(r"^from (lakehouse\S*) import (.+)$", text, re.MULTILINE):
        assert [name for name in names.split(", ") if not hasattr(import_module(module), name)] == []


@each_notebook
def test_a_notebook_asks_which_lake_it_shows(path):
    widgets = set(re.findall(r'dbutils\.widgets\.text\("(\w+)"', path.read_text()))

    assert {"catalog", "schema_prefix"} <= widgets
