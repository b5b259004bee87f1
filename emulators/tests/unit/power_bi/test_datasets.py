import json

import pytest

from emulators.power_bi.__main__ import configuration
from emulators.power_bi.datasets import Dataset, RowsRefused, read_datasets

COLUMNS = {"id": "Text", "name": "Text", "rank": "Text", "price": "Number", "volume": "Number", "timestamp": "DateTime"}
DATASET = Dataset("w", "d", COLUMNS, "secret-key")
ROW = {"id": "bitcoin", "price": 67250.25, "volume": 1, "timestamp": "2026-11-22T10:00:00.123456Z", "rank": None}


def test_a_row_of_the_columns_kinds_is_taken_and_a_missing_column_is_null():
    DATASET.check([ROW, {}, {"name": "x" * 4_000}])


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"prize": 1}, "Row 1, column 'prize': the dataset has no such column; it has id, "),
        ({"price": "1.5"}, "column 'price': a str is no Number"),
        ({"price": True}, "column 'price': a bool is no Number"),
        ({"rank": 1}, "column 'rank': a int is no Text"),
        ({"timestamp": "noon"}, "column 'timestamp': a str is no DateTime"),
        ({"name": "x" * 4_001}, "4001 characters; at most 4000 fit"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_row_and_column(row, named):
    with pytest.raises(RowsRefused) as refused:
        DATASET.check([ROW, row])

    assert named in str(refused.value)


def test_the_key_of_a_dataset_is_not_shown():
    assert "secret-key" not in repr(DATASET)


def test_datasets_come_from_a_file(tmp_path):
    stated = {"workspace": "w", "dataset_id": "d", "key": "k", "columns": {"a": "Number"}}
    (tmp_path / "datasets.json").write_text(json.dumps([stated]))

    port, (dataset,) = configuration(["--port", "0", "--datasets", str(tmp_path / "datasets.json")])

    assert (port, dataset.workspace, dataset.columns) == (0, "w", {"a": "Number"})


def test_a_command_line_without_datasets_is_refused(capsys):
    with pytest.raises(SystemExit):
        configuration([])

    assert "--datasets" in capsys.readouterr().err


def test_a_file_that_describes_no_datasets_is_named(tmp_path):
    (tmp_path / "datasets.json").write_text('[{"workspace": "w"}]')

    with pytest.raises(ValueError, match=r"datasets\.json does not describe datasets.*dataset_id"):
        read_datasets(tmp_path / "datasets.json")
