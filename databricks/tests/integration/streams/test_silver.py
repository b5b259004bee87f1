"""Bronze into silver over real Spark and Delta: what is kept, what is set aside, and what a kill or a repeat leaves."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job_house import WINDOW, trade
from lakehouse.lake.tables import Lake
from lakehouse.streams.bounds import Batch, within
from lakehouse.streams.bronze import create_bronze_table
from silver_house import LATER, Killed, SilverHouse, event, pack

TABLES = ("silver.trades_quarantine", "silver.trades_duplicates", "silver.trades")


def a_bit_of_everything():
    early = trade(1, received_at="2026-11-22T10:00:01.400000Z")
    first = [event(trade(1)), event(trade(2)), event(trade(3, price="12")), event(b"nope")]
    return [*first, pack([trade(4), early, b'{"x":1}'], encoding="zstd"), pack([trade(9)], rows="5")]


def dying_after(table):
    def on_commit(done):
        if done == table:
            raise Killed(done)

    return on_commit


def test_each_record_is_kept_set_aside_or_a_duplicate(house):
    house.send(*a_bit_of_everything())

    touched = house.started().run_pass()

    assert touched == {WINDOW}
    assert house.rows("silver.trades", "trade_id", "sequence_number", "index") == [(1, 4, 1), (2, 1, 0), (4, 4, 0)]
    assert house.rows("silver.trades_duplicates", "trade_id", "sequence_number") == [(1, 0)]
    assert house.rows("silver.trades_quarantine", "sequence_number", "index", "rows") == [
        (2, 0, 1),
        (3, 0, 1),
        (4, 2, 1),
        (5, -1, 5),
    ]
    assert house.reasons()[0] == "price: expected number, found string"


def test_columns_have_comments_in_the_table(house):
    house.started()

    schema = house.lake.read("silver.trades").schema

    assert schema["direction"].metadata["comment"] == "The taker's side."
    assert schema["epoch"].metadata["comment"].startswith("When the hub was made")


def test_a_record_whose_key_is_new_is_appended_and_one_that_takes_a_key_is_merged(house):
    silver = house.started()
    for second in ("3", "4"):
        house.send(event(trade(int(second), received_at=f"2026-11-22T10:00:0{second}Z")))
        silver.run_pass()
    before = house.operations("silver.trades")

    house.send(event(trade(3, received_at="2026-11-22T10:00:01Z")), event(trade(5)))
    silver.run_pass()

    assert before[:2] == ["WRITE", "WRITE"]
    assert house.operations("silver.trades")[0] == "MERGE"
    assert house.rows("silver.trades", "trade_id", "sequence_number") == [(3, 2), (4, 1), (5, 3)]


def test_a_look_at_held_rows_reads_the_files_of_their_time_alone(house):
    silver = house.started()
    for hour in ("10", "11", "12"):
        house.send(*[event(trade(number, timestamp=f"2026-11-22T{hour}:00:00Z", symbol=hour)) for number in (1, 9)])
        silver.run_pass()
    contract = house.contracts[-1]
    bounds = {"venue": "kraken", "symbol": "11", "trade_id": 5, "timestamp": 1_795_345_500_000_000}
    batch = Batch(frozenset(), 0, 1, 1, {**bounds, "symbol": "10"}, {**bounds, "symbol": "12"})

    by_time = house.lake.read("silver.trades").where(within(batch, contract))

    assert len(by_time.inputFiles()) == 1
    assert len(house.lake.read("silver.trades").inputFiles()) == 3


def test_the_longest_texts_and_the_first_times_bound_a_look_without_an_error(house):
    silver = house.started()
    first = {"timestamp": "0001-01-01T00:00:00Z", "received_at": "9999-12-31T23:59:59.999999Z"}
    house.send(event(trade(1, symbol="é" * 64, **first)), event(trade(2, symbol="${env:HOME}'\\\"")))
    silver.run_pass()

    house.send(event(trade(1, symbol="é" * 64, **first)), event(trade(2, symbol="${env:HOME}'\\\"")))
    silver.run_pass()

    assert len(house.rows("silver.trades", "trade_id")) == 2
    assert len(house.rows("silver.trades_duplicates", "trade_id")) == 2


def test_a_window_whose_row_is_displaced_by_anothers_is_named_too(house):
    silver = house.started()
    house.send(event(trade(1)))
    silver.run_pass()

    house.send(event(trade(1, received_at="2026-11-22T10:00:01Z"), window=LATER))
    touched = silver.run_pass()

    assert touched == {WINDOW, LATER}
    assert house.rows("silver.trades", "window_id") == [(LATER,)]
    assert house.rows("silver.trades_duplicates", "window_id") == [(WINDOW,)]


def test_a_pass_without_new_events_touches_nothing(house):
    silver = house.started()
    house.send(event(trade(1)))
    silver.run_pass()

    assert silver.run_pass() == frozenset()


def test_events_of_a_hub_made_anew_are_kept_beside_those_of_the_former(house):
    silver = house.started()

    house.send(event(trade(1), epoch="2026-11-01T00:00:00Z"), event(trade(2), epoch="2026-11-22T00:00:00Z"))
    house.send(event(trade(1), epoch="2026-11-22T00:00:00Z"))
    silver.run_pass()

    assert house.rows("silver.trades", "trade_id", "sequence_number", "epoch") == [
        (1, 0, "2026-11-01T00:00:00Z"),
        (2, 0, "2026-11-22T00:00:00Z"),
    ]
    assert house.rows("silver.trades_duplicates", "sequence_number", "epoch") == [(1, "2026-11-22T00:00:00Z")]


def test_records_of_equal_places_in_two_hubs_are_two_records_and_a_rerun_changes_nothing(house):
    silver = house.started()

    house.send(event(trade(1)), event(trade(2), hub="b"), event(trade(1), hub="c"), event(b"bad", hub="b"))
    silver.run_pass()
    first = house.everything()
    silver.rerun(WINDOW)

    assert house.rows("silver.trades", "trade_id", "sequence_number", "hub") == [(1, 0, ""), (2, 0, "b")]
    assert house.rows("silver.trades_duplicates", "sequence_number", "hub") == [(0, "c")]
    assert house.rows("silver.trades_quarantine", "sequence_number", "hub") == [(1, "b")]
    assert house.everything() == first


def test_tables_from_before_there_could_be_several_hubs_are_taken_up_as_they_are(house):
    house.send(event(trade(1)), event(trade(1)), event(b"bad"))
    house.started().run_pass()
    for name in (house.bronze, *TABLES):
        older = house.lake.read(name).drop("hub").collect(), house.lake.read(name).drop("hub").schema
        house.spark.sql(f"DROP TABLE {house.lake.names.table(name)}")
        house.lake = Lake(house.spark)
        house.lake.create(name, older[1])
        house.lake.append(name, house.spark.createDataFrame(*older))
    create_bronze_table(Lake(house.spark), "trades")

    silver = house.started()
    silver.run_pass()
    house.send(event(trade(2), hub="b"))
    silver.run_pass()

    assert house.rows("silver.trades", "trade_id", "hub") == [(1, None), (2, "b")]
    assert house.rows("silver.trades_duplicates", "sequence_number", "hub") == [(1, None)]
    assert house.rows("silver.trades_quarantine", "sequence_number", "hub") == [(2, None)]


@pytest.mark.parametrize("killed_after", TABLES)
def test_a_pass_killed_between_two_commits_is_finished_with_nothing_doubled_and_nothing_lost(house, killed_after):
    house.send(event(trade(1)), event(trade(2)))
    house.started().run_pass()
    house.send(*a_bit_of_everything())
    with pytest.raises(Killed):
        house.silver(dying_after(killed_after)).run_pass()
    house.send(event(trade(1, received_at="2026-11-22T09:00:00Z")), event(b"worse"))

    house.started().run_pass()

    found = house.everything()
    assert len(found["_quarantine"]) == 5
    assert house.rows("silver.trades", "trade_id", "sequence_number") == [(1, 8), (2, 1), (4, 6)]
    assert house.rows("silver.trades_duplicates", "trade_id", "sequence_number") == [(1, 0), (1, 2), (1, 6), (2, 3)]


def test_a_lakehouse_that_remembers_no_progress_takes_all_anew_and_changes_nothing(house):
    house.send(*a_bit_of_everything())
    house.started().run_pass()
    house.send(event(trade(2)), event(trade(4, received_at="2026-11-22T10:00:00Z")), event(b"worse"))
    house.another().run_pass()
    before = house.everything()
    silver = house.silver()
    for name in TABLES:
        house.lake._progress[name] = None

    silver.run_pass()

    assert house.everything() == before


def test_progress_without_rows_is_written_down_once(house):
    house.send(event(b"bad"))
    house.started().run_pass()
    house.lake.note_all()
    commits = len(house.operations("silver.trades"))

    again = house.started()
    touched = again.run_pass()
    house.lake.note_all()

    assert touched == frozenset()
    assert len(house.operations("silver.trades")) == commits


def test_a_rerun_equals_the_first_run_whatever_became_of_the_tables(house):
    house.send(*a_bit_of_everything(), event(trade(7), window=LATER))
    silver = house.started()
    silver.run_pass()
    first = house.everything()

    silver.rerun(WINDOW)
    second = house.everything()
    for name in TABLES:
        house.lake.delete(name, f"window_id = '{WINDOW}'")
    silver.rerun(WINDOW)

    assert second == first
    assert house.everything() == first


def test_a_rerun_gives_a_row_back_its_key_and_names_both_windows(house):
    house.send(event(trade(1, received_at="2026-11-22T10:00:01Z")))
    silver = house.started()
    silver.run_pass()
    house.lake.delete("silver.trades", f"window_id = '{WINDOW}'")
    house.send(event(trade(1), window=LATER))
    silver.run_pass()

    touched = silver.rerun(WINDOW)

    assert touched == {WINDOW, LATER}
    assert house.rows("silver.trades", "window_id") == [(WINDOW,)]
    assert house.rows("silver.trades_duplicates", "window_id") == [(LATER,)]


def test_a_rerun_first_takes_what_is_new_so_that_it_is_not_taken_twice(house):
    house.send(event(trade(1)), event(trade(1)))
    silver = house.started()

    silver.rerun(WINDOW)
    silver.run_pass()

    assert house.rows("silver.trades_duplicates", "sequence_number") == [(1,)]


records = st.tuples(st.integers(1, 3), st.integers(0, 3), st.sampled_from([WINDOW, LATER]))
batches = st.lists(st.lists(records | st.none(), min_size=1, max_size=4), min_size=1, max_size=3)


def as_event(one):
    if one is None:
        return event(b"bad")
    number, second, window = one
    return event(trade(number, received_at=f"2026-11-22T10:00:0{second}Z"), window=window)


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(sent=batches, kills=st.lists(st.sampled_from(TABLES), max_size=2))
@pytest.mark.timeout(600)
def test_in_whatever_passes_and_with_whatever_kills_the_best_record_of_each_key_is_kept(spark, sent, kills):
    house = SilverHouse(spark)
    house.drop()
    house.started()
    for number, batch in enumerate(sent):
        house.send(*map(as_event, batch))
        try:
            house.silver(dying_after(kills[number] if number < len(kills) else "")).run_pass()
        except Killed:
            continue
    house.started().run_pass()

    places = [(one, place) for place, one in enumerate(one for batch in sent for one in batch)]
    good = sorted((one[0], one[1], place) for one, place in places if one is not None)
    best = {key: place for key, _, place in reversed(good)}
    assert house.rows("silver.trades", "trade_id", "sequence_number") == sorted(best.items())
    assert house.rows("silver.trades_duplicates", "sequence_number") == sorted(
        ((place,) for *_, place in good if place not in best.values()), key=str
    )
    assert len(house.rows("silver.trades_quarantine", "sequence_number")) == sum(one is None for one, _ in places)
    house.drop()


def test_values_are_exact(house):
    house.send(event(trade(1)))

    house.started().run_pass()

    assert house.rows("silver.trades", "price", "volume") == [(Decimal("65000.12"), Decimal("0.00012345"))]
