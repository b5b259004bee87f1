from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.event_hubs.positions import Field, Position, PositionError, parse_selector
from emulators.event_hubs.segments import EVENT_OVERHEAD
from emulators.event_hubs.store import Epoch, Store

START = datetime(2026, 11, 22, 10, tzinfo=UTC)


def store_of(retention=1 << 30, hubs=None, started=START):
    return Store(hubs or {"trades": 4}, retention_bytes=retention, started=started)


def filled(count=5):
    """One partition with `count` events, enqueued a second apart from START on."""
    store = store_of()
    partition = store.hubs["trades"][0]
    for number in range(count):
        store.append(partition, [b"%d" % number], START + timedelta(seconds=number))
    return partition


def bodies(partition, sequence=0):
    return [event for _, _, event in partition.read(sequence)]


def at(field, value, *, inclusive=False):
    return Position(field, str(value), inclusive)


def milliseconds(seconds):
    return int(START.timestamp() * 1000) + seconds * 1000


def test_events_are_read_in_the_order_they_were_appended():
    assert bodies(filled(3)) == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (at(Field.OFFSET, "-1"), 0),
        (at(Field.OFFSET, "@latest"), 5),
        (at(Field.SEQUENCE, -1), 0),
        (at(Field.SEQUENCE, 2), 3),
        (at(Field.SEQUENCE, 2, inclusive=True), 2),
        (at(Field.OFFSET, Epoch.at(START).offset(2)), 3),
        (at(Field.OFFSET, Epoch.at(START).offset(2), inclusive=True), 2),
        (at(Field.OFFSET, Epoch.at(START).offset(4)), 5),
        (at(Field.ENQUEUED_TIME, milliseconds(2)), 3),
        (at(Field.ENQUEUED_TIME, milliseconds(2), inclusive=True), 2),
        (at(Field.ENQUEUED_TIME, milliseconds(-9)), 0),
        (at(Field.ENQUEUED_TIME, milliseconds(99)), 5),
    ],
)
def test_a_position_means_the_event_reading_starts_with(position, expected):
    assert filled(5).start_of(position) == expected


@pytest.mark.parametrize(
    "position", [at(Field.SEQUENCE, 5), at(Field.SEQUENCE, "x"), at(Field.OFFSET, "x"), at(Field.ENQUEUED_TIME, "x")]
)
def test_a_position_that_cannot_exist_is_refused_with_its_value(position):
    with pytest.raises(PositionError, match=f"'{position.value}'"):
        filled(5).start_of(position)


def test_an_offset_of_an_earlier_epoch_is_refused_naming_both_epochs_and_the_way_out():
    yesterday = Epoch.at(START - timedelta(days=1))

    with pytest.raises(PositionError, match=f"{yesterday.number}.*{Epoch.at(START).number}.*Delete the checkpoint"):
        filled(5).start_of(at(Field.OFFSET, yesterday.offset(3)))


@given(st.integers(0, 10**9), st.integers(0, 10**9 - 1))
def test_every_offset_belongs_to_one_epoch_and_fits_a_signed_long(tenths, sequence):
    epoch = Epoch.at(START + timedelta(milliseconds=100 * tenths))

    assert epoch.sequence(epoch.offset(sequence)) == sequence
    assert int(epoch.offset(sequence)) < 2**63


def test_a_later_start_has_higher_offsets():
    later = Epoch.at(START + timedelta(milliseconds=100))

    assert int(later.offset(0)) > int(Epoch.at(START).offset(10**9 - 1))


def test_an_empty_partition_has_no_last_offset():
    partition = store_of().hubs["trades"][0]

    assert (partition.begin_sequence, partition.next_sequence, partition.last_offset) == (0, 0, "-1")


@given(st.text())
def test_a_key_always_means_the_same_partition(key):
    assert store_of().choose("trades", key).id == store_of(started=START + timedelta(days=9)).choose("trades", key).id


