"""How `closed.json` is read."""

import json

import pytest

from lakehouse.window import Closed, InvalidMarker, Spilled, StreamCounts, parse_closed, streams_named


def marker(**counts):
    last = {"trades": {"0": 4, "1": -1}}
    document = {"state": "closed", "counts": {"trades": counts}, "last_sequence_numbers": last, "attempts": {"0": 2}}
    return json.dumps(document).encode()


def test_a_marker_is_read_for_its_stream():
    closed = parse_closed(marker(read=12, accepted=7, refused=1, unknown=1, spilled=3), "trades")

    assert closed == Closed("closed", StreamCounts(12, 7, 1, 1, 3), {"0": 4, "1": -1}, {"0": 2}, created_at="")


def test_a_marker_tells_of_which_streams_it_has_positions():
    assert streams_named(marker()) == {"trades"}
    for document in (b"{", b"[]", b"{}"):
        with pytest.raises(InvalidMarker):
            streams_named(document)


def test_a_marker_from_before_records_were_spilled_has_none_of_them():
    closed = parse_closed(marker(read=9, accepted=7, refused=1, unknown=1), "trades")

    assert (closed.counts, closed.spill) == (StreamCounts(9, 7, 1, 1, spilled=0), Spilled())


def test_of_what_was_spilled_the_streams_own_is_read():
    spill = {"trades": {"waiting": 1, "redriven": 2, "dead": 3, "discarded": 0, "waiting_of_all_tries": 5}}
    document = json.loads(marker(read=1, accepted=1)) | {"spill": {**spill, "others": {"waiting": 9}}}

    found = parse_closed(json.dumps(document).encode(), "trades").spill

    assert found == Spilled(1, 2, 3, 0, 5)
    assert found.by_state == {"waiting": 1, "redriven": 2, "dead": 3}
    assert found.unsettled == {"waiting": 1, "dead": 3}


@pytest.mark.parametrize(
    ("hub", "created_at"),
    [({"name": "h", "created_at": "2026-11-01T09:30:00+00:00"}, "2026-11-01T09:30:00+00:00"), ({}, "")],
)
def test_a_marker_says_when_its_streams_hub_was_made_where_the_app_could_tell(hub, created_at):
    document = json.loads(marker(read=1, accepted=1)) | {"hubs": {"trades": hub, "others": {"created_at": "?"}}}

    assert parse_closed(json.dumps(document).encode(), "trades").created_at == created_at


@pytest.mark.parametrize("document", [b"", b"[]", b'{"state": "closed"}', b'{"state": "closed", "counts": {}}'])
def test_a_marker_that_can_not_be_read_is_no_closed_window(document):
    with pytest.raises(InvalidMarker, match=r"closed.json can't be read for stream 'trades'"):
        parse_closed(document, "trades")
