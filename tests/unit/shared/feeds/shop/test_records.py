"""What an hour of the web shop looks like: its contracts, what joins with what, and how often each thing happens."""

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from shared.feeds.feed import Position
from shared.feeds.shop import tables
from shared.feeds.shop.sessions import Sessions
from tests.unit.shared.feeds.shop.conftest import HOUR, START, STREAMS, WINDOW, read

CONTRACTS = Path(__file__).parents[5] / "contracts"
SLICE = bytes(range(16))
TIMES = {"pageviews": "viewed_at", "stars": "starred_at", "items": "order_date", "orders": "order_date"}


def contract(stream):
    return json.loads((CONTRACTS / f"{stream}.v1.schema.json").read_text(encoding="utf-8"))


def instant(text):
    return datetime.fromisoformat(text)


def share(flags):
    flags = list(flags)
    return sum(flags) / len(flags)


@pytest.fixture(scope="module")
def sessions():
    """Give the views of a long slice by their session: (lane and turn and which of the two) → rows in order."""
    numbers = np.arange(120_000)
    drawn = Sessions.of(SLICE, numbers, START, 10.0)
    grouped = defaultdict(list)
    for number, place in enumerate(drawn.places.tolist()):
        grouped[number - place * 101].append(number)  # 101 lanes at this rate
    whole = {first: rows for first, rows in grouped.items() if first + (drawn.lengths[first] - 1) * 101 < len(numbers)}
    return drawn, list(whole.values())


@pytest.mark.parametrize("stream", STREAMS)
def test_every_record_is_of_its_contract(records, stream):
    validator = jsonschema.Draft202012Validator(contract(stream), format_checker=jsonschema.FormatChecker())

    breaches = [error.message for record in records[stream][:3000] for error in validator.iter_errors(record)]

    assert len(records[stream]) > 30
    assert breaches == []


@pytest.mark.parametrize("stream", STREAMS)
def test_columns_stand_in_the_order_of_the_contract(records, stream):
    assert {tuple(record) for record in records[stream]} == {tuple(contract(stream)["properties"])}


@pytest.mark.parametrize("stream", STREAMS)
def test_the_partition_key_is_that_of_the_contract(drawn, records, stream):
    name = contract(stream)["x-partition-key"]

    keys = drawn[stream].keys

    assert keys.to_pylist() == [str(record[name]) for record in records[stream]]
    assert len(set(keys.dictionary.to_pylist())) == len(keys.dictionary)


@pytest.mark.parametrize("stream", STREAMS)
def test_each_line_ends_in_a_newline_and_holds_no_other(drawn, stream):
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in drawn[stream].lines.to_pylist())


@pytest.mark.parametrize("stream", STREAMS)
def test_no_key_is_given_twice(records, stream):
    keys = [tuple(record[name] for name in contract(stream)["x-key"]) for record in records[stream]]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("stream", STREAMS)
def test_times_are_utc_with_milliseconds(records, stream):
    texts = [record[TIMES[stream]] for record in records[stream]]

    assert all(len(text) == 24 and text.endswith("Z") and instant(text).utcoffset() == timedelta() for text in texts)


