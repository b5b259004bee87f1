"""How a run reads what it is told of its window."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.config import order_of, parse_parameters, source_config
from lakehouse.window import BadOrder, Closed, Tally, parse_closed, parse_duration, parse_instant

ARGUMENTS = {
    "window_id": "trades-20261122T100000Z",
    "window_start": "2026-11-22T10:00:00Z",
    "window_end": "2026-11-22T10:10:00+00:00",
    "stream": "trades",
    "lake_root": "lake",
    "checkpoint_root": "checkpoints",
    "reference_url": "reference",
    "sql_url": "jdbc:sqlite:x.db",
    "source": "kafka",
}


def parameters(**changes):
    return parse_parameters([f"--{name}={value}" for name, value in {**ARGUMENTS, **changes}.items()])


def test_an_order_gives_up_after_grace_and_drain_limit():
    order = order_of(parameters(grace="00:00:30", drain_limit="01:10:00"))

    assert order.gives_up_at == datetime(2026, 11, 22, 11, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window_id": "trades"}, "window_id: 'trades'"),
        ({"window_id": "x'; DROP-20261122T100000Z"}, "window_id"),
        ({"window_start": "soon"}, "window_start: 'soon'"),
        ({"window_start": "2026-11-22T10:00:00"}, "no offset"),
        ({"window_end": "2026-11-22T10:00:00Z"}, "not after"),
        ({"grace": "30"}, "grace: '30'"),
        ({"drain_limit": "00:61:00"}, "drain_limit"),
    ],
)
def test_a_bad_parameter_is_named(changes, words):
    with pytest.raises(BadOrder, match=words):
        order_of(parameters(**changes))


@pytest.mark.parametrize("changes", [{"mode": "sideways"}, {"surprise": "1"}])
def test_an_unknown_mode_or_parameter_ends_the_process(changes, capsys):
    with pytest.raises(SystemExit):
        parameters(**changes)

    assert "usage" in capsys.readouterr().err


def test_a_source_never_shows_its_secret():
    config = source_config(parameters(), "hush")

    assert config.client_secret == "hush"
    assert "hush" not in repr(config)


def test_a_marker_is_read_for_its_stream():
    counts = {"trades": {"read": 9, "accepted": 7, "refused": 1, "unknown": 1}}
    last = {"trades": {"0": 4, "1": -1}}
    document = {"window": "w", "state": "closed", "counts": counts, "last_sequence_numbers": last, "attempts": {"0": 2}}

    closed = parse_closed(json.dumps(document).encode(), "trades")

    assert closed == Closed("closed", Tally(9, 7, 1, 1), {"0": 4, "1": -1}, {"0": 2})


@pytest.mark.parametrize("document", [b"", b"[]", b'{"state": "closed"}', b'{"state": "closed", "counts": {}}'])
def test_a_marker_that_can_not_be_read_is_no_closed_window(document):
    with pytest.raises(BadOrder, match=r"closed.json can't be read for stream 'trades'"):
        parse_closed(document, "trades")


def test_durations_and_times_are_read_exactly():
    assert parse_duration("d", "25:00:01") == timedelta(hours=25, seconds=1)
    assert parse_instant("t", "2026-11-22T12:00:00+02:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)
