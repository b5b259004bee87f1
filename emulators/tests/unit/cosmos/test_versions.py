from hypothesis import given
from hypothesis import strategies as st

from emulators.cosmos.versions import Key, Versions

WRITES = st.lists(st.tuples(st.sampled_from("abcde"), st.integers()), max_size=60)


def noted(writes):
    versions = Versions(7_000)
    for name, value in writes:
        versions.note(Key("BR", name), {"id": name, "value": value}, None)
    return versions


@given(WRITES)
def test_the_feed_has_the_latest_version_of_each_item_in_the_order_of_the_last_writes(writes):
    latest = dict(writes)
    order = [name for at, (name, _) in enumerate(writes) if name not in {later for later, _ in writes[at + 1 :]}]

    found = [(one.item["id"], one.item["value"]) for one in noted(writes).since(7_000)]

    assert found == [(name, latest[name]) for name in order]


@given(WRITES, st.integers(0, 60))
def test_a_reader_that_goes_on_sees_what_was_written_after_its_place_and_nothing_else(writes, place):
    versions = noted(writes)

    found = [one.lsn for one in versions.since(7_000 + place)]

    assert found == [one.lsn for one in versions.since(7_000) if one.lsn > 7_000 + place]


def test_versions_that_were_replaced_are_forgotten():
    versions = noted([("a", n) for n in range(10_000)])

    assert len(versions) == 1
    assert len(versions._written) < 2_000
    assert [one.item["value"] for one in versions.since(versions.first)] == [9_999]


def test_an_item_ends_with_its_time_unless_it_was_written_again():
    versions = Versions(0)
    versions.note(Key("BR", "short"), {}, 10.0)
    versions.note(Key("BR", "again"), {}, 10.0)
    versions.note(Key("BR", "again"), {}, 20.0)
    versions.note(Key("BR", "ever"), {}, None)

    assert versions.take_expired(9.9) == []
    assert versions.take_expired(10.0) == [Key("BR", "short")]
    assert versions.take_expired(30.0) == [Key("BR", "again")]
    assert [one.key.id for one in versions.since(0)] == ["ever"]
