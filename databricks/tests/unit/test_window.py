"""How `closed.json` is read."""

import json

import pytest

from lakehouse.window import Closed, InvalidMarker, StreamCounts, parse_closed


def test_a_marker_is_read_for_its_stream():
    counts = {"trades": {"read": 9, "accepted": 7, "refused": 1, "unknown": 1}}
    last = {"trades": {"0": 4, "1": -1}}
    document = {"window": "w", "state": "closed", "counts": counts, "last_sequence_numbers": last, "attempts": {"0": 2}}

    closed = parse_closed(json.dumps(document).encode(), "trades")

    assert closed == Closed("closed", StreamCounts(9, 7, 1, 1), {"0": 4, "1": -1}, {"0": 2})


@pytest.mark.parametrize("document", [b"", b"[]", b'{"state": "closed"}', b'{"state": "closed", "counts": {}}'])
def test_a_marker_that_can_not_be_read_is_no_closed_window(document):
    with pytest.raises(InvalidMarker, match=r"closed.json can't be read for stream 'trades'"):
        parse_closed(document, "trades")
