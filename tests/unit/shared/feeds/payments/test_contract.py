import json
import re
from datetime import datetime
from pathlib import Path

import pytest

SCHEMA = json.loads((Path(__file__).parents[5] / "contracts" / "transactions.v1.schema.json").read_text())
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def test_columns_stand_in_the_order_of_the_contract(records):
    assert list(SCHEMA["properties"]) == SCHEMA["required"]
    assert len(SCHEMA["required"]) == 28
    assert all(list(record) == SCHEMA["required"] for record in records)


@pytest.mark.parametrize("column", SCHEMA["required"])
def test_every_value_is_of_its_contract(records, column):
    rules = SCHEMA["properties"][column]

    breaches = [record[column] for record in records if not _obeys(record[column], rules)]

    assert breaches == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("cvvVerifyResult", "x" * 9), ("localHour", 24), ("isProxyIP", 1), ("accountAge", True), ("accountID", "x" * 65),
     ("transactionAmount", -1), ("transactionDateTime", "yesterday"), ("ipState", "x" * 65)],
)  # fmt: skip
def test_the_check_itself_sees_a_breach(column, value):
    assert not _obeys(value, SCHEMA["properties"][column])


def test_the_partition_key_is_the_address_country_or_unk(drawn, records):
    keys = drawn.keys.to_pylist()

    assert SCHEMA["x-partition-key"] == "ipCountryCode"
    assert keys == [record["ipCountryCode"] or "unk" for record in records]
    assert "unk" in keys


def _obeys(value, rules) -> bool:
    kind = rules["type"] if isinstance(rules["type"], str) else rules["type"][0]
    right_kind = isinstance(value, KINDS[kind]) and isinstance(value, bool) == (kind == "boolean")
    return right_kind and _obeys_text(value, rules) and _obeys_number(value, rules)


def _obeys_text(value, rules) -> bool:
    if not isinstance(value, str):
        return True
    if "enum" in rules and value not in rules["enum"]:
        return False
    if rules.get("format") == "date-time":
        return _is_utc(value)
    if len(value) > rules.get("maxLength", len(value)):
        return False
    return "pattern" not in rules or re.search(rules["pattern"], value) is not None


def _is_utc(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).isoformat(timespec="microseconds").replace("+00:00", "Z") == value
    except ValueError:
        return False


def _obeys_number(value, rules) -> bool:
    lowest, above, highest = rules.get("minimum"), rules.get("exclusiveMinimum"), rules.get("maximum")
    return (
        (lowest is None or value >= lowest)
        and (above is None or value > above)
        and (highest is None or value <= highest)
    )
