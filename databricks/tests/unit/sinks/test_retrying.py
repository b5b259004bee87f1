"""What is tried again, and what is not."""

import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from lakehouse.sinks.retrying import with_retries

AWAY = Py4JError("An error occurred while calling o7.executeUpdate.\n: java.sql.SQLException: Connection is closed.")


def failing(*failures):
    left = list(failures)

    def act():
        if left:
            raise left.pop(0)
        return "done"

    return act


def test_what_passes_is_tried_again_and_the_log_says_why(caplog):
    waited = []

    result = with_retries("sql.write", failing(AWAY, AWAY), waited.append, (1.0, 2.0, 4.0))

    assert (result, waited) == ("done", [1.0, 2.0])
    assert "sql.write failed, again in 1.0 s: java.sql.SQLException: Connection is closed." in caplog.text


def test_the_last_failure_is_raised():
    with pytest.raises(Py4JError, match="Connection is closed"):
        with_retries("sql.write", failing(AWAY, AWAY), lambda _seconds: None, (1.0,))


@pytest.mark.parametrize(
    "refusal",
    [
        Py4JError("[SQLITE_CONSTRAINT_CHECK] CHECK constraint failed: Trades.symbol: at most 64 characters"),
        PySparkException("String or binary data would be truncated in table 'Trades_staging', column 'symbol'."),
    ],
    ids=["sqlite", "azure"],
)
def test_values_that_the_database_refuses_are_not_tried_again(refusal):
    waited = []

    with pytest.raises(type(refusal)):
        with_retries("sql.write", failing(refusal), waited.append, (1.0,))

    assert waited == []
