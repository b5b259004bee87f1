import json

import pytest

from shared.domain.spill_request import SpillRequest
from shared.errors import RequestRejected
from shared.http.spill_requests import (
    LONGEST_REASON,
    parse_discard_request,
    parse_redrive_request,
    parse_spill_query,
)

WINDOW = "trades-20261122T110000Z"


def body(**fields):
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("fields", "request_"),
    [
        ({"feed": "trades"}, SpillRequest(feed="trades", states=("waiting",))),
        ({"window": WINDOW}, SpillRequest(window_id=WINDOW, states=("waiting",))),
        ({"all": True, "dead": False}, SpillRequest(states=("waiting",))),
        ({"all": True, "dead": True}, SpillRequest(states=("waiting", "dead"))),
    ],
)
def test_a_redrive_names_a_feed_a_window_or_all_and_whether_dead_ones_are_meant(fields, request_):
    assert parse_redrive_request(body(**fields)) == request_


@pytest.mark.parametrize(
    ("fields", "states"), [({}, ("dead",)), ({"waiting": False}, ("dead",)), ({"waiting": True}, ("dead", "waiting"))]
)
def test_a_discard_means_dead_batches_and_waiting_ones_only_where_it_says_so(fields, states):
    request = parse_discard_request(body(window=WINDOW, reason=" The records are too old. ", **fields))

    assert request == SpillRequest(window_id=WINDOW, states=states, reason="The records are too old.")


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({}, "feed", "and no other of feed, window, all; none is"),
        ({"dead": True}, "feed", "none is"),
        ({"feed": "trades", "window": WINDOW}, "window", "feed and window is"),
        ({"window": WINDOW, "all": True}, "all", "window and all is"),
        ({"all": False}, "all", "must be true"),
        ({"all": "true"}, "all", "must be true"),
        ({"feed": 3}, "feed", "must be a string; it is a number"),
        ({"window": None}, "window", "must be a string; it is null"),
        ({"all": True, "dead": 1}, "dead", "must be true or false"),
        ({"all": True, "deed": True}, "deed", "is no field of this request"),
        ({"all": True, "reason": "x"}, "reason", "is no field of this request"),
    ],
)
def test_a_redrive_that_can_not_be_read_names_the_field_and_the_rule(fields, field, rule):
    with pytest.raises(RequestRejected, match=rule) as caught:
        parse_redrive_request(body(**fields))

    assert (caught.value.reason, caught.value.field) == ("invalid", field)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "reason is missing"),
        ({"reason": "  "}, "1 to 400 characters; it has 0"),
        ({"reason": "x" * (LONGEST_REASON + 1)}, "it has 401"),
        ({"reason": 7}, "reason must be a string"),
        ({"reason": "x", "dead": True}, "dead is no field"),
        ({"reason": "x", "waiting": "yes"}, "waiting must be true or false"),
    ],
)
def test_a_discard_that_can_not_be_read_names_the_field_and_the_rule(fields, rule):
    with pytest.raises(RequestRejected, match=rule):
        parse_discard_request(body(all=True, **fields))


def test_a_body_that_is_no_object_is_refused():
    with pytest.raises(RequestRejected, match="must be JSON"):
        parse_redrive_request(b"")


def test_a_list_is_asked_for_by_feed_window_and_state_behind_a_place():
    query = {"feed": "trades", "window": WINDOW, "state": "dead", "after": f"{WINDOW}/trades"}

    assert parse_spill_query(query) == (SpillRequest("trades", WINDOW, ("dead",)), f"{WINDOW}/trades")
    assert parse_spill_query({}) == (SpillRequest(), "")


def test_a_list_of_a_state_that_there_is_not_is_refused():
    with pytest.raises(RequestRejected, match="must be one of waiting, redriven, dead, discarded; it is 'lost'"):
        parse_spill_query({"state": "lost"})
