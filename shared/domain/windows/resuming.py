"""How a try at a slice goes on where an earlier one of it was."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.domain.windows.ledger_row import SliceRow
from shared.domain.windows.plan import Plan

SETTLED: Final = "settled"
"""Under which the report of a try that did not end says how far it was when all that it gave was sent."""

CONTINUES: Final = "continues"
"""Under which a report names the tries, by their numbers, that the try went on from."""

_REPLACED: Final = ("lake_ndjson", "lake_parquet")
"""Destinations where the records of a try take the place of all that an earlier one wrote."""


def resumes(plan: Plan) -> bool:
    """Say whether a try may go on where an earlier one was: its lines are numbered, and what was sent stays there.

    With Cosmos DB it begins anew: what waited for the container may have died with the try, and a repeated upsert
    changes nothing.
    """
    return plan.replay is not None and not any(
        stream.cosmos or stream.destination in _REPLACED for stream in plan.streams
    )


def settled_before(tries: Iterable[SliceRow]) -> dict[str, Any]:
    """Give what the tries at a slice had settled: `progress`, `counts` and `placed` by stream, and which tries."""
    known = [row for row in sorted(tries, key=lambda row: row.attempt) if row.report.get(SETTLED)]
    if not known:
        return {}
    settled = known[-1].report[SETTLED]
    return {**settled, CONTINUES: [*settled.get(CONTINUES, ()), known[-1].attempt]}


def continued(done: Iterable[SliceRow]) -> dict[str, list[int]]:
    """Give, by slice, the tries whose records count beside those of the one that completed it."""
    found: Mapping[str, list[int]] = {str(row.slice.number): list(row.report.get(CONTINUES, ())) for row in done}
    return {number: tries for number, tries in found.items() if tries}
