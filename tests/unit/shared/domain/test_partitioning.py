import pytest
from azure.eventhub._buffered_producer._partition_resolver import generate_hash_code
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.partitioning import partition_of


def ids(count):
    return tuple(map(str, range(count)))


@pytest.mark.parametrize(
    ("key", "partitions", "place"),
    [("alphabet", 3, "0"), ("alphabet", 11, "4"), ("TheBestParitionEver", 4, "2"), ("TheWorstParitionEver", 15, "1")],
)
def test_a_key_is_placed_as_by_the_service_whose_answers_microsofts_own_tests_hold(key, partitions, place):
    assert partition_of(key, ids(partitions)) == place


@given(st.text(st.characters(max_codepoint=127), min_size=1), st.integers(1, 64))
def test_any_key_is_hashed_as_by_microsofts_client_and_divided_towards_zero(key, partitions):
    assert int(partition_of(key, ids(partitions))) == abs(generate_hash_code(key)) % partitions


@given(st.text(), st.integers(1, 64))
def test_every_key_has_a_partition(key, partitions):
    assert partition_of(key, ids(partitions)) in ids(partitions)


def test_keys_are_spread_evenly():
    places = [partition_of(f"user {number}", ids(4)) for number in range(4_000)]

    assert all(900 < places.count(one) < 1_100 for one in ids(4))
