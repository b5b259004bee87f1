"""The contract of measurements: what holds for a SQLite file, and for T-SQL in translation, must hold for the fake."""

import pytest

from shared.domain.volumes.alert import PastAlerts
from shared.domain.volumes.measurement import Counted, MeasuredTable
from shared.errors import Unavailable
from tests.integration.metrics_client.conftest import NOON, TRADES, alert_of, decides, later, order_of


def measure(metrics, run_id="r1", window="w1", table="trades", **wishes):
    order = order_of(run_id, window, table)
    return metrics.measure(order, TRADES, decides(order, **wishes))


def seen_by(metrics, run_id="r1", window="w1", **wishes):
    seen = []
    measure(metrics, run_id, window, seen=seen, **wishes)
    ((counted, past),) = seen
    return Counted(counted.delta, counted.total, list(counted.history), counted.is_first), past


def test_a_windows_rows_are_the_delta_and_all_windows_the_total(world):
    world.add("w1", 30)
    world.add("w2", 12)

    counted, past = seen_by(world.metrics, window="w2")

    assert counted == Counted(12, 42, [], is_first=True)
    assert past == PastAlerts({})


def test_a_window_that_nothing_came_in_has_no_rows(world):
    assert seen_by(world.metrics)[0] == Counted(0, 0, [], is_first=True)


def test_without_a_window_a_first_delta_is_the_whole_table(world):
    world.add("w1", 30)

    assert seen_by(world.metrics, window=None)[0] == Counted(30, 30, [], is_first=True)


def test_without_a_window_the_delta_is_against_the_measurement_before(world):
    world.add("w1", 30)
    measure(world.metrics, "r1", None, verdict="low")
    world.add("w2", 5)

    assert seen_by(world.metrics, "r2", None)[0] == Counted(5, 35, [], is_first=False)


def test_rows_that_went_give_a_negative_delta(world):
    world.add("w1", 30)
    world.add("w2", 5)
    measure(world.metrics, "r1", None)
    world.remove("w1")

    assert seen_by(world.metrics, "r2", None)[0] == Counted(-30, 5, [35], is_first=False)


def test_the_two_kinds_know_nothing_of_each_other(world):
    world.add("w1", 30)
    measure(world.metrics, "r1", "w1")

    assert seen_by(world.metrics, "r2", None)[0] == Counted(30, 30, [], is_first=True)


def test_another_key_of_the_same_table_has_a_history_of_its_own(world):
    world.add("w1", 30)
    measure(world.metrics, "r1", "w1", table="other")

    assert seen_by(world.metrics, "r1", "w1")[0].is_first


def test_the_history_is_the_last_fourteen_good_deltas_newest_first(world):
    for number in range(20):
        world.add(f"w{number}", number)
        verdict = ["first", "normal", "low", "high", "negative"][number % 5] if number < 5 else "normal"
        measure(world.metrics, f"r{number}", f"w{number}", verdict=verdict)

    assert seen_by(world.metrics, "r", "w3")[0].history == list(range(19, 5, -1))


def test_only_good_measurements_make_history(world):
    for number, verdict in enumerate(["first", "normal", "low", "high", "negative"]):
        world.add(f"w{number}", number)
        measure(world.metrics, f"r{number}", f"w{number}", verdict=verdict)

    assert seen_by(world.metrics, "r", "w3")[0].history == [1, 0]


def test_counts_beyond_32_bits_are_kept(world):
    world.add("w1", 3)
    order = order_of()

    def decide(counted, past):
        measurement, alert = decides(order)(Counted(3_000_000_000, 9_000_000_000_000), past)
        return measurement, alert

    kept, _ = world.metrics.measure(order, TRADES, decide)

    assert world.metrics.last("trades", 1) == [kept]
    assert kept.all_ingested_rows == 9_000_000_000_000


def test_a_run_is_measured_once_and_answered_alike_ever_after(world):
    world.add("w1", 30)
    first = measure(world.metrics)
    world.add("w2", 9)
    seen = []

    again = measure(world.metrics, verdict="low", alert=alert_of(), seen=seen)

    assert (first[1], again) == (False, (first[0], True))
    assert seen == []
    assert world.metrics.due(later(1)) == []


def test_another_order_of_the_same_run_is_answered_what_was_recorded(world):
    recorded, _ = measure(world.metrics, "r1", "w1")

    assert measure(world.metrics, "r1", None) == (recorded, True)


def test_runs_that_differ_in_case_alone_are_two(metrics):
    measure(metrics, "run")

    assert not measure(metrics, "RUN")[1]


def test_the_last_measurements_are_newest_first_and_whole(world):
    world.add("w1", 30)
    made = [measure(world.metrics, f"r{number}", ["w1", None][number % 2], at=later(number))[0] for number in range(4)]
    measure(world.metrics, "r1", table="other")

    assert world.metrics.last("trades", 3) == made[:0:-1]


def test_the_order_of_measurements_is_that_of_their_commits_whatever_the_clock_says(metrics):
    measure(metrics, "r1", at=later(9))
    measure(metrics, "r2", at=later(1))

    assert [one.order.run_id for one in metrics.last("trades", 9)] == ["r2", "r1"]


def test_of_a_table_never_measured_there_is_nothing_to_list(metrics):
    assert metrics.last("trades", 50) == []


def test_an_alert_is_committed_with_its_measurement(metrics):
    measurement, _ = measure(metrics, verdict="low", alert=alert_of())

    assert measurement.alert == "pending"
    assert metrics.due(NOON) == ["trades:r1:alert"]


def test_what_decide_raises_leaves_nothing_behind(metrics):
    order = order_of()

    with pytest.raises(ZeroDivisionError):
        metrics.measure(order, TRADES, lambda counted, past: 1 / 0)

    assert metrics.last("trades", 9) == []
    assert not measure(metrics)[1]


def test_past_alerts_are_the_newest_of_each_cause_of_that_table(metrics):
    measure(metrics, "r1", verdict="low", alert=alert_of("r1", at=NOON))
    measure(metrics, "r2", verdict="low", alert=alert_of("r2", at=later(5)))
    measure(metrics, "r3", alert=alert_of("r3", "recovery", "recovery", at=later(9)))
    measure(metrics, "r4", table="other", alert=alert_of("r4", cause="high", table="other"))

    assert seen_by(metrics, "r5")[1] == PastAlerts({"low": later(5), "recovery": later(9)})


def test_a_measured_table_that_is_missing_is_named(world):
    gone = MeasuredTable("trades", "Nowhere", "trades", 1000, "ingestion")

    with pytest.raises(Unavailable, match="Nowhere"):
        world.metrics.measure(order_of(), gone, decides(order_of()))

    assert world.metrics.last("trades", 9) == []
