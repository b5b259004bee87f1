"""What callers ask of a window's runs: another one on purpose, how they stand, and what they counted."""

from collections.abc import Mapping

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.clients.sql.stores import Counts
from shared.domain.runs.run import RunMode, RunRow, instance_of, is_read, next_number
from shared.domain.windows.ledger_row import WindowRow
from shared.errors import LoginRefused, RequestRejected, SettingsError, Unavailable
from shared.flows.enrich import EnrichmentTools, fail_run
from shared.flows.request_windows import existing_window


def claim_rerun(tools: EnrichmentTools, window_id: str) -> RunRow:
    """Claim a deliberate run under the next number.

    Raises RequestRejected where the window is not known, is not enriched, goes on, or has an active run.
    """
    row = _window(tools, window_id)
    if not row.ended:
        raise _conflict(f"Window {window_id} is {row.state}; it can be enriched again when it has ended.")
    runs = tools.runs.of_window(row.window)
    now = tools.clock()
    run = RunRow(row.window, next_number(runs), "rerun", "claimed", now, now, attempt=row.attempt)
    if any(not one.ended for one in runs) or not tools.runs.claim(run):
        raise _conflict(f"A run of window {window_id} is active; wait for its end.")
    return run


async def request_rerun(tools: EnrichmentTools, orchestrations: Orchestrations, window_id: str) -> RunRow:
    """Claim a deliberate run as `claim_rerun` does, and start its orchestration; raises Unavailable, too."""
    run = await telemetry.in_thread(claim_rerun, tools, window_id)
    try:
        await start_enrichment_of(orchestrations, window_id, run.number, run.mode)
    except Unavailable as error:
        # A claim that nobody carries out would refuse every later request.
        await telemetry.in_thread(fail_run, tools, window_id, run.number, f"It could not be started: {error}")
        raise
    return run


async def start_enrichment_of(
    orchestrations: Orchestrations, window_id: str, number: int = 1, mode: RunMode = "follow"
) -> None:
    """Start the orchestration of a window's run; that it runs already is success. Raises Unavailable."""
    payload = {"window_id": window_id, "number": number, "mode": mode}
    await orchestrations.start_enrichment(instance_of(window_id, number), payload)


def count_window(counts: Counts | None, window_id: str) -> tuple[Mapping[str, Mapping[str, int]], str]:
    """Give what the lakehouse counted of a window, by stream and `<stage>/<name>`, or nothing and the reason.

    A database that does not answer must not hide the window.
    """
    if counts is None:
        return {}, "SQL__url is not set."
    try:
        return counts.of_window(window_id) or {}, ""
    except (Unavailable, LoginRefused, SettingsError) as error:
        return {}, str(error)


def _window(tools: EnrichmentTools, window_id: str) -> WindowRow:
    row = existing_window(tools.ledger, window_id)
    if row.window.feed not in tools.jobs_of:
        raise _conflict(f"Windows of {row.window.feed} are not enriched: no workspace or no job is set for them.")
    if not is_read(row):
        raise _conflict(f"No stream of window {window_id} goes to a hub, so its run would have nothing to read.")
    return row


def _conflict(message: str) -> RequestRejected:
    return RequestRejected("conflict", "run_conflict", message, "id")
