"""What a session compiles, by how much there is."""

import pytest

from lakehouse.lake.compiling import FEW_BYTES, Compiling

NAME = "spark.sql.codegen.wholeStage"


@pytest.fixture
def session(spark):
    """Give a session of its own that was set to compile; its settings are its own."""
    own = spark.newSession()
    own.conf.set(NAME, "true")
    return own


def test_few_rows_are_interpreted_and_many_are_compiled_as_the_session_was_set(session):
    compiling = Compiling(session)

    compiling.suit(FEW_BYTES)
    for_few = session.conf.get(NAME)
    compiling.suit(FEW_BYTES + 1)
    for_many = session.conf.get(NAME)

    assert (for_few, for_many) == ("false", "true")


def test_work_of_unknown_size_is_done_as_the_session_was_set(session):
    compiling = Compiling(session)
    compiling.suit(0)

    compiling.as_set()

    assert session.conf.get(NAME) == "true"
    assert session.range(10).selectExpr("sum(id)").first()[0] == 45


def test_a_few_rows_interpreted_give_what_they_give_compiled(session):
    rows = session.range(10).selectExpr("sum(id * 2)", "max(sha2(string(id), 256))")
    compiled = rows.first()

    Compiling(session).suit(1)

    assert session.range(10).selectExpr("sum(id * 2)", "max(sha2(string(id), 256))").first() == compiled
