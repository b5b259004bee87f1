"""What the shop's contracts refuse, and what they let through to be found by those who join records."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.unit.shared.feeds.shop.conftest import read

CONTRACTS = Path(__file__).parents[5] / "contracts"


def breaches(stream, record, **changed):
    schema = json.loads((CONTRACTS / f"{stream}.v1.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(record | changed)]


@pytest.mark.parametrize(
    ("stream", "changed"),
    [
        ("stars", {"stars": 0}),
        ("stars", {"stars": 6}),
        ("stars", {"stars": 2.5}),
        ("stars", {"stars": "5"}),
        ("pageviews", {"user_id": 0}),
        ("pageviews", {"user_id": None}),
        ("pageviews", {"latency": -1}),
        ("pageviews", {"http_method": "get"}),
        ("pageviews", {"view_id": "1"}),
        ("pageviews", {"uri": "x" * 201}),
        ("orders", {"order_value": -0.01}),
        ("orders", {"order_value": "1.00"}),
        ("items", {"item_value": 0}),
        ("items", {"row_id": 0}),
        ("items", {"row_id": 11}),
    ],
    ids=str,
)
def test_a_record_that_is_wrong_by_itself_is_refused(drawn, stream, changed):
    record = read(drawn[stream].slice(0, 1))[0]

    assert breaches(stream, record) == []
    assert len(breaches(stream, record, **changed)) == 1


def test_a_view_of_an_unknown_user_is_let_through(drawn):
    assert breaches("pageviews", read(drawn["pageviews"].slice(0, 1))[0], user_id=99_999_999) == []


def test_an_order_without_items_is_let_through(drawn):
    assert breaches("orders", read(drawn["orders"].slice(0, 1))[0], order_value=0) == []
