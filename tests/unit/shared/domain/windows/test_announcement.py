import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.announcement import closing, opening, window_of
from shared.domain.windows.window import Window

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window("trades", TEN, TEN + timedelta(hours=1))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def grid(announcement, **changes):
    event = {
        "id": announcement.id,
        "eventType": announcement.event_type,
        "subject": announcement.subject,
        "data": dict(announcement.data),
    }
    return event | changes


def cloud(announcement, **changes):
    event = grid(announcement) | {"type": announcement.event_type, "specversion": "1.0", "source": "/topics/windows"}
    del event["eventType"]
    return event | changes


def test_an_opening_names_its_window_in_id_subject_and_data():
    told = opening(WINDOW)

    assert (told.id, told.event_type, told.subject) == (WINDOW.id, "ADF_Event", "ADF_Trigger_Trades")
    assert told.time == TEN
    assert told.data == {
        "window": WINDOW.id,
        "feed": "trades",
        "start": "2026-11-22T10:00:00+00:00",
        "end": "2026-11-22T11:00:00+00:00",
    }


def test_a_closing_tells_the_real_end_the_state_and_the_counts():
    end = TEN + timedelta(minutes=7)

    told = closing(WINDOW, end, "stopped", {"trades": {"read": 3, "accepted": 2}})

    assert (told.id, told.subject) == (f"{WINDOW.id}/closed", "Window_Closed_Trades")
    assert (told.event_type, told.time) == ("Window_Closed", end)
    assert told.data["end"] == end.isoformat()
    assert (told.data["state"], told.data["counts"]) == ("stopped", {"trades": {"read": 3, "accepted": 2}})


def test_what_is_announced_is_plain_json():
    told = closing(WINDOW, TEN, "closed", {"trades": {"read": 3}})

    assert json.loads(json.dumps(told.data)) == told.data


@pytest.mark.parametrize("form", [grid, cloud])
@pytest.mark.parametrize("feed", ["trades", "payments", "call_centre"])
def test_an_opening_is_known_again_in_both_schemas(form, feed):
    window = Window(feed, TEN, WINDOW.end)

    assert window_of(form(opening(window))) == window.id


@pytest.mark.parametrize("form", [grid, cloud])
def test_data_may_arrive_as_the_text_of_its_json(form):
    told = opening(WINDOW)

    assert window_of(form(told, data=json.dumps(told.data))) == WINDOW.id


@pytest.mark.parametrize("data", [None, {}, "no json", "[]", {"trigger_payload": "now"}])
def test_the_id_names_the_window_where_the_data_does_not(data):
    assert window_of(grid(opening(WINDOW), data=data)) == WINDOW.id


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "ADF_Trigger_Payments"},
        {"subject": "ADF_Trigger_"},
        {"subject": None},
        {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"},
        {"eventType": None},
        {"data": {"window": "trades-yesterday"}},
        {"data": {"window": 7}},
        {"data": {"window": "trades-2026112T10000Z"}},
        {"data": {}, "id": "4f1c7f6e-6f0c-4f9c-8a54-1f1f7f6a9f01"},
        {"data": {}, "id": None},
    ],
)
def test_an_event_of_another_kind_or_of_no_window_tells_of_none(changes):
    assert window_of(grid(opening(WINDOW), **changes)) is None


@pytest.mark.parametrize("form", [grid, cloud])
@pytest.mark.parametrize("attempt", [1, 2, 12])
def test_the_opening_of_a_next_attempt_is_another_event_about_the_same_window(form, attempt):
    event = form(opening(WINDOW, attempt))

    assert event["id"] == (WINDOW.id if attempt == 1 else f"{WINDOW.id}/a{attempt}")
    assert event["data"].get("attempt", 1) == attempt
    assert window_of(event) == WINDOW.id
    assert window_of(event | {"data": {}}) == WINDOW.id


def test_the_closing_of_a_next_attempt_is_another_event():
    told = closing(WINDOW, TEN, "closed", {}, 2)

    assert (told.id, told.data["attempt"]) == (f"{WINDOW.id}/a2/closed", 2)


def test_a_closing_is_no_opening():
    assert window_of(grid(closing(WINDOW, TEN, "closed", {}))) is None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "eventType": ANYTHING | st.just("ADF_Event"),
            "type": ANYTHING | st.just("ADF_Event"),
            "subject": ANYTHING | st.just("ADF_Trigger_Trades"),
            "id": ANYTHING,
            "data": ANYTHING | st.fixed_dictionaries({"window": ANYTHING}),
        },
    )
)
def test_no_event_whatever_is_an_error(event):
    assert window_of(event) is None
