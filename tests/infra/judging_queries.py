"""What a query reads that no record has, in sentences; nothing is none."""

from collections.abc import Sequence

from infra.checks.kql import Analysis, Row, Tables, Use

_SAYS_WHAT = {"AppTraces": lambda row: row["Properties"].get("event"), "AppMetrics": lambda row: row["Name"]}


def unknown_reads(analysis: Analysis, tables: Tables) -> list[str]:
    """Judge each name of an event or a metric, and each property that is read of the records of these names."""
    problems = [f"{each} is read of no table" for each in analysis.strays]
    return problems + [problem for use in analysis.uses for problem in _of_use(use, tables)]


def _of_use(use: Use, tables: Tables) -> list[str]:
    rows = _meant(use, tables.get(use.table, ()))
    found = {_SAYS_WHAT[use.table](row) for row in rows}
    known = {name for row in rows for name in row["Properties"]}
    names = [f"{use.table} has nothing of {name}" for name in sorted(use.names - found)]
    return names + [f"{use.table}: none has the field {name}" for name in sorted(use.properties - known)]


def _meant(use: Use, rows: Sequence[Row]) -> list[Row]:
    """Give the records of the names that a query asks for; of all where it asks for none."""
    return [row for row in rows if not use.names or _SAYS_WHAT[use.table](row) in use.names]
