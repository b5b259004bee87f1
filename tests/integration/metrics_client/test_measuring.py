"""The contract of measurements: what holds for a SQLite file, and for T-SQL in translation, must hold for the fake."""

import pytest

from shared.domain.volumes.alert import PastAlerts
from shared.domain.volumes.measurement import Counted, MeasuredTable
from shared.errors import Unavailable
from tests.integration.metrics_client.conftest import NOON, alert_of, decides, later, measure, request_of


def measured(metrics, run_id="r1", window="w1", table="trades", **wishes):
    request = request_of(run_id, window, table)
    return measure(metrics, request, decides(request, **wishes))


def seen_by(metrics, run_id="r1", window="w1", **wishes):
    seen = []
    measured(metrics, run_id, window, seen=seen, **wishes)
    ((counted, past),) = seen
    return Counted(counted.delta, counted.total, list(counted.history), counted.is_first), past


def test_a_windows_rows_are_the_delta_and_all_windows_the_total(world):
    world.add("w1", 30)
    world.add("w2", 12)

    counted, past = seen_by(world.metrics, window="w2")

    assert counted == Counted(12, 42, [], is_first=True)
    assert past == PastAlerts({})


def test_what_waits_in_the_spill_is_counted_for_the_window_and_stream(world):
    world.wait("w1", 12)
    seen = []

    for window in ("w1", "w2", None):
        measured(world.metrics, f"run-{window}", window, seen=seen)

    assert [counted.waiting for counted, _ in seen] == [12, 0, 0]


@pytest.mark.parametrize("database", ["sqlite_world", "odbc_world"])
def test_windows_that_former_versions_counted_are_a_part_of_the_total_once(request, database):
    world = request.getfixturevalue(database)
    world.count("former", ("trades", "sql", "", 5))
    world.count("new", ("trades", "sql", "Trades", 30))
    world.count("again", ("trades", "sql", "", 1_000), ("trades", "sql", "Trades", 12))

    assert seen_by(world.metrics, window="new")[0] == Counted(0, 47, [], is_first=True)


def test_a_window_that_nothing_came_in_has_no_rows(world):
    assert seen_by(world.metrics)[0] == Counted(0, 0, [], is_first=True)


def test_without_a_window_a_first_delta_is_the_whole_table(world):
    world.add("w1", 30)

    assert seen_by(world.metrics, window=None)[0] == Counted(30, 30, [], is_first=True)


def test_without_a_window_the_delta_is_against_the_measurement_before(world):
    world.add("w1", 30)
    measured(world.metrics, "r1", None, verdict="low")
    world.add("w2", 5)

    assert seen_by(world.metrics, "r2", None)[0] == Counted(5, 35, [], is_first=False)


def test_rows_that_went_give_a_negative_delta(world):
    world.add("w1", 30)
    world.add("w2", 5)
    measured(world.metrics, "r1", None)
    world.remove("w1")

    assert seen_by(world.metrics, "r2", None)[0] == Counted(-30, 5, [35], is_first=False)


def test_the_two_kinds_know_nothing_of_each_other(world):
    world.add("w1", 30)
    measured(world.metrics, "r1", "w1")

    assert seen_by(world.metrics, "r2", None)[0] == Counted(30, 30, [], is_first=True)


def test_another_key_of_the_same_table_has_a_history_of_its_own(world):
    world.add("w1", 30)
    measured(world.metrics, "r1", "w1", table="other")

    assert seen_by(world.metrics, "r1", "w1")[0].is_first


def test_the_history_is_the_last_fourteen_good_deltas_newest_first(world):
    for number in range(20):
        world.add(f"w{number}", number)
        verdict = ["first", "normal", "low", "high", "negative"][number % 5] if number < 5 else "normal"
        measured(world.metrics, f"r{number}", f"w{number}", verdict=verdict)

    assert seen_by(world.metrics, "r", "w3")[0].history == list(range(19, 5, -1))


def test_only_good_measurements_make_history(world):
    for number, verdict in enumerate(["first", "normal", "low", "high", "negative"]):
        world.add(f"w{number}", number)
        measured(world.metrics, f"r{number}", f"w{number}", verdict=verdict)

    assert seen_by(world.metrics, "r", "w3")[0].history == [1, 0]


def test_a_new_level_begins_the_history_anew_with_the_measurements_that_made_it(world):
    verdicts = ["first", "normal", "negative", "high", "high", "high", "high", "new_level", "normal", "low", "normal"]
    for number, verdict in enumerate(verdicts):
        world.add(f"w{number}", number)
        measured(world.metrics, f"r{number}", f"w{number}", verdict=verdict)

    assert seen_by(world.metrics, "r", "w3")[0].history == [10, 8, 7, 6, 5, 4, 3]


