import pytest

from emulators.application_insights.store import Store, Table


def rows(*numbers):
    return [{"n": number} for number in numbers]


def held(table):
    return [row["n"] for row in table.rows()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "AppTraces.jsonl"


def test_rows_are_in_the_file_as_soon_as_they_are_kept(path):
    Table(path, 10).add(rows(1, 2))

    assert path.read_text() == '{"n":1}\n{"n":2}\n'


def test_rows_outlive_a_restart(path):
    Table(path, 10).add(rows(1, 2))

    assert held(Table(path, 10)) == [1, 2]


def test_a_line_that_was_cut_short_is_dropped_and_the_next_one_is_whole(path):
    path.write_bytes(b'{"n":1}\n{"n":')

    Table(path, 10).add(rows(2))

    assert path.read_text() == '{"n":1}\n{"n":2}\n'


def test_the_oldest_rows_go_first_and_the_file_is_bounded_too(path):
    table = Table(path, 3)
    for number in range(100):
        table.add(rows(number))
        assert len(path.read_bytes().splitlines()) <= 6

    assert held(table) == [97, 98, 99]
    assert held(Table(path, 3)) == [97, 98, 99]


def test_more_rows_at_once_than_are_kept_leave_the_newest(path):
    table = Table(path, 3)

    table.add(rows(*range(10)))

    assert held(table) == held(Table(path, 3)) == [7, 8, 9]


def test_each_table_gets_its_rows_in_their_order(tmp_path):
    store = Store(tmp_path / "new", 10)

    store.add([("AppTraces", {"n": 1}), ("AppMetrics", {"n": 2}), ("AppTraces", {"n": 3})])

    assert held(store.tables["AppTraces"]) == [1, 3]
    assert store.counts() == {
        "AppTraces": 2,
        "AppMetrics": 1,
        "AppRequests": 0,
        "AppDependencies": 0,
        "AppExceptions": 0,
    }
