from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage.window_entities import slice_entity, slice_row, window_entity, window_key, window_row
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.window import Slice, Window
from shared.errors import CorruptRow

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = Window("trades", NOON, NOON + timedelta(hours=1))
documents = st.dictionaries(st.text(max_size=5), st.text(max_size=50_000), max_size=3)


@given(plan=documents, result=documents, stop=st.none() | st.just(NOON))
def test_a_window_row_survives_its_entity(plan, result, stop):
    row = WindowRow(WINDOW, "open", "timer", NOON, plan, queued=True, opened_at=NOON, stop_at=stop, result=result)
    row = replace(row, announced={"opened": "2026-11-22T12:00:00+00:00"})

    entity = window_entity(row)

    assert window_row(entity) == row
    assert all(len(value) <= 32_768 for value in entity.values() if isinstance(value, str))


@given(report=documents, sinks=st.just({}) | st.just({"trades": {"hub": {"read": 3}, "cosmos": {"units": 1.5}}}))
def test_a_slice_row_survives_its_entity(report, sinks):
    part = Slice(WINDOW.id, 7, NOON, NOON + timedelta(minutes=5))
    row = SliceRow(part, 2, "done", NOON, NOON, {"trades": {"read": 3}}, report, "because", sinks=sinks)

    entity = slice_entity(row)

    assert entity["RowKey"] == "0007-002"
    assert slice_row(entity) == row


@pytest.mark.parametrize("text", ["", "trades", "trades-", "-20261122T120000Z", "trades-20261322T120000Z", "a/b"])
def test_what_is_no_window_id_is_refused(text):
    with pytest.raises(ValueError, match=r"window id|does not match|unconverted|time data"):
        window_key(text)


def test_a_row_of_another_shape_is_named():
    with pytest.raises(CorruptRow, match="trades/20261122T120000Z"):
        window_row({"PartitionKey": "trades", "RowKey": "20261122T120000Z"})
