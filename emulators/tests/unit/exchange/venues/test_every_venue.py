import json

import pytest

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


def test_the_documented_times_are_those_of_the_venues():
    limits = {venue.name: (venue.subscribe_within, venue.ping_every) for venue in venues()}

    assert limits["coinbase"] == (5.0, None)
    assert limits["binance"] == (None, 20.0)
