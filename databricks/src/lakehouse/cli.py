"""The entry points of the jobs: each reads its parameters, brings the parts together and does its work."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from lakehouse.building import build_chain
from lakehouse.chain import Chain
from lakehouse.config import MaintenanceParameters, Parameters, intervals_of, mode_of, parse_parameters, run_request
from lakehouse.counting.counts import WindowCounts
from lakehouse.counting.reconciling import Reconciliation, reconciliation
from lakehouse.follow import Clock, Finished, run
from lakehouse.lake.tables import Lake
from lakehouse.listening import listen
from lakehouse.maintenance import maintain
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.request import RunRequest
from lakehouse.session import spark_session
from lakehouse.streams.silver import quarantine_reasons

logger = logging.getLogger("lakehouse")


_REASONS = 3


class GaveUp(Exception):
    """A run that ended before its window was closed and read whole; the text says what is missing."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Give the time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


def follow_window() -> None:
    """Run the job's task: `follow-window --feed=… --window_id=… --streams=… …`."""
    _log_to_stdout()
    follow(sys.argv[1:], SystemClock())


def maintain_tables() -> None:
    """Run the job's task: `maintain-tables --lake_root=… …`."""
    _log_to_stdout()
    parameters = parse_parameters(sys.argv[1:], MaintenanceParameters, "Look after the tables of the lakehouse.")
    names, clock = parameters.names, SystemClock()
    spark = spark_session("maintenance", lake_root=parameters.lake_root, names=names, jars=parameters.jar_files)
    print(json.dumps(maintain(Lake(spark, names), PIPELINES.values(), clock.now(), parameters.kept)), flush=True)


def follow(arguments: Sequence[str], clock: Clock) -> Finished:
    """Follow the window that the arguments name and print one line of JSON that says how that ended.

    Raises GaveUp, so that the run fails and a person is told, InvalidParameter, and what a stage could not get over.
    """
    parameters = parse_parameters(arguments, Parameters, "Follow a window from its hubs to SQL.")
    request, intervals = run_request(parameters), intervals_of(parameters)
    title = f"{request.feed} {request.window_id}"
    spark = spark_session(title, lake_root=parameters.lake_root, names=parameters.names, jars=parameters.jar_files)
    try:
        listen(spark)
        chain = build_chain(parameters, request, spark, clock)
        finished = run(request, mode_of(parameters), chain, clock, intervals)
        print(json.dumps(summary(finished, chain)), flush=True)
    finally:
        if parameters.jars:
            spark.stop()
    raise_where_it_gave_up(request, finished)
    return finished


def raise_where_it_gave_up(request: RunRequest, finished: Finished) -> None:
    """Raise GaveUp where a run ended before its window was read whole."""
    if finished.ending == "gave_up":
        raise GaveUp(why_it_gave_up(request, finished))


def why_it_gave_up(request: RunRequest, finished: Finished) -> str:
    """Say what a run that gave up was still waiting for."""
    return f"gave up at {request.gives_up_at.isoformat()} on window {request.window_id}: {_missing(finished)}."


def _missing(finished: Finished) -> str:
    if not finished.closed:
        return "the window was not closed (no closed.json)"
    unread = ", ".join(f"{place} up to {last}" for place, last in sorted(finished.behind.items()))
    unsent = [f"{rows} records of {stream} wait in the spill" for stream, rows in finished.waiting.items()]
    reasons = [*([f"these were not read: {unread}"] if unread else []), *unsent]
    return "; ".join(reasons) + (" (GET /api/spill)" if unsent else "")


def summary(finished: Finished, chain: Chain) -> dict[str, Any]:
    """Say how a run ended, as one JSON object: ending, and for each stream counts, verdict and what needs a look."""
    warnings = [why_it_gave_up(chain.request, finished)] if finished.ending == "gave_up" else []
    return {
        "event": "lakehouse.run_ended",
        "feed": chain.request.feed,
        "window_id": chain.request.window_id,
        "ending": finished.ending,
        "passes": finished.passes,
        "behind": dict(finished.behind),
        "streams": {stream: _of_stream(stream, finished, chain) for stream in finished.counts},
        "warnings": [*warnings, *_dead(finished), *_quarantines(finished.counts, chain), *_apart(finished, chain)],
    }


def _of_stream(stream: str, finished: Finished, chain: Chain) -> dict[str, Any]:
    counts = finished.counts[stream]
    counted = {name: value for name, value in asdict(counts).items() if name not in {"arrived", "holes", "cosmos"}}
    found = _reconciliation(stream, finished, chain)
    return {
        "counts": counted,
        "holes": [str(hole) for hole in counts.holes],
        "verdict": found.verdict if found else "open",
        "differences": [str(difference) for difference in found.differences] if found else [],
        "surplus": dict(found.surplus) if found else {},
        "spill": found.spill.by_state if found else {},
        **_beside(stream, finished),
    }


def _beside(stream: str, finished: Finished) -> dict[str, Any]:
    """Say how Cosmos DB beside the hub compares; nothing where there is none."""
    counts, end = finished.counts[stream].cosmos, (finished.closed or {}).get(stream)
    if counts is None:
        return {}
    in_spill = end.waiting_for_cosmos if end else 0
    return {"cosmos": {**asdict(counts), "in_spill": in_spill, "verdict": counts.verdict(in_spill) if end else "open"}}


def _reconciliation(stream: str, finished: Finished, chain: Chain) -> Reconciliation | None:
    if finished.closed is None:
        return None
    return reconciliation(finished.closed[stream], finished.counts[stream], chain.equations_of(stream))


def _dead(finished: Finished) -> list[str]:
    dead = {stream: end.spill.dead for stream, end in (finished.closed or {}).items() if end.spill.dead}
    return [f"{rows} records of {stream} are dead in the spill (GET /api/spill)" for stream, rows in dead.items()]


def _quarantines(counts: Mapping[str, WindowCounts], chain: Chain) -> list[str]:
    return [
        f"{'every record' if one.quarantined == one.bronze_records else f'{one.quarantined} records'} of {stream} in "
        f"the window is in quarantine: {', '.join(f'{reason} ({rows})' for reason, rows in _reasons(stream, chain))}"
        for stream, one in counts.items()
        if one.quarantined
    ]


def _apart(finished: Finished, chain: Chain) -> Iterator[str]:
    yield from chain.cosmos.failures.values()
    yield from chain.exports.failures.values()
    for stream, end in (finished.closed or {}).items():
        found = finished.counts[stream].cosmos
        if found and stream not in chain.cosmos.failures and found.verdict(end.waiting_for_cosmos) == "apart":
            yield f"Cosmos DB and the hub of {stream} are apart in {found.apart} records of the window: {found}"


def _reasons(stream: str, chain: Chain) -> list[tuple[str, int]]:
    found = quarantine_reasons(chain.lake, stream, chain.request.window_id).limit(_REASONS)
    return [(row["reason"], row["rows"]) for row in found.collect()]


def _log_to_stdout() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    logging.getLogger("azure").setLevel(logging.WARNING)


if __name__ == "__main__":
    follow_window()
