"""How a job's parameters become what a run is asked to do."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.config import (
    MaintenanceParameters,
    Parameters,
    intervals_of,
    parse_parameters,
    run_request,
    source_config,
)
from lakehouse.request import (
    Container,
    ExportedStream,
    FurtherHub,
    InvalidParameter,
    Stream,
    parse_duration,
    parse_instant,
)

STREAM = {"name": "trades", "hub": "market-trades", "contract": "trades/1"}
ARGUMENTS = {
    "feed": "trades",
    "window_id": "trades-20261122T100000Z",
    "window_start": "2026-11-22T10:00:00Z",
    "window_end": "2026-11-22T10:10:00+00:00",
    "streams": json.dumps([STREAM]),
    "lake_root": "lake",
    "checkpoint_root": "checkpoints",
    "reference_url": "reference",
    "files_url": "lake",
    "sql_url": "jdbc:sqlite:x.db",
    "source": "kafka",
}


def parameters(**changes):
    return parse_parameters([f"--{name}={value}" for name, value in {**ARGUMENTS, **changes}.items()], Parameters, "")


def streams(*changes):
    return json.dumps([STREAM | change for change in changes])


def test_a_run_follows_its_window_with_the_hubs_and_the_lookups_that_it_is_given():
    quotes = {"name": "quotes", "hub": "q", "contract": "quotes/2", "created_at": "2026-11-01T00:00:00Z"}

    request = run_request(parameters(lookups='{"assets": "assets/x.parquet"}', streams=streams({}, quotes)))

    assert request.streams == (
        Stream("trades", hub="market-trades", contract="trades/1"),
        Stream("quotes", hub="q", contract="quotes/2", created_at="2026-11-01T00:00:00Z"),
    )
    assert (request.feed, request.lookups) == ("trades", {"assets": "assets/x.parquet"})


def test_a_run_makes_tables_by_the_options_of_its_target_and_refuses_unknown_ones():
    with pytest.raises(InvalidParameter, match="options: there is no option 'nps'"):
        run_request(parameters(options='{"nps": 7}'))


def test_a_stream_that_is_spread_over_several_hubs_is_read_from_each():
    further = [{"name": "b", "created_at": "2026-11-02T00:00:00Z"}, {"name": "c"}]

    (given,) = run_request(parameters(streams=streams({"further_hubs": further}))).streams

    assert given.further_hubs == (FurtherHub("b", "2026-11-02T00:00:00Z"), FurtherHub("c"))
    assert given.of_each_hub() == (
        Stream("trades", "market-trades", "trades/1"),
        Stream("trades", "b", "trades/1", "2026-11-02T00:00:00Z"),
        Stream("trades", "c", "trades/1"),
    )


def test_a_stream_is_told_anew_when_its_hubs_were_made():
    given = Stream("trades", "a", "trades/1", "monday", (FurtherHub("b", "monday"), FurtherHub("c")))

    assert given.made({"a": "", "b": "tuesday"}) == replace(
        given, further_hubs=(FurtherHub("b", "tuesday"), FurtherHub("c"))
    )
    assert given.made({"a": "tuesday"}).created_at == "tuesday"


def test_a_run_gives_up_after_grace_and_drain_limit():
    request = run_request(parameters(grace="00:00:30", drain_limit="01:10:00"))

    assert request.gives_up_at == datetime(2026, 11, 22, 11, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feed": "Trades"}, "feed: 'Trades'"),
        ({"feed": "payments"}, "window_id: 'trades-20261122T100000Z' is no window of the feed 'payments'"),
        ({"window_id": "trades"}, "window_id: 'trades'"),
        ({"window_id": "trades-20261122T100000Z\n"}, "window_id"),
        (
            {"window_id": "trades-20261399T990000Z"},
            "window_id: 'trades-20261399T990000Z' names a time that there is not",
        ),
        ({"window_id": "x'; DROP-20261122T100000Z"}, "window_id"),
        ({"window_start": "soon"}, "window_start: 'soon'"),
        ({"window_start": "2026-11-22T10:00:00"}, "no offset"),
        ({"window_end": "2026-11-22T10:00:00Z"}, "not after"),
        ({"grace": "30"}, "grace: '30'"),
        ({"drain_limit": "00:61:00"}, "drain_limit"),
        ({"streams": "trades"}, "streams: 'trades' is no JSON"),
        ({"streams": "[]"}, "streams: expected a JSON list"),
        ({"streams": '{"trades": "trades"}'}, "streams: expected a JSON list"),
        ({"streams": '["trades"]'}, r"streams\[0\]: expected an object of name, hub, contract"),
        ({"streams": streams({"hub": None})}, r"streams\[0\].hub: None does not match"),
        ({"streams": streams({"hub": ""})}, r"streams\[0\].hub: '' does not match"),
        ({"streams": streams({"name": "the trades"})}, r"streams\[0\].name: 'the trades' does not match"),
        ({"streams": streams({"contract": "trades"})}, r"streams\[0\].contract: 'trades' does not match"),
        ({"streams": streams({"contract": "stars/1"})}, "'stars/1' is no contract of the stream 'trades'"),
        ({"streams": streams({}, {"hub": "other"})}, "streams: the name 'trades' is given twice"),
        (
            {"streams": streams({}, {"name": "stars", "contract": "stars/1"})},
            "streams: the hub 'market-trades' is given",
        ),
        ({"streams": streams({"created_at": "soon"})}, r"streams\[0\].created_at: 'soon' is no time"),
        ({"streams": streams({"cosmos": "a/b"})}, r"streams\[0\].cosmos: expected an object of database and container"),
        (
            {"streams": streams({"cosmos": {"database": "a", "container": "b", "more": 1}})},
            r"cosmos: expected an object of database and container",
        ),
        (
            {"streams": streams({"cosmos": {"database": "a", "container": "b/c"}})},
            r"cosmos.container: 'b/c' does not match",
        ),
        ({"streams": streams({"cosmos": {"database": "", "container": "b"}})}, r"cosmos.database: '' does not match"),
        ({"streams": streams({"further_hubs": "b"})}, r"streams\[0\].further_hubs: expected a JSON list"),
        ({"streams": streams({"further_hubs": ["b"]})}, r"further_hubs\[0\]: expected an object of name"),
        ({"streams": streams({"further_hubs": [{"name": "b/c"}]})}, r"further_hubs\[0\].name: 'b/c' does not match"),
        (
            {"streams": streams({"further_hubs": [{"name": "b", "created_at": "soon"}]})},
            r"further_hubs\[0\].created_at: 'soon' is no time",
        ),
        ({"streams": streams({"further_hubs": [{"name": "market-trades"}]})}, "the hub 'market-trades' is given twice"),
        ({"drain_limit": "9" * 20 + ":00:00"}, "drain_limit: '9+:00:00' is longer"),
        ({"drain_limit": "9" * 5000 + ":00:00"}, "drain_limit: '9+' is longer"),
        ({"streams": streams({"partitions": 4})}, r"streams\[0\]: expected an object of"),
        ({"lookups": ""}, "lookups: '' is no JSON"),
        ({"lookups": "[]"}, "lookups: expected a JSON object"),
        ({"lookups": '{"assets": ""}'}, "lookups: expected a JSON object"),
    ],
)
def test_a_bad_parameter_is_named(changes, message):
    with pytest.raises(InvalidParameter, match=message):
        run_request(parameters(**changes))


@pytest.mark.parametrize("changes", [{"mode": "sideways"}, {"surprise": "1"}])
def test_an_unknown_mode_or_parameter_ends_the_process(changes, capsys):
    with pytest.raises(SystemExit):
        parameters(**changes)

    assert "usage" in capsys.readouterr().err


def test_a_source_never_shows_its_secret():
    config = source_config(parameters(), "hush")

    assert config.client_secret == "hush"
    assert "hush" not in repr(config)


def test_durations_and_times_are_read_exactly():
    assert parse_duration("d", "25:00:01") == timedelta(hours=25, seconds=1)
    assert parse_instant("t", "2026-11-22T12:00:00+02:00") == datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_events_a_batch": "0"}, "max_events_a_batch: '0' is no number from 1"),
        ({"max_files_a_batch": "many"}, "max_files_a_batch: 'many' is no number"),
        ({"capture_settle": "60"}, "capture_settle: '60' is no duration"),
    ],
)
def test_a_bad_parameter_of_the_source_is_named(changes, message):
    with pytest.raises(InvalidParameter, match=message):
        source_config(parameters(**changes), "")


def test_a_run_makes_a_pass_every_half_minute_and_counts_every_two_unless_told_otherwise():
    usual, told = (
        intervals_of(parameters()),
        intervals_of(parameters(trigger_interval="00:00:05", recount_every="00:10:00")),
    )

    assert (usual.trigger_interval, usual.recount_every) == (timedelta(seconds=30), timedelta(minutes=2))
    assert (told.trigger_interval, told.recount_every) == (timedelta(seconds=5), timedelta(minutes=10))


@pytest.mark.parametrize(
    ("days", "message"), [("6", "kept_days: 6 is less than 7"), ("", "kept_days: '' is no number")]
)
def test_files_that_delta_may_still_need_are_kept(days, message):
    given = parse_parameters(["--lake_root=lake", f"--kept_days={days}"], MaintenanceParameters, "")

    with pytest.raises(InvalidParameter, match=message):
        _ = given.kept


def test_a_stream_may_have_a_container_of_cosmos_db_beside_its_hub():
    given = run_request(parameters(streams=streams({"cosmos": {"database": "a", "container": "b c"}})))

    assert [stream.cosmos for stream in given.streams] == [Container("a", "b c")]
    assert [stream.cosmos for stream in run_request(parameters()).streams] == [None]


EXPORTED = {"name": "orders", "files": "exports/orders", "contract": "orders/1"}


def test_a_stream_of_files_has_a_folder_in_the_place_of_a_hub():
    request = run_request(parameters(streams=json.dumps([STREAM, EXPORTED])))

    assert [stream.name for stream in request.streams] == ["trades"]
    assert request.exported == (ExportedStream("orders", "exports/orders", "orders/1"),)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([EXPORTED], "and at least one"),
        ([STREAM, EXPORTED | {"hub": "orders"}], r"streams\[1\]: expected an object of name, files, contract, and"),
        ([STREAM, EXPORTED | {"files": "../reference"}], r"streams\[1\].files"),
        ([STREAM, EXPORTED | {"files": ["exports"]}], r"streams\[1\].files"),
        ([STREAM, EXPORTED | {"contract": "items/1"}], "'items/1' is no contract of the stream 'orders'"),
        ([STREAM, EXPORTED, EXPORTED], "the name 'orders' is given twice"),
        (
            [STREAM, EXPORTED, EXPORTED | {"name": "items", "contract": "items/1"}],
            "the folder 'exports/orders' is given",
        ),
    ],
)
def test_streams_of_files_that_can_not_be_read_are_refused(given, reason):
    with pytest.raises(InvalidParameter, match=reason):
        run_request(parameters(streams=json.dumps(given)))
