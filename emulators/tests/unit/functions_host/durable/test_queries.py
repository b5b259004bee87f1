from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.durable.model import Instance
from emulators.functions_host.durable.queries import (
    PAGE,
    fields_of,
    parse_filter,
    parse_flag,
    parse_purge,
    parse_top,
    read_token,
    token_after,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Instance("win-1", "e", "n", "Running", NOW, NOW)


@pytest.mark.parametrize(
    ("query", "held"),
    [
        ([], True),
        ([("runtimeStatus", "Completed,Running")], True),
        ([("runtimeStatus", "Completed"), ("runtimeStatus", "Running")], True),
        ([("RUNTIMESTATUS", "Completed")], False),
        ([("instanceIdPrefix", "win")], True),
        ([("instanceIdPrefix", "leg")], False),
        ([("createdTimeFrom", "2026-01-01T00:00:00Z")], True),
        ([("createdTimeFrom", "2026-01-01T00:00:01")], False),
        ([("createdTimeTo", "2025-12-31T00:00:00Z")], False),
    ],
)
def test_a_filter_holds_what_it_names(query, held):
    assert parse_filter(fields_of(query)).holds(ONE) is held


@pytest.mark.parametrize(
    "query", [("runtimeStatus", "Nonsense"), ("runtimeStatus", "running"), ("createdTimeTo", "yesterday"), ("top", "x")]
)
def test_a_filter_that_makes_no_sense_is_passed_over(query):
    assert parse_filter(fields_of([query])).holds(ONE)


def test_a_status_that_is_none_does_not_widen_one_that_is():
    assert not parse_filter(fields_of([("runtimeStatus", "Nonsense,Failed")])).holds(ONE)


@pytest.mark.parametrize("query", [[], [("createdTimeFrom", "soon")], [("createdTimeTo", "2026-01-01")]])
def test_a_purge_needs_to_know_from_when_on(query):
    assert parse_purge(fields_of(query)) is None


def test_a_purge_does_not_know_prefixes():
    wanted = parse_purge(fields_of([("createdTimeFrom", "2026-01-01"), ("instanceIdPrefix", "leg")]))

    assert wanted.holds(ONE)


@pytest.mark.parametrize(("text", "top"), [("2", 2), ("", PAGE), ("0", PAGE), ("-1", PAGE), ("two", PAGE)])
def test_a_page_is_as_long_as_was_asked_or_as_the_extensions(text, top):
    assert parse_top(fields_of([("top", text)])) == top


@pytest.mark.parametrize(("text", "flag"), [("True", True), ("false", False), ("1", None), ("", None)])
def test_a_flag_is_true_or_false_and_anything_else_is_passed_over(text, flag):
    fields = fields_of([("showInput", text)])

    assert parse_flag(fields, "showInput", default=True) is (True if flag is None else flag)
    assert parse_flag(fields, "showInput") is (flag or False)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_token_leads_on_from_where_its_page_ended(instance_id):
    assert read_token(token_after(instance_id)) == instance_id


@pytest.mark.parametrize("token", ["not a token", "a", "/w=="])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(ValueError, match="is no continuation token"):
        read_token(token)
