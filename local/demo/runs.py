"""The second part of the demo: the Databricks run that follows each window, and whether its tables balance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from local.demo.display import print_columns, print_problems
from local.demo.polling import Windows

ENDED = frozenset({"succeeded", "failed", "superseded"})
_STAGES = ("bronze_events", "bronze_records", "silver_new", "duplicates", "quarantined", "enriched", "unmatched", "sql")


@dataclass(frozen=True, slots=True)
class RunCheck:
    """One window's run: how it ended, the rows at each stage by stream, the verdict on them, and what is wrong."""

    window: str
    state: str
    lookup: str
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
    differences = {stream: stages.get("difference", {}) for stream, stages in counts.items()}
    checks = {
        f"the run is {run['state']}: {run['message']}": run["state"] == "succeeded",
        f"the tables are {verdict}: {differences or enrichment['counts_note']}": verdict == "balanced",
    }
    return RunCheck(
        window=window["id"],
        state=run["state"],
        lookup=run["lookup"] or "-",
        stages=counts,
        verdict=verdict,
        problems=tuple(problem for problem, holds in checks.items() if not holds),
    )


def print_run_checks(console: Console, checks: Sequence[RunCheck]) -> None:
    """Print the counts of each stream of each window, from the hub to the last table, and what is wrong."""
    columns = [(check.window, numbers) for check in checks for numbers in _numbers(check)]
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


def _numbers(check: RunCheck) -> list[dict[str, str]]:
    """Give the rows of each stream's column; one column without counts where nothing was counted."""
    return [
        {"stream": stream, "run": check.state, "lookup": check.lookup}
        | {name.replace("_", " "): str(stages.get(name, "-")) for name in _STAGES}
        | {"reconciliation": check.verdict}
        for stream, stages in (check.stages or {"-": {}}).items()
    ]
