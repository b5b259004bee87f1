"""How Azure SQL is spoken to, by a stand-in for ODBC: locks, deadlines, and errors by their numbers."""

import pytest

from shared.clients.retrying import Backoff, Clock, RetryPolicy, Timeouts
from shared.clients.sql.metrics import SqlMetrics
from shared.clients.sql.odbc import token_bytes
from shared.errors import LoginRefused, Unavailable
from tests.integration.metrics_client.conftest import NOON, alert_of, decides, measure, request_of
from tests.integration.metrics_client.odbc_standin import refusal


def measured(world, **wishes):
    return measure(world.metrics, request_of(), decides(request_of(), **wishes))


def place_of(world, part):
    return next(place for place, statement in enumerate(world.odbc.statements) if part in statement)


def test_the_table_key_is_locked_before_anything_is_read(odbc_world):
    measured(odbc_world)

    (key, timeout), (making, _) = odbc_world.odbc.locks
    assert (key, making) == (
        "enrichment_pipeline_metrics:trades",
        "enrichment_pipeline_metrics: making the tables",
    )
    assert 0 < timeout <= 10_000
    assert place_of(odbc_world, "sp_getapplock") == 0


def test_where_the_tables_are_there_no_lock_is_taken_to_make_them(odbc_world):
    measured(odbc_world)
    odbc_world.odbc.locks.clear()

    measured(odbc_world)

    assert [what for what, _ in odbc_world.odbc.locks] == ["enrichment_pipeline_metrics:trades"]


def test_every_statement_has_the_time_that_is_left_of_its_try(odbc_world):
    measured(odbc_world)

    assert set(odbc_world.odbc.timeouts) <= set(range(8, 11))


@pytest.mark.parametrize("answer", [-1, -2, -3, -999])
def test_a_lock_that_is_not_granted_is_asked_for_again(odbc_world, answer):
    odbc_world.odbc.answers_of_locks = [answer]

    _, repeated = measured(odbc_world)

    assert not repeated
    assert [what for what, _ in odbc_world.odbc.locks].count("enrichment_pipeline_metrics:trades") == 2


def test_a_lock_that_is_never_free_is_unavailable(odbc_world):
    odbc_world.odbc.answers_of_locks = [-1] * 999
    passed = [0.0]
    tempo = Clock(lambda: sum(passed), passed.append, lambda: 0.5)
    weary = RetryPolicy(Timeouts(total=3.0, attempt=1.0, ordinary=Backoff(0.5)), tempo)

    with pytest.raises(Unavailable, match=r"lock .*trades.* could not be acquired.*answers -1.*tries: \d"):
        measure(SqlMetrics(odbc_world.metrics.database, weary, weary), request_of(), decides(request_of()))


@pytest.mark.parametrize(
    "point", ["INSERT INTO enrichment_pipeline_metrics", "INSERT INTO enrichment_alerts", "COUNT_BIG"]
)
@pytest.mark.parametrize("number", [1205, 40197, 40613, 10928])
def test_an_error_that_passes_is_tried_again_and_nothing_is_there_twice(odbc_world, point, number):
    odbc_world.odbc.faults = {point: [refusal(number)]}

    _, repeated = measured(odbc_world, alert=alert_of())

    assert not repeated
    assert len(odbc_world.metrics.last("trades", 9)) == 1
    assert odbc_world.metrics.due(NOON) == ["trades:r1:alert"]


@pytest.mark.parametrize(("point", "number"), [("CREATE TABLE", 262), ("CREATE TABLE", 2760), ("COUNT_BIG", 229)])
def test_what_the_identity_may_not_do_names_the_administrators_file(odbc_world, point, number):
    odbc_world.odbc.faults = {point: [refusal(number, "Permission denied.")]}

    with pytest.raises(Unavailable, match=r"Permission denied.*definitions/sql/enrichment_pipeline_metrics\.sql"):
        measured(odbc_world)

    assert len(odbc_world.odbc.locks) == 2


def test_another_error_is_told_at_once_in_the_databases_words(odbc_world):
    odbc_world.odbc.faults = {"COUNT_BIG": [refusal(8134, "Divide by zero.")]}

    with pytest.raises(Unavailable, match=r"sql\.example.*Divide by zero"):
        measured(odbc_world)

    assert [statement for statement in odbc_world.odbc.statements if "COUNT_BIG" in statement][1:] == []


def test_a_login_that_is_disabled_stays_refused(odbc_world):
    odbc_world.odbc.faults = {"sp_getapplock": [refusal(18470, "The account is disabled.", "28000")]}

    with pytest.raises(LoginRefused, match="account is disabled"):
        measured(odbc_world)


@pytest.mark.parametrize(
    ("number", "words", "state"),
    [
        (18456, "Login failed.", "28000"),
        (6005, "SHUTDOWN is in progress.", "42000"),
        (3906, "The database is read-only.", "42000"),
    ],
)
def test_a_paused_or_moving_database_costs_a_measurement_one_more_try(odbc_world, number, words, state):
    odbc_world.odbc.faults = {"sp_getapplock": [refusal(number, words, state)]}

    assert measured(odbc_world)

    assert len(odbc_world.odbc.tokens) == 2


def test_a_token_is_fetched_for_every_connection(odbc_world):
    measured(odbc_world)
    odbc_world.metrics.last("trades", 1)

    assert odbc_world.odbc.tokens == [token_bytes("t0ken")] * 2
    assert odbc_world.odbc.pooling is False
