"""A streaming dataset: its columns, and the check of the rows that are pushed to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

ColumnType = Literal["Text", "Number", "DateTime"]

MOST_CHARACTERS = 4_000


class RowsRefused(Exception):
    """Rows that the dataset can't take; the text names the row, the column and the rule."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is pushed to `/beta/<workspace>/datasets/<dataset_id>/rows?key=…`."""

    workspace: str
    dataset_id: str
    columns: Mapping[str, ColumnType]
    key: str = field(repr=False)

    def check(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raise RowsRefused for the first value that does not fit; a column that a row lacks is null."""
        for number, row in enumerate(rows):
            for name, value in row.items():
                if complaint := self._complaint(name, value):
                    raise RowsRefused(f"Row {number}, column {name!r}: {complaint}")

    def _complaint(self, name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
        kind = self.columns.get(name)
        if kind is None:
            return f"the dataset has no such column; it has {', '.join(self.columns)}"
        if value is None or _fits(kind, value):
            return "" if not isinstance(value, str) or len(value) <= MOST_CHARACTERS else _too_long(value)
        return f"a {type(value).__name__} is no {kind}"


def read_datasets(path: Path) -> list[Dataset]:
    """Read a JSON list of datasets (workspace, dataset_id, key, columns by name); ValueError that names the fault."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Dataset])
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} does not describe datasets: {error}") from error


def _fits(kind: ColumnType, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if kind == "Number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "DateTime":
        return isinstance(value, str) and _is_moment(value)
    return isinstance(value, str)


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _too_long(text: str) -> str:
    return f"{len(text)} characters; at most {MOST_CHARACTERS} fit"
