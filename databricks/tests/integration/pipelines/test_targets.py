"""What each target of gold tables does alike: Delta, the fake, and whatever joins `TARGETS`."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gold_stage import Stage, listed
from gold_tables import per_row
from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import NewRows, RowsOfKeys, RowsOfValues
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.targets.delta import DeltaTarget
from lakehouse.pipelines.targets.fake import FakeTarget
from lakehouse.pipelines.targets.target import Target

type Rows = list[tuple[Any, ...]]
type Opened = tuple[Target, Callable[[], Rows]]

ROWS = "number long, doubled long, moment timestamp, window_id string"


def delta(stage: Stage, table: Table) -> Opened:
    stage.lake.create(table.lake_name, table.schema, table.key)
    return DeltaTarget(stage.lake), lambda: listed(stage.lake.read(table.lake_name), table)


def fake(stage: Stage, table: Table) -> Opened:
    target = FakeTarget()
    return target, lambda: sorted(map(tuple, target.rows(table)), key=str)


TARGETS: Mapping[str, Callable[[Stage, Table], Opened]] = {"delta": delta, "fake": fake}


@pytest.fixture(params=TARGETS)
def opened(request, stage):
    table = stage.named(per_row("s"))
    target, rows = TARGETS[request.param](stage, table)
    return stage, table, target, lambda: {row[0]: (row[1], row[3]) for row in rows()}


def frame(stage, *rows):
    return stage.spark.createDataFrame([(one, amount, None, window) for one, amount, window in rows], ROWS).selectExpr(
        "number", "doubled", "TIMESTAMP '2026-11-22 10:00:00' AS moment", "window_id"
    )


def keys(stage, *numbers):
    return stage.spark.createDataFrame([(number,) for number in numbers], "number long")


def test_a_table_has_no_progress_before_its_first_write(opened):
    _, table, target, _ = opened

    assert target.progress(table) is None


def test_new_rows_are_added_with_their_progress(opened):
    stage, table, target, rows = opened
    target.write(table, NewRows(frame(stage, (1, 10, "a"))), Progress({"x": 1}))

    target.write(table, NewRows(frame(stage, (2, 20, "b"))), Progress({"x": 2}, waiting=("w",)))

    assert rows() == {1: (10, "a"), 2: (20, "b")}
    assert target.progress(table) == Progress({"x": 2}, waiting=("w",))


def test_of_keys_the_rows_are_replaced_and_those_without_go(opened):
    stage, table, target, rows = opened
    target.write(table, NewRows(frame(stage, (1, 10, "a"), (2, 20, "a"), (3, 30, "a"))), Progress({"x": 1}))
    changed = RowsOfKeys(frame(stage, (2, 21, "b"), (4, 40, "b")), keys(stage, 1, 2, 4, 5), {"number": (1, 5)})

    target.write(table, changed, Progress({"x": 2}))
    target.write(table, changed, Progress({"x": 3}))

    assert rows() == {2: (21, "b"), 3: (30, "a"), 4: (40, "b")}
    assert target.progress(table) == Progress({"x": 3})


def test_of_values_all_rows_are_replaced_and_no_others(opened):
    stage, table, target, rows = opened
    first = frame(stage, (1, 10, "a"), (2, 20, "a"), (3, 30, "b'\\"), (4, 40, "c"))
    target.write(table, NewRows(first), Progress({"x": 1}))
    changed = RowsOfValues(frame(stage, (2, 21, "a"), (5, 50, "a")), "window_id", ("a", "b'\\"))

    target.write(table, changed, Progress({"x": 2}))
    target.write(table, changed, Progress({"x": 3}))

    assert rows() == {2: (21, "a"), 4: (40, "c"), 5: (50, "a")}
    assert target.progress(table) == Progress({"x": 3})
