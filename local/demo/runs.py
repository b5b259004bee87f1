"""The second half of the story: the Databricks run that follows each window, and whether its tables balance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from local.demo.display import print_columns, print_faults
from local.demo.polling import Windows

ENDED = frozenset({"succeeded", "failed", "superseded"})
_STAGES = ("bronze_events", "bronze_records", "silver_new", "duplicates", "quarantined", "enriched", "unmatched", "sql")


@dataclass(frozen=True, slots=True)
class RunProof:
    """One window's run: how it ended, the rows at each stage by stream, the verdict on them, and what is wrong."""

    window: str
    state: str
    lookup: str
    stages: Mapping[str, Any]
    verdict: str
    faults: tuple[str, ...]


def runs_have_ended(windows: Windows) -> bool:
    """Say whether each window has a run that is over."""
    return all(window and any(run["state"] in ENDED for run in _runs(window)) for window in windows.values())


def prove_run(window: Mapping[str, Any]) -> RunProof:
    """Read a window's run and counts as `GET /api/windows/{id}` shows them."""
    enrichment = window["enrichment"]
    run = _runs(window)[-1]
    counts: Mapping[str, Mapping[str, Any]] = enrichment["counts"]
    verdict = enrichment["reconciliation"] or "not counted"
    differences = {stream: stages.get("difference", {}) for stream, stages in counts.items()}
    checks = {
        f"the run is {run['state']}: {run['words']}": run["state"] == "succeeded",
        f"the tables are {verdict}: {differences or enrichment['counts_note']}": verdict == "balanced",
    }
    return RunProof(
        window=window["id"],
        state=run["state"],
        lookup=run["lookup"] or "-",
        stages=next(iter(counts.values()), {}),
        verdict=verdict,
        faults=tuple(fault for fault, holds in checks.items() if not holds),
    )


def print_run_proofs(console: Console, proofs: Sequence[RunProof]) -> None:
    """Print the counts of each window, from the hub to the last table, and what is wrong."""
    print_columns(
        console, "Counted from the hub to the last table", {proof.window: _numbers(proof) for proof in proofs}
    )
    print_faults(console, {proof.window: proof.faults for proof in proofs})


def progress_line(windows: Windows) -> str:
    """Say in one line how the runs stand."""
    return " | ".join(f"{feed}: {_stands(window)}" for feed, window in windows.items() if window)


def _stands(window: Mapping[str, Any]) -> str:
    runs = _runs(window)
    return str(runs[-1]["words"] or runs[-1]["state"]) if runs else "no run yet"


def _runs(window: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    runs: list[Mapping[str, Any]] = window["enrichment"]["runs"]
    return runs


def _numbers(proof: RunProof) -> dict[str, str]:
    stages = {name.replace("_", " "): str(proof.stages.get(name, "-")) for name in _STAGES}
    return {"run": proof.state, "lookup": proof.lookup} | stages | {"reconciliation": proof.verdict}
