"""A window that replays a recording of payments, to silver: good lines arrive, bad ones are kept with reasons."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from azure.storage.blob import BlobServiceClient

from tests.e2e.enriching import Enrichment, needs_spark
from tests.e2e.recorded import BAD, good, payment, write_recording
from tests.e2e.running_app import Grid, running_app
from tests.e2e.waiting import eventually

pytestmark = [needs_spark, pytest.mark.timeout(700)]

RATE, SECONDS, SLICE_SECONDS = 75, 40, 30
"""A slice tells how far it is every ten seconds: one that begins late does so, too, before it ends."""

OF_WINDOW = range(2, 2 + RATE * SECONDS)
SLICES = (OF_WINDOW[: RATE * SLICE_SECONDS], OF_WINDOW[RATE * SLICE_SECONDS :])
"""The lines of the file that each slice of the window replays, by rate, behind the header."""

_SETTINGS = {
    "FEEDS": "payments",
    "PAYMENTS_RATE": str(RATE),
    "PAYMENTS_SLICE_LENGTH": f"00:00:{SLICE_SECONDS}",
    "PAYMENTS_LEAD": "00:00:03",
}


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("e2e") / "payments.zip"
    write_recording(path)
    return path.as_uri()


@pytest.fixture(scope="module")
def app(tmp_path_factory, recording):
    """An app whose payments are those of the recording."""
    grid = Grid.beginning(datetime.now(UTC) + timedelta(hours=12), timedelta(days=1), timedelta(seconds=10))
    settings = _SETTINGS | grid.settings(("PAYMENTS",)) | {"PAYMENTS_REPLAY_FILE": recording}
    with running_app(tmp_path_factory.mktemp("e2e") / "replay", grid, settings, with_enrichment=True) as started:
        yield started


@pytest.fixture(scope="module")
def window_id(app):
    return app.open("payments", seconds=SECONDS)[0]


@pytest.fixture(scope="module")
def progress(app, window_id):
    """What a slice tells of its replay while it runs."""

    def told():
        reports = [row["report"] for row in app.window(window_id)["slices"] if row["state"] == "running"]
        return next((report["replay"] for report in reports if "replay" in report), None)

    return eventually(told, "a slice told how far its replay is")


@pytest.fixture(scope="module")
def window(app, window_id, progress):
    """The window after its run; its progress was seen before."""
    Enrichment(app).ended(window_id, within=600)
    return app.window(window_id)


def test_a_slice_shows_how_far_it_is_while_it_runs(progress):
    assert 0 < progress["lines"] < progress["of"]
    assert progress["line"] - progress["lines"] + 1 in {lines.start for lines in SLICES}


def test_every_line_of_the_window_is_a_record_or_refused_and_the_good_ones_reach_silver(window):
    counts = window["counts"]["transactions"]
    stages = window["enrichment"]["counts"]["transactions"]

    assert (window["state"], window["enrichment"]["reconciliation"]) == ("closed", "balanced"), stages
    assert (counts["read"], counts["accepted"]) == (len(OF_WINDOW), len(good(OF_WINDOW)))
    assert counts["refused"] == len(_bad(OF_WINDOW)) > 0
    assert (stages["silver_new"], stages["quarantined"]) == (len(good(OF_WINDOW)), 0)


def test_each_slice_reports_how_far_it_came_in_the_file_and_what_it_refused(recording, window):
    found = [row["report"]["replay"] for row in window["slices"] if row["state"] == "done"]

    assert found == [
        {
            "file": recording,
            "line": lines[-1],
            "lines": len(lines),
            "of": len(lines),
            "refused": dict.fromkeys(_bad(lines).values(), 1),
        }
        for lines in SLICES
    ]


def test_refused_lines_are_kept_with_their_numbers_and_reasons_where_the_windows_warnings_say(app, window):
    warnings = [warning for warning in window["result"]["warnings"] if "are no records" in warning]
    paths = [warning.rpartition(" as lake/")[2].removesuffix(".") for warning in warnings]

    kept = [line for path in paths for line in _lines_of(app, path)]

    assert {line["line"]: line["reason"] for line in kept} == _bad(OF_WINDOW)
    assert len(kept) == len(_bad(OF_WINDOW))
    assert all(f"replayed-{line['line']}" in line["text"] for line in kept if "text" in line)


@pytest.mark.usefixtures("window")
def test_silver_has_what_the_good_lines_say_and_nothing_else(app):
    rows = _rows_of(app.running.state.databricks / "lake" / "silver" / "transactions")

    assert sorted(map(_seen, rows)) == sorted(_expected(line) for line in good(OF_WINDOW))


@pytest.mark.usefixtures("window")
def test_a_window_whose_recording_is_gone_is_refused_by_its_name_and_never_made(app, recording):
    Path(recording.removeprefix("file://")).unlink()
    known = app.windows()

    answer = app.post("payments", datetime.now(UTC) + timedelta(hours=1), timedelta(seconds=SECONDS))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "feed_refused")
    assert f"{recording} can't be read" in answer.json()["error"]["message"]
    assert app.windows() == known


def _bad(lines):
    return {line: BAD[line] for line in lines if line in BAD}


def _lines_of(app, path):
    connection = app.running.addresses["storage"]["connection_string"]
    with (
        BlobServiceClient.from_connection_string(connection) as account,
        account.get_blob_client("lake", path) as blob,
    ):
        return [json.loads(line) for line in blob.download_blob().readall().splitlines()]


def _rows_of(table):
    """Read a Delta table by its log: the files that were added and not removed."""
    files = {}
    for log in sorted((table / "_delta_log").glob("*.json")):
        for action in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
            if "remove" in action:
                files.pop(action["remove"]["path"])
            if "add" in action:
                files[action["add"]["path"]] = action["add"].get("deletionVector")
    assert files
    assert not any(files.values())
    parts = [pq.ParquetFile(table / unquote(path), coerce_int96_timestamp_unit="us").read() for path in files]
    return pa.concat_tables(parts).to_pylist()


def _seen(row):
    return (
        row["transactionID"],
        row["transactionAmountUSD"],
        row["localHour"],
        row["ipState"],
        row["ipCountryCode"],
        row["transactionDateTime"].replace(tzinfo=UTC),
        sorted(rule for rule in row["cleaned"] if rule in _RULES),
    )


def _expected(line):
    """What silver makes of a line: an unknown hour is null, a blank country NA, and `cleaned` says so."""
    fields = payment(line)
    unknown = {"local_hour_unknown": fields["localHour"] == "-1", "ip_country_blank": fields["ipCountryCode"] == ""}
    return (
        fields["transactionID"],
        Decimal(fields["transactionAmountUSD"]),
        None if unknown["local_hour_unknown"] else int(fields["localHour"]),
        fields["ipState"],
        fields["ipCountryCode"] or "NA",
        datetime.fromisoformat(fields["transactionDateTime"]),
        sorted(rule for rule, is_met in unknown.items() if is_met),
    )


_RULES = {"local_hour_unknown", "ip_country_blank"}
