import hashlib
import json
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.feed import Position
from shared.feeds.gps import tables
from shared.feeds.gps.feed import FEED, Gps
from shared.feeds.gps.tables import Flaw
from shared.feeds.gps.touring import TOUR, Stop, tour_of
from shared.feeds.gps.walking import Walks
from tests.architecture.app_on_fakes import App
from tests.architecture.tree import text
from tests.unit.shared.feeds.gps.conftest import RATE, START, WINDOW, is_in_town, read

SLICE = 300_000_000
HOME = (515_000_000, -1_000_000)


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 36_000 - BLOCK), count=st.integers(0, BLOCK))
def test_a_position_has_the_same_record_in_whatever_piece_it_is_drawn(gps, drawn, first, count):
    piece = gps.draw(Position(WINDOW, 3, first, count, START, RATE))["gps"]

    assert piece.lines.equals(drawn.lines.slice(first, count))
    assert piece.keys.to_pylist() == drawn.keys.slice(first, count).to_pylist()


def test_small_consecutive_draws_are_the_stream(gps, drawn):
    pieces = [gps.draw(Position(WINDOW, 3, first, 7, START, RATE))["gps"].lines for first in range(0, 9_100, 7)]

    assert pa.concat_arrays(pieces).equals(drawn.lines.slice(0, 9_100))


def test_another_feed_of_the_same_pool_draws_the_same_records(pool, drawn):
    again = Gps(pool).draw(Position(WINDOW, 3, 0, 36_000, START, RATE))["gps"]

    assert again.lines.equals(drawn.lines)


def test_records_are_frozen_for_this_version_of_the_feed(drawn):
    """A retry after a deployment must draw the same records; a change raises VERSION in `building`."""
    digest = hashlib.sha256(b"".join(drawn.lines.to_pylist()))
    digest.update("|".join(drawn.keys.to_pylist()).encode())

    assert digest.hexdigest() == "d0e2804aca2466aef0b4102a466ecb5a848ea0985a6a2b8c884beb179c2767e4"


def test_a_record_has_its_users_key_and_the_time_of_its_place_in_the_slice(drawn, records):
    assert [record["appid"] for record in records] == drawn.keys.to_pylist()
    assert len({(record["appid"], record["time"]) for record in records}) == len(records)
    start = datetime.fromisoformat("2026-11-27T13:00:00+00:00")
    for number in (0, 1, 19_999):
        assert datetime.fromisoformat(records[number]["time"]) == start + timedelta(seconds=number / RATE)


def test_users_have_their_turns_over_the_border_of_a_slice_and_of_a_window(gps):
    last = read(gps.draw(Position(WINDOW, 1, 1_750, 500, START, 7.5))["gps"])  # 2,250 are all of a slice
    later = Position("gps-20261127T131000Z", 0, 0, 1_000, START + SLICE, 7.5)
    turns = [record["appid"] for record in last + read(gps.draw(later)["gps"])]

    assert len(set(turns[:1_000])) == tables.USERS
    assert turns[:500] == turns[1_000:]


def test_nobody_ever_walks_faster_than_a_person_does_from_tour_to_tour(pool):
    walks, who = Walks(pool), np.arange(tables.USERS)
    times = START // 1000 + np.arange(0, 5 * TOUR, 20_000)

    path = np.stack([walks.at(who, np.full(len(who), time)) for time in times])  # time, coordinate, user

    north, east = np.moveaxis(np.diff(path, axis=0), 1, 0) / tables.UNITS * tables.METRES_OF_DEGREE
    assert np.hypot(north, east * tables.EAST_SHARE).max() <= tables.SPEED[1] * 20 + 0.1


def test_users_walk_turn_and_stay_near_stores(pool):
    walks, who = Walks(pool), np.arange(tables.USERS)
    times = START // 1000 + np.arange(0, 6 * 3600, 10) * 1000

    path = np.stack([walks.at(who, np.full(len(who), time)) for time in times])  # time, coordinate, user

    moves = np.diff(path, axis=0) != 0
    still = ~moves.any(axis=1)
    assert 0.3 < still.mean() < 0.8
    assert (moves[:, 0] & ~moves[:, 1]).any(axis=0).all()  # all go north or south for a while,
    assert (~moves[:, 0] & moves[:, 1]).any(axis=0).all()  # and east or west
    stores = {*zip(pool.columns["store_latitude"].tolist(), pool.columns["store_longitude"].tolist(), strict=True)}
    stays = {tuple(place) for place in np.moveaxis(path[1:], 1, 2)[still].tolist()}
    assert len(stays & stores) > 500


