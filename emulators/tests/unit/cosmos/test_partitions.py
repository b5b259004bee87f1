import pytest
from azure.cosmos.partition_key import PartitionKey
from hypothesis import given
from hypothesis import strategies as st

from emulators.cosmos.partitions import hash_of, range_of, ranges, share_of

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(KEYS)
def test_a_key_is_hashed_as_microsofts_clients_hash_it(key):
    theirs = PartitionKey._get_effective_partition_key_for_hash_partitioning_v2([key])

    assert hash_of(key) == theirs


@given(KEYS, st.integers(1, 12))
def test_every_key_lies_in_exactly_one_range(key, count):
    among = ranges(count)

    holding = [each for each in among if each.holds(hash_of(key))]

    assert holding == [range_of(hash_of(key), among)]
    assert 0 <= share_of(hash_of(key)) < 1


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_ranges_join_one_to_the_other_and_hold_everything(count):
    among = ranges(count)

    assert [each.low for each in among] == ["", *(each.high for each in among[:-1])]
    assert among[-1].high == "FF"
    assert [each.id for each in among] == [str(part) for part in range(count)]