def test_a_view_happens_before_it_is_sent_and_hardly_ever_a_minute_before(records):
    sent = (START / 1e6 + number / HOUR.rate for number in range(HOUR.count))

    delays = [
        at - instant(record["viewed_at"]).timestamp() for at, record in zip(sent, records["pageviews"], strict=True)
    ]

    assert min(delays) > -0.11  # to the tenth of a second in which it is sent
    assert 3 < sorted(delays)[len(delays) // 2] < 25
    assert share(delay < 90 for delay in delays) > 0.99


def test_views_are_sent_out_of_the_order_of_their_times(records):
    times = [record["viewed_at"] for record in records["pageviews"]]

    assert share(before > after for before, after in pairwise(times)) > 0.2


def test_the_views_of_a_session_have_one_user_address_and_agent(sessions):
    drawn, whole = sessions

    for rows in whole:
        assert len(set(drawn.chosen["user"][rows].tolist())) == 1
        assert len(set(drawn.chosen["address"][rows].tolist())) == len(set(drawn.chosen["agent"][rows].tolist())) == 1


def test_sessions_have_1_to_30_views_all_equally_often(sessions):
    drawn, whole = sessions

    lengths = Counter(len(rows) for rows in whole)

    assert set(lengths) == set(range(1, 31))
    assert all(drawn.lengths[rows].tolist() == [len(rows)] * len(rows) for rows in whole)
    assert all(count == pytest.approx(len(whole) / 30, rel=0.35) for count in lengths.values())


def test_the_views_of_a_session_are_as_far_apart_as_the_size_of_a_normal_number(sessions):
    drawn, whole = sessions

    gaps = np.concatenate([np.diff(drawn.times[rows]) for rows in whole]) / 1000

    assert gaps.min() >= 0
    assert gaps.mean() == pytest.approx(10.08, abs=0.1)
    assert gaps.std() == pytest.approx(4.83, abs=0.1)
    assert share(gaps > 20) == pytest.approx(0.0228, abs=0.003)


def test_stars_are_given_in_one_session_of_fifty(sessions):
    drawn, whole = sessions
    starred = set(drawn.with_stars(tables.STARRED).tolist())

    given = [len(starred & set(rows)) for rows in whole]

    assert set(given) == {0, 1}
    assert share(given) == pytest.approx(1 / 50, abs=0.004)


def test_stars_come_seconds_after_a_view_of_their_user(records):
    views = defaultdict(list)
    for record in records["pageviews"]:
        views[record["user_id"]].append(instant(record["viewed_at"]))

    for record in records["stars"]:
        waits = [instant(record["starred_at"]) - at for at in views[record["user_id"]]]
        assert any(timedelta(seconds=1) <= wait <= timedelta(seconds=5) for wait in waits)
    assert {record["stars"] for record in records["stars"]} == {1, 2, 3, 4, 5}


def test_orders_come_seconds_after_a_view_of_their_user(records):
    views = defaultdict(list)
    for record in records["pageviews"]:
        views[record["user_id"]].append(instant(record["viewed_at"]))

    for record in records["orders"]:
        waits = [instant(record["order_date"]) - at for at in views[record["user_id"]]]
        assert any(timedelta(seconds=1) <= wait <= timedelta(seconds=20) for wait in waits)


def test_an_orders_items_are_numbered_from_one_and_add_up_to_its_value_exactly(records):
    items = defaultdict(list)
    for record in records["items"]:
        items[record["order_id"]].append(record)

    assert items.keys() == {record["order_id"] for record in records["orders"]}
    for order in records["orders"]:
        ours = items[order["order_id"]]
        assert [record["row_id"] for record in ours] == list(range(1, len(ours) + 1))
        assert {record["order_date"] for record in ours} == {order["order_date"]}
        assert sum(record["item_value"] for record in ours) == order["order_value"]
        assert 1 <= order["order_value"] <= 100_000


def test_amounts_have_two_digits_behind_the_point(drawn, records):
    amounts = [record["order_value"] for record in records["orders"]] + [
        record["item_value"] for record in records["items"]
    ]

    assert {type(amount) for amount in amounts} == {Decimal}
    assert {amount.as_tuple().exponent for amount in amounts} == {-2}
    assert {str(amount)[-1] for amount in amounts} == set("0123456789")


@pytest.mark.parametrize(
    ("what", "expected", "within"),
    [
        (lambda records: share(record["client_ip"] == "" for record in records["pageviews"]), 0.01, 0.003),
        (lambda records: share(record["latency"] >= 500 for record in records["pageviews"]), 0.01, 0.003),
        (lambda records: share(record["latency"] > 2000 for record in records["pageviews"]), 0.0067, 0.002),
        (lambda records: share(record["http_method"] == "GET" for record in records["pageviews"]), 0.70, 0.01),
        (lambda records: np.mean([r["latency"] for r in records["pageviews"] if r["latency"] < 500]), 200, 2),
        (lambda records: np.std([r["latency"] for r in records["pageviews"] if r["latency"] < 500]), 50, 2),
        (lambda records: len(records["orders"]) / len(records["pageviews"]), 0.02, 0.003),
        (lambda records: len(records["items"]) / len(records["orders"]), 5.5, 0.3),
    ],
    ids=["blank", "slow", "very slow", "GET", "latency", "its deviation", "orders", "items"],
)
def test_each_thing_happens_as_often_as_the_tables_say(records, what, expected, within):
    assert what(records) == pytest.approx(expected, abs=within)


def test_every_value_of_the_tables_is_drawn(records):
    slow = [record["latency"] for record in records["pageviews"] if record["latency"] >= 500]

    assert {record["http_method"] for record in records["pageviews"]} == {method for method, _ in tables.METHODS}
    assert max(slow) > 4_800
    assert {
        sum(one["order_id"] == order["order_id"] for one in records["items"]) for order in records["orders"]
    } == set(range(1, 11))


def test_a_slice_of_any_rate_sends_no_view_before_it_happens(shop):
    for rate in (0.05, 0.16, 1.0, 33.3, 10_000.0):
        views = read(shop.draw(Position(WINDOW, 0, 0, 2_000, START, rate))["pageviews"])
        ahead = [
            instant(record["viewed_at"]).timestamp() - (START / 1e6 + number / rate)
            for number, record in enumerate(views)
        ]
        assert max(ahead) < 0.001
