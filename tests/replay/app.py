"""The app's own orchestrators, and a world in which what they depend on may be away."""

from dataclasses import dataclass, replace
from datetime import timedelta

from blueprints import enrichment, ingestion, steps
from shared.domain.windows.plan import Plan, StreamPlan
from shared.domain.windows.window import Window
from tests.replay.task_hub import START, Played
from tests.replay.worlds import NOTHING, Outage

FUNCTIONS = {
    "ingest_window": ingestion.ingest_window,
    "ingest_leg": ingestion.ingest_leg,
    "run_slice": ingestion.run_slice,
    "complete_step": steps.complete_step,
    "ask_on": steps.ask_on,
    "enrich_window": enrichment.enrich_window,
}
ORCHESTRATORS = {name: one.build().get_user_function().orchestrator_function for name, one in FUNCTIONS.items()}
NEEDS = {
    "begin_window": "ledger",
    "ingest_slice": "hub",
    "close_window": "ledger",
    "fail_window": "ledger",
    "write_marker": "ledger",
    "publish_opening": "topic",
    "publish_closing": "topic",
    "claim_enrichment": "ledger",
    "write_lookup": "ledger",
    "submit_run": "databricks",
    "poll_run": "databricks",
    "give_up_run": "ledger",
    "measure_run": "ledger",
}
STREAM = StreamPlan("transactions", ("transactions",), "transactions/1", "row", "identity", 0)
WINDOW = Window("payments", START + timedelta(minutes=1), START + timedelta(minutes=31))
PLAN = Plan(
    WINDOW, timedelta(minutes=5), timedelta(seconds=40), timedelta(seconds=10), past=False, rate=1.0, speed=1.0,
    sources=(), fingerprint="1", streams=(STREAM,),
)  # fmt: skip
PAST = replace(PLAN, past=True, window=Window("payments", START - timedelta(hours=2), START - timedelta(hours=1.5)))


@dataclass(frozen=True)
class World:
    """Plays the activities: `away` is a system (or `login`, without which none answers) and when it is not there.

    run_ends: the second at which the Databricks run ends. refuses: the slice that is refused for good.
    """

    away: str = ""
    outage: Outage = NOTHING
    run_ends: float = 600.0
    refuses: int = -1

    def play(self, name, given, now):
        seconds = max(0.3, self._seconds(name, given, now))
        if self.away in {NEEDS[name], "login"} and self.outage.meets(now, now + seconds):
            return self._failed(max(0.2, self.outage.start - now))
        if name == "ingest_slice" and given["slice"] == self.refuses:
            return Played({"failure": {"kind": "REJECTED", "reason": "refused", "retry_after": 0.0}})
        return Played(self._answer(name, given, now), seconds=seconds)

    def _seconds(self, name, given, now):
        if name != "ingest_slice" or given["plan"]["past"]:
            return 0.3
        part = Plan.from_wire(given["plan"]).slices()[given["slice"]]
        return (part.end + PLAN.grace - START).total_seconds() - now

    def _failed(self, seconds):
        failure = {"kind": "UNAVAILABLE", "reason": f"{self.away} is away", "retry_after": 0.0}
        return Played({"failure": failure}, seconds=seconds)

    def _answer(self, name, given, now):
        if name == "ingest_slice":
            return {"slice": given["slice"], "attempt": 1, "state": "done", "reason": ""}
        if name == "poll_run":
            ended = now >= self.run_ends
            return {"ended": ended, "pending": not ended, "state": "succeeded" if ended else "active", "again": False}
        return {"proceed": True, "state": "closed" if name == "close_window" else "open"}