def test_the_last_four_measurements_are_seen_whatever_their_verdicts(world):
    for number, verdict in enumerate(["first", "normal", "low", "high", "negative"]):
        world.add(f"w{number}", number)
        measured(world.metrics, f"r{number}", f"w{number}", verdict=verdict)
    measured(world.metrics, "whole", None)
    seen = []

    measured(world.metrics, "r", "w3", seen=seen)

    assert list(seen[0][0].recent) == [("negative", 4), ("high", 3), ("low", 2), ("normal", 1)]


def test_counts_beyond_32_bits_are_kept(world):
    world.add("w1", 3)
    request = request_of()

    def decide(counted, past):
        measurement, alert = decides(request)(Counted(3_000_000_000, 9_000_000_000_000), past)
        return measurement, alert

    kept, _ = measure(world.metrics, request, decide)

    assert world.metrics.last("trades", 1) == [kept]
    assert kept.all_ingested_rows == 9_000_000_000_000


def test_a_run_is_measured_once_and_answered_alike_ever_after(world):
    world.add("w1", 30)
    first = measured(world.metrics)
    world.add("w2", 9)
    seen = []

    again = measured(world.metrics, verdict="low", alert=alert_of(), seen=seen)

    assert (first[1], again) == (False, (first[0], True))
    assert seen == []
    assert world.metrics.due(later(1)) == []


def test_another_request_for_the_same_run_is_answered_what_was_recorded(world):
    recorded, _ = measured(world.metrics, "r1", "w1")

    assert measured(world.metrics, "r1", None) == (recorded, True)


def test_runs_that_differ_in_case_alone_are_two(metrics):
    measured(metrics, "run")

    assert not measured(metrics, "RUN")[1]


def test_the_last_measurements_are_newest_first_and_whole(world):
    world.add("w1", 30)
    made = [measured(world.metrics, f"r{number}", ["w1", None][number % 2], at=later(number))[0] for number in range(4)]
    measured(world.metrics, "r1", table="other")

    assert world.metrics.last("trades", 3) == made[:0:-1]


def test_the_order_of_measurements_is_that_of_their_commits_whatever_the_clock_says(metrics):
    measured(metrics, "r1", at=later(9))
    measured(metrics, "r2", at=later(1))

    assert [one.request.run_id for one in metrics.last("trades", 9)] == ["r2", "r1"]


def test_of_a_table_never_measured_there_is_nothing_to_list(metrics):
    assert metrics.last("trades", 50) == []


def test_an_alert_is_committed_with_its_measurement(metrics):
    measurement, _ = measured(metrics, verdict="low", alert=alert_of())

    assert measurement.alert == "pending"
    assert metrics.due(NOON) == ["trades:r1:alert"]


def test_what_decide_raises_leaves_nothing_behind(metrics):
    request = request_of()

    with pytest.raises(ZeroDivisionError):
        measure(metrics, request, lambda counted, past: 1 / 0)

    assert metrics.last("trades", 9) == []
    assert not measured(metrics)[1]


def test_past_alerts_are_the_newest_of_each_cause_of_that_table(metrics):
    measured(metrics, "r1", verdict="low", alert=alert_of("r1", at=NOON))
    measured(metrics, "r2", verdict="low", alert=alert_of("r2", at=later(5)))
    measured(metrics, "r3", alert=alert_of("r3", "recovery", "recovery", at=later(9)))
    measured(metrics, "r4", table="other", alert=alert_of("r4", cause="high", table="other"))

    assert seen_by(metrics, "r5")[1] == PastAlerts({"low": later(5), "recovery": later(9)})


def test_a_measured_table_that_is_missing_is_named(world):
    gone = MeasuredTable("trades", "Nowhere", "trades", 1000, "ingestion")

    with pytest.raises(Unavailable, match="Nowhere"):
        measure(world.metrics, request_of(), decides(request_of()), gone)

    assert world.metrics.last("trades", 9) == []


@pytest.mark.parametrize(("how", "decisions"), [("fails", 2), ("unanswered", 1)])
def test_a_commit_that_fails_leaves_one_measurement_that_is_the_calls_own(world, how, decisions):
    world.fail_next_commit(how)
    seen = []

    measurement, repeated = measured(world.metrics, alert=alert_of(), seen=seen)

    assert (repeated, len(seen)) == (False, decisions)
    assert world.metrics.last("trades", 9) == [measurement]
    assert world.metrics.due(NOON) == ["trades:r1:alert"]


@pytest.mark.parametrize("how", ["fails", "unanswered"])
def test_after_a_commit_that_failed_another_call_is_answered_what_was_recorded(world, how):
    world.fail_next_commit(how)
    measurement, _ = measured(world.metrics)

    assert measured(world.metrics, at=later(1)) == (measurement, True)
