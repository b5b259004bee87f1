"""A feed that was added as docs/add-a-feed.md says, with a hub, a SQL table and two kinds of files as destinations."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.e2e.adding import KEYS, Kiosk, app_with_kiosk, keys_of
from tests.e2e.running_app import Grid, running_app
from tests.e2e.waiting import eventually

COUNTS = {"purchases": 200, "invoices": 200, "parcels": 400, "refunds": 40}
FILES = {"slice=0000/0000", "slice=0001/0000"}
_SETTINGS = {
    "FEEDS": "kiosk",
    "KIOSK_SLICE_LENGTH": "00:00:05",
    "KIOSK_CATCH_UP_RATE": "5",
    "INVOICES_PACKING": "pack",
    "INVOICES_ENCODING": "zstd",
    "REFUNDS_PACKING": "pack",
    "SEND_DEADLINE": "00:00:02",
    "SPILL": "off",  # so that a slice fails whose hub is busy, and is tried again
}


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory):
    """An app whose only enabled feed is the added one; its two past windows are asked for by the tests alone."""
    folder = tmp_path_factory.mktemp("e2e")
    grid = Grid.never()
    settings = _SETTINGS | grid.settings(("KIOSK",))
    app = app_with_kiosk(folder / "app")
    with running_app(folder / "kiosk", grid, settings, app=app, hubs="purchases:4") as started:
        yield Kiosk(started)


def ask_for(kiosk, days_ago):
    grid = kiosk.app.grid
    start = grid.latest_end(datetime.now(UTC)) - grid.length - timedelta(days=days_ago)
    answer = kiosk.app.post("kiosk", start, grid.length)
    assert answer.status_code == 202, answer.text
    return answer.json()["windows"][0]["id"]


@pytest.fixture(scope="module")
def window(kiosk):
    return kiosk.app.ended(ask_for(kiosk, days_ago=1))


@pytest.fixture(scope="module")
def arrived(kiosk, window):
    return kiosk.arrived(window)


@pytest.fixture(scope="module")
def marker(kiosk, window):
    return eventually(lambda: kiosk.marker(window), "the end of the window was marked")


@pytest.fixture(scope="module")
def retried(kiosk, marker):
    """A window whose first slice fails at the hub once its rows and files are written, and is then tried again.

    It begins when the window before it is marked, whose marker says how many events the hub holds.
    """
    kiosk.app.hub_fault("reject_busy", hub="purchases", share=1)
    window_id = ask_for(kiosk, days_ago=0)
    eventually(lambda: attempts(kiosk.app.window(window_id))[:1] == [(0, 1, "failed")], "the first attempt failed")
    kiosk.app.calm()
    return kiosk.app.ended(window_id)


@pytest.fixture(scope="module")
def arrived_again(kiosk, retried):
    return kiosk.arrived(retried)


def attempts(window):
    return [(row["slice"], row["attempt"], row["state"]) for row in window["slices"]]


def balanced(count, events):
    return {"read": count, "accepted": count, "refused": 0, "unknown": 0, "spilled": 0, "events": events}


def test_window_closes_and_each_stream_was_accepted_as_it_was_read(window):
    events = {stream: counts["events"] for stream, counts in window["counts"].items()}

    assert (window["state"], window["reason"]) == ("closed", "")
    assert window["counts"] == {stream: balanced(count, events[stream]) for stream, count in COUNTS.items()}


def test_each_stream_goes_where_the_feed_says(window):
    destinations = {stream["name"]: (stream["destination"], stream["hub"]) for stream in window["plan"]["streams"]}

    assert destinations == {
        "purchases": ("hub", "purchases"),
        "invoices": ("sql", ""),
        "parcels": ("lake_ndjson", ""),
        "refunds": ("lake_parquet", ""),
    }


@pytest.mark.parametrize("stream", COUNTS)
def test_destination_holds_exactly_the_records_that_were_counted(window, arrived, stream):
    assert len(arrived[stream]) == window["counts"][stream]["accepted"]
    assert len(keys_of(arrived[stream], stream)) == len(arrived[stream])


def test_rows_are_one_event_each_and_packs_hold_many(window):
    events = {stream: counts["events"] for stream, counts in window["counts"].items()}

    assert (events["purchases"], events["parcels"]) == (COUNTS["purchases"], COUNTS["parcels"])
    assert all(0 < events[stream] < COUNTS[stream] / 2 for stream in ("invoices", "refunds"))


def test_lake_has_one_file_for_each_slice(kiosk, window):
    assert kiosk.files(window, "parcels") == {f"{name}.ndjson": "1" for name in FILES}
    assert kiosk.files(window, "refunds") == {f"{name}.parquet": "1" for name in FILES}


@pytest.mark.parametrize("which", ["arrived", "arrived_again"])
def test_records_of_one_order_join_over_all_four_destinations(which, request):
    found = request.getfixturevalue(which)
    orders = {row["order_id"]: row for row in found["purchases"]}
    totals = {order: Decimal(str(row["total"])) for order, row in orders.items()}
    customers = {order: row["customer"] for order, row in orders.items()}

    refunded = {row["order_id"] for row in found["refunds"]}

    assert len(orders) == COUNTS["purchases"]
    assert {row["order_id"]: Decimal(row["amount"]) for row in found["invoices"]} == totals
    assert {row["order_id"]: row["customer"] for row in found["invoices"]} == customers
    assert keys_of(found["parcels"], "parcels") == {(order, parcel) for order in orders for parcel in (1, 2)}
    assert {row["order_id"]: row["amount"] for row in found["refunds"]} == {order: totals[order] for order in refunded}
    assert {row["order_id"]: row["customer"] for row in found["refunds"]} == {
        order: customers[order] for order in refunded
    }


def test_end_of_the_window_is_marked_with_the_counts_of_all_streams_and_the_positions_of_hubs(window, marker):
    assert marker["state"] == "closed"
    assert marker["counts"] == window["counts"]
    assert marker["counts"].keys() == COUNTS.keys()
    assert marker["attempts"] == {"0": 1, "1": 1, "close": 1}
    assert marker["last_sequence_numbers"].keys() == {"purchases"}
    assert sum(last + 1 for last in marker["last_sequence_numbers"]["purchases"].values()) == COUNTS["purchases"]


def test_attempt_that_fails_at_the_hub_has_written_rows_and_files_before(retried):
    (failed,) = [row for row in retried["slices"] if row["state"] == "failed"]

    assert {stream: counts["accepted"] > 0 for stream, counts in failed["counts"].items()} == {
        "purchases": False,
        "invoices": True,
        "parcels": True,
        "refunds": True,
    }


def test_ledger_shows_both_attempts_and_counts_the_one_that_completed_the_slice(retried):
    assert attempts(retried) == [(0, 1, "failed"), (0, 2, "done"), (1, 1, "done")]
    assert retried["state"] == "closed"
    assert {stream: counts["accepted"] for stream, counts in retried["counts"].items()} == COUNTS


@pytest.mark.parametrize("stream", KEYS)
def test_slice_that_ran_twice_leaves_each_record_once(arrived_again, stream):
    assert len(arrived_again[stream]) == COUNTS[stream]
    assert len(keys_of(arrived_again[stream], stream)) == COUNTS[stream]


def test_files_of_a_slice_that_ran_twice_are_those_of_the_later_attempt(kiosk, retried):
    by = {"slice=0000/0000": "2", "slice=0001/0000": "1"}

    assert kiosk.files(retried, "parcels") == {f"{name}.ndjson": attempt for name, attempt in by.items()}
    assert kiosk.files(retried, "refunds") == {f"{name}.parquet": attempt for name, attempt in by.items()}


def test_table_has_one_row_for_each_order_of_both_windows(kiosk, window, retried):
    assert len(kiosk.invoices_of_all_windows()) == 2 * COUNTS["invoices"]