def test_keys_spread_over_all_partitions():
    store = store_of()

    assert {store.choose("trades", f"key-{n}").id for n in range(50)} == {"0", "1", "2", "3"}


def test_without_a_key_partitions_take_turns():
    store = store_of()

    assert [store.choose("trades", None).id for _ in range(5)] == ["0", "1", "2", "3", "0"]


def test_appending_wakes_the_listeners_of_that_partition_only():
    store, woken = store_of(), []
    first, second = store.hubs["trades"][:2]
    first.listeners.add(lambda: woken.append("first"))
    second.listeners.add(lambda: woken.append("second"))

    store.append(second, [b"a"], START)

    assert woken == ["second"]


def test_the_oldest_events_of_all_hubs_go_first():
    size = 10 + EVENT_OVERHEAD
    store = store_of(retention=2 * size, hubs={"a": 1, "b": 1})
    a, b = store.hubs["a"][0], store.hubs["b"][0]

    for partition in (a, b, b):
        store.append(partition, [b"x" * 10], START)

    assert (a.begin_sequence, a.next_sequence, bodies(a)) == (1, 1, [])
    assert (b.begin_sequence, b.next_sequence) == (0, 2)
    assert store.dropped_events == 1


def test_a_reader_behind_the_retention_goes_on_with_the_oldest_event_left():
    store = store_of(retention=3 * (1 + EVENT_OVERHEAD))
    partition = store.hubs["trades"][0]
    for number in range(6):
        store.append(partition, [b"%d" % number], START)

    assert bodies(partition, 0) == [b"3", b"4", b"5"]
    assert partition.start_of(at(Field.SEQUENCE, 0)) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.binary(max_size=40), min_size=1, max_size=5)), max_size=30))
def test_retention_holds_and_only_the_oldest_are_lost(appends):
    store, sent = store_of(retention=2000), {str(n): [] for n in range(4)}
    for number, events in appends:
        store.append(store.hubs["trades"][number], events, START)
        sent[str(number)] += events

    for partition in store.hubs["trades"]:
        assert bodies(partition) == sent[partition.id][partition.begin_sequence :]
        assert partition.next_sequence == len(sent[partition.id])
    assert sum(partition.size for partition in store.hubs["trades"]) <= 2000


def test_the_log_speaks_of_dropped_events_per_doubling_not_per_event(caplog):
    store = store_of(retention=1)
    for _ in range(100):
        store.append(store.hubs["trades"][0], [b"x"], START)

    assert store.dropped_events == 100
    assert len([record for record in caplog.records if "hub.retention_dropped" in record.message]) == 7


def test_enqueued_times_never_go_back():
    store = store_of()
    partition = store.hubs["trades"][0]

    store.append(partition, [b"a"], START)
    store.append(partition, [b"b"], START - timedelta(seconds=5))

    assert [time for _, time, _ in partition.read(0)] == [milliseconds(0)] * 2


@pytest.mark.parametrize("quote", ["'", ""])
@pytest.mark.parametrize("value", ["42", "-1", "@latest"])
@pytest.mark.parametrize("field", Field)
def test_a_selector_is_parsed_into_a_position_with_quotes_or_without(field, value, quote):
    position = parse_selector(f"amqp.annotation.{field} >= {quote}{value}{quote}")

    assert position == Position(field, value, inclusive=True)


def test_without_a_selector_reading_starts_at_the_first_event():
    assert filled(3).start_of(parse_selector(None)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "amqp.annotation.x-opt-colour > '1'",
        "amqp.annotation.x-opt-offset < '1'",
        "amqp.annotation.x-opt-offset > '1",
        "amqp.annotation.x-opt-offset > one",
        "amqp.annotation.x-opt-offset > ",
    ],
)
def test_a_strange_selector_is_refused_with_its_text(text):
    with pytest.raises(PositionError, match="selector"):
        parse_selector(text)
