"""The second part of the demo: the Databricks run that follows each window, and whether its tables balance."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from local.clone import CONTRACTS
from local.demo.display import NONE, print_columns, print_problems
from local.demo.polling import Windows
from local.demo.sinks import apart

ENDED = frozenset({"succeeded", "failed", "superseded"})
_COUNTS = "documents/window_counts.v1.schema.json"


@dataclass(frozen=True, slots=True)
class RunCheck:
    """One window's run: how it ended, the rows at each stage by stream, the verdict on them, and what is wrong."""

    window: str
    state: str
    lookups: str
    stages: Mapping[str, Mapping[str, Any]]
    verdict: str
    problems: tuple[str, ...]


def runs_have_ended(windows: Windows) -> bool:
    """Say whether each window has a run that is over."""
    return all(window and any(run["state"] in ENDED for run in _runs(window)) for window in windows.values())


def check_run(window: Mapping[str, Any]) -> RunCheck:
    """Read a window's run and counts as `GET /api/windows/{id}` shows them."""
    enrichment = window["enrichment"]
    run = _runs(window)[-1]
    counts: Mapping[str, Mapping[str, Any]] = enrichment["counts"]
    verdict = enrichment["reconciliation"] or "not counted"
    differences = {stream: _rows_of(stages, "difference", "spill") for stream, stages in counts.items()}
    checks = {
        f"the run is {run['state']}: {run['message']}": run["state"] == "succeeded",
        f"the tables are {verdict}: {differences or enrichment['counts_note']}": verdict == "balanced",
        **{problem: False for problem in map(apart, counts.values()) if problem},
    }
    return RunCheck(
        window=window["id"],
        state=run["state"],
        lookups=", ".join(run["lookups"].values()) or NONE,
        stages=counts,
        verdict=verdict,
        problems=tuple(problem for problem, holds in checks.items() if not holds),
    )


def print_run_checks(console: Console, checks: Sequence[RunCheck]) -> None:
    """Print the counts of each stream of each window, from the hub to the last table, and what is wrong.

    Whatever was counted of any of them is a line of all.
    """
    lines = lines_of([stages for check in checks for stages in check.stages.values()])
    columns = [(check.window, numbers) for check in checks for numbers in _numbers(check, lines)]
    print_columns(console, "Counted from the hub to the last table", columns)
    print_problems(console, [(check.window, check.problems) for check in checks])


def progress_line(windows: Windows) -> str:
    """Say in one line how far the runs are."""
    return " | ".join(f"{feed}: {_progress(window)}" for feed, window in windows.items() if window)


def _progress(window: Mapping[str, Any]) -> str:
    runs = _runs(window)
    return str(runs[-1]["message"] or runs[-1]["state"]) if runs else "no run yet"


def _runs(window: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    runs: list[Mapping[str, Any]] = window["enrichment"]["runs"]
    return runs


def _rows_of(stages: Mapping[str, Any], *names: str) -> dict[str, int]:
    return {name: rows for stage in names for name, rows in stages.get(stage, {}).items()}


def lines_of(counted: Sequence[Mapping[str, Any]], contracts: Path = CONTRACTS) -> list[tuple[str, str]]:
    """List what was counted of any stream, as stage and name, in the order in which records travel.

    Their contract has that order. Its verdicts are no lines, nor are the parts of a table's rows (`<table>/<value>`).
    """
    stage = json.loads((contracts / _COUNTS).read_text(encoding="utf-8"))["properties"]["stage"]
    order = [name for name in stage["enum"] if name not in stage["x-verdicts"]]
    found = {line for stages in counted for line in _rows(stages) if line[0] in order and "/" not in line[1]}
    return sorted(found, key=lambda line: (order.index(line[0]), line[1]))


def _rows(stages: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Read the counts of a stream: of a stage a number, or numbers by name."""
    named = {stage: rows if isinstance(rows, Mapping) else {"": rows} for stage, rows in stages.items()}
    return {(stage, name): number for stage, rows in named.items() for name, number in rows.items()}


def _numbers(check: RunCheck, lines: Sequence[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Give the rows of each stream's column; one column without counts where nothing was counted."""
    for stream, stages in (check.stages or {NONE: {}}).items():
        rows = _rows(stages)
        counts = {" ".join((stage.replace("_", " "), name)).strip(): (stage, name) for stage, name in lines}
        yield (
            {"stream": stream, "run": check.state, "lookups": check.lookups}
            | {label: str(rows.get(line, NONE)) for label, line in counts.items()}
            | {"reconciliation": check.verdict}
        )
