"""Which stores a point is near, held against the exact distances of all pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.promotions.geometry import EARTH_RADIUS, Grid, metres_between
from shared.promotions.matching import LATEST, near
from shared.promotions.places import WORST_ACCURACY
from tests.unit.shared.promotions.towns import places, points, store

DEGREE = math.radians(1) * EARTH_RADIUS  # metres
PARIS, LONDON = (48.8566, 2.3522), (51.5074, -0.1278)

latitudes = st.one_of(
    st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999]), st.floats(51.50, 51.52)
)
longitudes = st.one_of(
    st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.9999, -179.9999]), st.floats(-0.15, -0.12)
)
radii = st.one_of(st.none(), st.floats(1, 1_000), st.floats(1_000, 50_000))


def distance(latitude, longitude, other_latitude, other_longitude):
    """Give a distance in metres by the haversine formula, with the standard library alone."""
    north, other_north = math.radians(latitude), math.radians(other_latitude)
    east = math.radians(other_longitude - longitude)
    half = math.sin((other_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1, math.sqrt(half)))


def pairs(found):
    return list(zip(found.point.tolist(), found.store.tolist(), strict=True))


@st.composite
def towns(draw):
    """Give stores anywhere on the globe, and points that are mostly close to one of them."""
    stores = draw(st.lists(st.tuples(latitudes, longitudes, radii), min_size=1, max_size=12))
    somewhere = st.tuples(latitudes, longitudes)
    beside = st.tuples(st.sampled_from(stores), st.floats(-0.6, 0.6), st.floats(-180, 180)).map(
        lambda drawn: (
            min(90.0, max(-90.0, drawn[0][0] + drawn[1] * (drawn[0][2] or 250) / 50_000)),
            (drawn[0][1] + drawn[2] * (drawn[0][2] or 250) / 1e7 + 540) % 360 - 180,
        )
    )
    asked = draw(st.lists(st.tuples(st.one_of(somewhere, beside), st.floats(0, WORST_ACCURACY)), max_size=30))
    return stores, [(*place, accuracy) for place, accuracy in asked if place != (0.0, 0.0)]


@settings(max_examples=150, deadline=None)
@given(towns())
def test_the_pairs_are_those_of_the_exact_distances_anywhere_on_the_globe(town):
    stores, asked = town
    index = places(store(f"s{number}", *one) for number, one in enumerate(stores))

    found = near(points(*asked), index)

    swapped = found.left_out.get("swapped", 0)
    metres = dict(zip(pairs(found), found.metres.tolist(), strict=True))
    for point, (latitude, longitude, accuracy) in enumerate(asked):
        for number, (north, east, radius) in enumerate(stores):
            exact = distance(latitude, longitude, north, east)
            spare = (radius or 250) + accuracy - exact
            if (point, number) in metres:
                assert spare > -1e-3
                assert metres[point, number] == pytest.approx(exact, abs=1e-3)
            elif not swapped:
                assert spare < 1e-3
    assert set(found.left_out) <= {"swapped"}


@settings(max_examples=100, deadline=None)
@given(
    centre=st.tuples(latitudes, longitudes),
    reach=st.floats(1, 60_000),
    size=st.floats(20, 5_000),
    way=st.floats(0, 2 * math.pi),
    share=st.floats(0, 1),
)
def test_a_place_within_reach_lies_in_a_covered_cell(centre, reach, size, way, share):
    size = max(size, reach / 30)
    grid, (latitude, longitude) = Grid.of(size), moved(centre, way, share * reach)

    covered, _ = grid.covered(*(np.array([one]) for one in (*centre, reach)))

    assert grid.cells(np.array([latitude]), np.array([longitude]))[0] in covered
    assert len(set(covered.tolist())) == len(covered)


def moved(centre, way, metres):
    """Go so many metres from a place, by the formula of the great circle."""
    north, east, angle = math.radians(centre[0]), math.radians(centre[1]), metres / EARTH_RADIUS
    sine = math.sin(north) * math.cos(angle) + math.cos(north) * math.sin(angle) * math.cos(way)
    there = math.asin(max(-1, min(1, sine)))
    turn = math.atan2(
        math.sin(way) * math.sin(angle) * math.cos(north), math.cos(angle) - math.sin(north) * math.sin(there)
    )
    return math.degrees(there), (math.degrees(east + turn) + 540) % 360 - 180


def test_a_known_distance_is_right():
    (metres,) = metres_between(*(np.array([one]) for one in (*PARIS, *LONDON)))

    assert metres == pytest.approx(343_556, abs=100)


@pytest.mark.parametrize(
    ("point", "metres"),
    [((0.001, 179.9995), 1.0), ((0.0, -180.0), 0.0), ((0.0, 180.0), 0.0)],
    ids=["from the other side of 180°", "180° west", "180° east"],
)
def test_180_degrees_are_no_border(point, metres):
    index = places([store("here", 0.0, -179.9995 if metres else 180.0)])

    assert pairs(near(points(point), index)) == [(0, 0)]


@pytest.mark.parametrize("longitude", [-180, -90, 0.5, 91, 180])
@pytest.mark.parametrize("pole", [-90, 90])
def test_at_a_pole_every_longitude_is_near(pole, longitude):
    side = 1 if pole > 0 else -1
    index = places([store("igloo", pole - side * 0.001, 45)])

    found = near(points((pole - side * 0.001, longitude), (pole, longitude), (pole - side * 0.01, longitude)), index)

    assert pairs(found) == [(0, 0), (1, 0)]


@pytest.mark.parametrize(
    ("metres", "accuracy", "is_near"),
    [(240, None, True), (260, None, False), (260, 15, True), (260, 5, False), (340, 100, True), (10, 101, False)],
    ids=["within", "beyond", "perhaps within", "surely beyond", "the worst that counts", "too inaccurate"],
)
def test_a_point_is_near_when_the_phone_may_be_within_the_radius(metres, accuracy, is_near):
    index = places([store("here", 51.5, -0.1)])

    found = near(points((51.5 + metres / DEGREE, -0.1, accuracy)), index)

    assert pairs(found) == ([(0, 0)] if is_near else [])


def test_each_store_has_its_own_radius_and_250_metres_where_it_has_none():
    away = (51.5 + 200 / DEGREE, -0.1)
    index = places([store("small", 51.5, -0.1, 150.0), store("usual", 51.5, -0.1), store("wide", 51.5, -0.1, 400.0)])

    found = near(points(away, (51.5 + 300 / DEGREE, -0.1)), index)

    assert sorted(pairs(found)) == [(0, 1), (0, 2), (1, 2)]


def test_of_a_point_the_nearest_store_comes_first():
    index = places([store("far", 51.501, -0.1), store("near", 51.5, -0.1), store("between", 51.5005, -0.1)])

    found = near(points((51.5, -0.1), (51.501, -0.1)), index)

    assert pairs(found) == [(0, 1), (0, 2), (0, 0), (1, 0), (1, 2), (1, 1)]


def test_points_that_can_be_near_nothing_are_counted_by_reason():
    index = places([store("here", 51.5, -0.1), store("null island", 0.0, 0.0)])
    nan = float("nan")

    found = near(
        points(
            (51.5, -0.1),
            (None, -0.1), (51.5, None), (nan, nan),
            (151.5, -0.1), (51.5, 181), (float("inf"), 0),
            (0, 0),
            (51.5, -0.1, 101), (51.5, -0.1, -1), (51.5, -0.1, float("inf")),
        ),
        index,
    )  # fmt: skip

    assert pairs(found) == [(0, 0)]
    assert found.left_out == {"blank": 3, "out_of_range": 3, "zero": 1, "inaccurate": 3}


def test_a_point_with_latitude_and_longitude_exchanged_is_known_by_where_the_stores_are():
    index = places([store("here", 51.5, -0.1)])

    found = near(points((-0.1, 51.5), (51.5, -0.1), (-0.1, 10.0)), index)

    assert pairs(found) == [(1, 0)]
    assert found.left_out == {"swapped": 1}


@pytest.mark.parametrize("time", [-1, LATEST, np.iinfo(np.int64).min])
def test_a_point_of_no_possible_time_is_near_nothing(time):
    asked = points((51.5, -0.1), (51.5, -0.1))
    asked.time[0] = time

    found = near(asked, places([store("here", 51.5, -0.1)]))

    assert pairs(found) == [(1, 0)]
    assert found.left_out == {"time": 1}


@pytest.mark.parametrize("place", [(None, -0.1), (51.5, None), (91.0, 0.0), (0.0, 181.0)])
def test_a_store_without_a_position_is_left_out_by_name_and_costs_no_other(place):
    index = places([store("nowhere", *place), store("here", 51.5, -0.1)])

    found = near(points((51.5, -0.1), (0.1, 0.0)), index)

    assert pairs(found) == [(0, 1)]
    assert index.left_out == {"nowhere": "it has no position on the globe"}


@pytest.mark.parametrize("stores", [[], [store("nowhere", None, None)]])
def test_without_stores_nothing_is_near(stores):
    found = near(points((51.5, -0.1), (None, None)), places(stores))

    assert pairs(found) == []
    assert found.left_out == {"blank": 1}


def test_no_points_are_near_nothing():
    found = near(points(), places([store("here", 51.5, -0.1)]))

    assert (pairs(found), found.left_out) == ([], {})


def test_points_are_left_as_they_were():
    asked = points((51.5, -0.1, 5), (None, None), (0, 0))
    before = [each.copy() for each in (asked.latitude, asked.longitude, asked.accuracy, asked.time)]

    near(asked, places([store("here", 51.5, -0.1)]))

    for each, old in zip((asked.latitude, asked.longitude, asked.accuracy, asked.time), before, strict=True):
        np.testing.assert_array_equal(each, old)