def test_the_points_of_a_user_lie_around_the_walk_as_far_as_their_accuracy_says(pool, records):
    walks, users = Walks(pool), {appid: n for n, appid in enumerate(pool.columns["appid"].to_pylist())}
    good = [record for record in records if is_in_town(record) and record["accuracy"] <= 20]
    times = np.array([round(datetime.fromisoformat(one["time"]).timestamp() * 1000) for one in good])

    where = walks.at(np.array([users[one["appid"]] for one in good]), times)

    said = np.array([(one["latitude"], one["longitude"]) for one in good]).T
    north, east = (said - np.array(where) / tables.UNITS) * tables.METRES_OF_DEGREE
    away = np.hypot(north, east * tables.EAST_SHARE) / np.array([one["accuracy"] for one in good])
    assert (away <= 1).mean() == pytest.approx(0.68, abs=0.01)
    assert away.max() < 4
    accuracies = [one["accuracy"] for one in good]
    assert (min(accuracies), max(accuracies)) == (5.0, 20.0)


def kind_of(record):
    latitude, longitude, accuracy = (record[name] for name in ("latitude", "longitude", "accuracy"))
    kinds = {
        Flaw.BLANK: latitude is None and longitude is None,
        Flaw.ZERO: latitude == 0 == longitude,
        Flaw.OUT_OF_RANGE: latitude is not None and latitude > 90 and -0.3 < longitude < 0.1,
        Flaw.SWAPPED: latitude is not None and is_in_town({"latitude": longitude, "longitude": latitude}),
        Flaw.TELEPORT: latitude is not None and 52 < latitude < 55,
        Flaw.POOR: is_in_town(record) and accuracy >= 50,
        Flaw.NONE: is_in_town(record) and accuracy <= 20,
    }
    (kind,) = [kind for kind, meets in kinds.items() if meets]
    return kind


def test_points_are_flawed_in_the_shares_of_the_table(records):
    kinds = [kind_of(record) for record in records]

    for flaw, share in tables.FLAWS:
        assert kinds.count(flaw) / len(kinds) == pytest.approx(share / 1000, abs=0.0025)
    assert sum(share for _, share in tables.FLAWS) == 1000


def test_only_blank_points_and_those_out_of_range_break_the_contract(records):
    validator = jsonschema.Draft202012Validator(json.loads(text("contracts/gps.v1.schema.json")))

    broken = defaultdict(set)
    for record in records:
        broken[kind_of(record)].add(validator.is_valid(record))

    assert {kind for kind, valid in broken.items() if valid == {False}} == {Flaw.BLANK, Flaw.OUT_OF_RANGE}
    assert all(valid == {True} for kind, valid in broken.items() if kind not in {Flaw.BLANK, Flaw.OUT_OF_RANGE})


def test_a_stop_that_leaves_no_time_to_go_home_is_left_out():
    near, far = ((HOME[0] + metres * 90, HOME[1]) for metres in (100, 100_000))

    corners = tour_of(HOME, [Stop(far, 60_000, 0.5), Stop(near, 60_000, 0.5)], speed=0.09)

    places = [corner[1:] for corner in corners]
    assert near in places
    assert far not in places
    assert corners[0] == (0, *HOME)
    assert corners[-1] == (TOUR, *HOME)
    assert all(one[0] < after[0] for one, after in pairwise(corners))


async def test_a_window_ends_closed_and_all_that_was_drawn_is_accepted(tmp_path):
    app = App(FEED, tmp_path / "pools")
    plan = app.claim()

    state = await app.run(plan)

    sent = app.records("gps")
    assert state == "closed"
    assert app.counts(plan) == {"gps": (200, 200)}
    assert [event.partition_key for event in app.hubs.received["gps"]] == [record["appid"] for record in sent]


@pytest.mark.parametrize(("first", "count", "rate"), [(-1, 1, 1.0), (0, -1, 1.0), (0, 2**20 + 1, 1.0), (0, 1, 0.0)])
def test_impossible_draws_are_refused(gps, first, count, rate):
    with pytest.raises(ValueError, match=r"can't draw|a rate is"):
        gps.draw(Position(WINDOW, 0, first, count, START, rate))


def test_nothing_is_drawn_when_nothing_is_asked(gps):
    assert len(gps.draw(Position(WINDOW, 0, 5, 0, START, RATE))["gps"]) == 0


def test_its_windows_are_of_ten_minutes():
    assert [stream.name for stream in FEED.streams] == ["gps"]
    assert (FEED.every, FEED.length, FEED.rate) == (timedelta(minutes=10), timedelta(minutes=10), 20)
    assert FEED.lookups == ("stores", "promotions_of_stores") == tuple(one.name for one in FEED.dimensions)
