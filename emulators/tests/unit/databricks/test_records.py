import pytest

from emulators.databricks import lifecycle
from emulators.databricks.lifecycle import Run, TaskRun
from emulators.databricks.records import Records


@pytest.fixture
def open_records(tmp_path):
    """Open the same file anew, letting go of it before."""
    opened = []

    def reopen():
        for records in opened:
            records.close()
        opened.append(Records(tmp_path / "runs.sqlite"))
        return opened[-1]

    yield reopen
    opened[-1].close()


def a_run(run_id, token=None):
    return Run(run_id, 5, "job", "me", 100, (TaskRun("a", run_id + 1),), {"x": "1"}, token)


def test_runs_tokens_and_ids_outlive_the_service(open_records):
    records = open_records()
    first, _ = records.new_ids(2)
    records.add(a_run(first, "once"))
    changed = records.change(first, lambda run: lifecycle.begun(run, 7))

    again = open_records()

    assert list(again.all()) == [changed]
    assert again.token_owner("once") == first
    assert list(again.new_ids(1)) == [3]


def test_the_token_of_a_deleted_run_stays_taken(open_records):
    records = open_records()
    records.add(a_run(1, "once"))

    records.delete(1)

    assert records.get(1) is None
    assert open_records().token_owner("once") == 1


def test_the_newest_run_comes_first(open_records):
    records = open_records()
    for run_id in (1, 3, 2):
        records.add(a_run(run_id))

    assert [run.run_id for run in records.all()] == [3, 2, 1]
