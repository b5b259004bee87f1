"""The SQL table `window_counts`, held against its contract."""

import json
from importlib.resources import files

import pytest

from lakehouse.sinks.ddl import definition
from lakehouse.sinks.tables import WINDOW_COUNTS


def document(name):
    return json.loads(files("lakehouse").joinpath("contracts", "documents", f"{name}.schema.json").read_text())


CONTRACT, GRAMMAR = document("window_counts.v1"), document("grammar.v1")["$defs"]
TEXTS = ("window_id", "stream", "stage", "name")


def test_it_has_the_columns_and_the_key_of_the_contract():
    assert list(WINDOW_COUNTS.names) == CONTRACT["required"] == list(CONTRACT["properties"])
    assert list(WINDOW_COUNTS.key) == CONTRACT["x-key"]
    assert all(column.required for column in WINDOW_COUNTS.columns)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_as_long_as_the_contract_allows(name):
    (column,) = (column for column in WINDOW_COUNTS.columns if column.name == name)
    rule = CONTRACT["properties"][name]
    length = rule.get("maxLength") or GRAMMAR[rule["$ref"].rpartition("/")[2]]["maxLength"]

    assert f"nvarchar({length})" in definition(WINDOW_COUNTS, column, "tsql")
