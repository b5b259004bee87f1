"""What a query reads that no record has, in sentences; nothing is none."""

from collections.abc import Sequence

from infra.checks.kql import Analysis, Row, Tables, Use


def _says_what(row: Row) -> str | None:
    """Give the name of a metric, or of the event of a line."""
    return row["Properties"].get("event", row.get("Name"))


def unknown_reads(analysis: Analysis, tables: Tables) -> list[str]:
    """Judge each name of an event or a metric, and each property that is read of the records of these names."""
    problems = [f"{each} is read of no table" for each in analysis.strays]
    return problems + [problem for use in analysis.uses for problem in _of_use(use, tables)]


def _of_use(use: Use, tables: Tables) -> list[str]:
    rows = _meant(use, tables.get(use.table, ()))
    found = {_says_what(row) for row in rows}
    known = {name for row in rows for name in row["Properties"]}
    names = [f"{use.table} has nothing of {name}" for name in sorted(use.names - found)]
    return names + [f"{use.table}: none has the field {name}" for name in sorted(use.properties - known)]


def _meant(use: Use, rows: Sequence[Row]) -> list[Row]:
    """Give the records of the names that a query asks for; of all where it asks for none."""
    return [row for row in rows if not use.names or _says_what(row) in use.names]
