import json

import pytest

from emulators.exchange.venue import subscribes
from emulators.exchange.venues.registry import venues

VENUES = pytest.mark.parametrize("venue", venues(), ids=lambda venue: venue.name)


@VENUES
def test_a_malformed_frame_is_no_json(venue):
    with pytest.raises(json.JSONDecodeError):
        json.loads(venue.malformed_frame(0))


@VENUES
def test_an_unknown_frame_is_json(venue):
    assert json.loads(venue.unknown_frame(0))


@VENUES
@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_is_json(venue, status):
    assert json.loads(venue.refusal(status))


@VENUES
@pytest.mark.parametrize("status", [400, 403, 418, 451])
def test_what_a_refusal_is_ordered_to_say_it_says(venue, status):
    assert "The words of today" in venue.refusal(status, "The words of today").decode()


@VENUES
def test_error_frame_says_what_is_usual_or_what_is_ordered(venue):
    usual = {
        "coinbase": "Internal server error",
        "binance": "Too many subscriptions",
        "kraken": "Exceeded msg rate",
        "bitstamp": "Rate limit exceeded.",
    }

    assert usual[venue.name] in str(json.loads(venue.error_frame()))
    assert "EService:Unavailable" in str(json.loads(venue.error_frame("EService:Unavailable")))


@pytest.mark.parametrize(
    ("frame", "does"),
    [
        ('{"type":"subscribe","channels":[]}', True),
        ('{"method":"SUBSCRIBE","params":[]}', True),
        ('{"method":"subscribe","params":{}}', True),
        ('{"event":"bts:subscribe","data":{}}', True),
        ('{"type":"unsubscribe"}', False),
        ('{"method":"ping"}', False),
        ('{"event":"bts:heartbeat"}', False),
        ("{", False),
    ],
)
def test_frame_that_subscribes_is_told_from_others(frame, does):
    assert subscribes(frame) is does


def test_the_documented_times_are_those_of_the_venues():
    limits = {venue.name: (venue.subscribe_within, venue.ping_every) for venue in venues()}

    assert limits["coinbase"] == (5.0, None)
    assert limits["binance"] == (None, 20.0)
