import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.coincap.fake import FakeAssets
from shared.clients.databricks_jobs.fake import FakeJobs
from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger, FakeReference, FakeRunLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import JobRefused, LoginRefused, RequestRejected, Unavailable
from shared.flows.enrich import (
    EnrichmentTools,
    Job,
    claim_run,
    fail_run,
    follow_run,
    prepare_lookups,
    start_run,
    wanted,
)
from shared.flows.lookups import LookupTools, lookup_makers
from shared.flows.request_runs import claim_rerun, request_rerun

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASK_ALL = [("ask", window) for window in range(3)]
ASSETS = json.dumps(
    {"data": [{"id": "bitcoin", "rank": "1", "symbol": "BTC", "name": "Bitcoin", "maxSupply": "21000000"}]}
).encode()


class World:
    """Two windows of trades, one after the other, and the world that enriches them."""

    def __init__(self, assets=(ASSETS,), failure=None):
        self.now = NOON
        self.ledger, self.runs = FakeLedger(), FakeRunLedger()
        self.jobs = FakeJobs({"follow_window": 11}, clock=lambda: self.now)
        self.reference, self.hubs = FakeReference(lambda: NOON), FakeEventHubs({"market-trades": 2, "payments": 1})
        self.lookups = ("assets",)
        self.assets = FakeAssets(assets, failure)
        stream = StreamPlan("trades", ("market-trades",), "trades/1", "row", "identity", 0)
        template = PlanTemplate(HOUR, timedelta(), timedelta(seconds=20), 0.0, 1.0, ("coinbase:BTC-USD",), (stream,))
        self.windows = [Window("trades", NOON + n * HOUR, NOON + (n + 1) * HOUR) for n in (0, 1, 2)]
        self.windows.append(Window("payments", NOON, NOON + HOUR))
        for window in self.windows:
            plan = template.freeze(window, NOON, "", {}).as_wire()
            self.ledger.claim(WindowRow(window, "open", "timer", NOON, plan))

    @property
    def tools(self):
        return EnrichmentTools(
            ledger=self.ledger,
            runs=self.runs,
            jobs=self.jobs,
            hubs=self.hubs,
            lookups=LookupTools(self.reference, lookup_makers(self.assets)),
            clock=lambda: self.now,
            jobs_of={"trades": Job("follow_window", self.lookups), "payments": Job("follow_window", ())},
            drain_limit=timedelta(minutes=10),
            spill_kept=timedelta(days=7),
        )

    def id(self, window=0):
        return self.windows[window].id

    def run(self, window=0, number=1):
        return self.runs.of_window(self.windows[window])[number - 1]

    def close(self, window=0):
        self.ledger.change(self.id(window), lambda row: replace(row, state="closed", closed_at=self.now))

    def cosmos_alone(self, window=0):
        """Plan a window's only stream for Cosmos DB and no hub."""
        stream = StreamPlan("trades", (), "trades/1", "row", "identity", 0, "cosmos", "ingestion/trades").as_wire()
        self.ledger.change(self.id(window), lambda row: replace(row, plan={**row.plan, "streams": [stream]}))

    def claimed(self, window=0, number=1):
        claim_run(self.tools, self.id(window), number, "follow")
        prepare_lookups(self.tools, self.id(window), number)
        return self.run(window, number)

    def started(self, window=0, number=1):
        self.claimed(window, number)
        start_run(self.tools, self.id(window), number)
        return self.run(window, number)

    def start(self, window=0, number=1):
        return start_run(self.tools, self.id(window), number)


def test_a_window_in_the_ledger_without_a_run_wants_one():
    world = World()

    assert wanted(world.tools, world.id()) == 1


def test_a_window_whose_streams_go_to_cosmos_alone_is_given_no_run():
    world = World()
    world.cosmos_alone()
    world.close()

    assert wanted(world.tools, world.id()) is None
    assert claim_run(world.tools, world.id(), 1, "follow") == {"proceed": False}
    with pytest.raises(RequestRejected, match="No stream of window trades-20261122T120000Z goes to a hub"):
        claim_rerun(world.tools, world.id())
    assert world.runs.of_window(world.windows[0]) == []


@pytest.mark.parametrize("window_id", [None, "", "nonsense", "trades-20261122T235900Z"])
def test_an_event_of_no_window_wants_no_run(window_id):
    assert wanted(World().tools, window_id) is None


def test_the_opening_of_a_windows_next_attempt_wants_a_further_run_of_its_own():
    world = World()
    world.claimed(0, 1)
    world.ledger.change(world.id(), lambda row: replace(row, attempt=2))

    number = wanted(world.tools, world.id())
    claim_run(world.tools, world.id(), number, "follow")

    assert number == 2
    assert [run.attempt for run in world.runs.of_window(world.windows[0])] == [1, 2]
    assert wanted(world.tools, world.id()) is None


def test_a_late_event_of_a_finished_run_wants_none():
    world = World()
    world.started()
    world.jobs.become(1, "TERMINATED", "SUCCESS")
    follow_run(world.tools, world.id(), 1)

    assert wanted(world.tools, world.id()) is None


def test_the_run_is_started_once_with_its_windows_parameters():
    world = World()
    world.started()

    start_run(world.tools, world.id(), 1)

    assert list(world.jobs.parameters) == [1]
    assert json.loads(world.jobs.parameters[1]["lookups"]) == {"assets": f"assets/{world.id()}.parquet"}
    assert json.loads(world.jobs.parameters[1]["streams"]) == [
        {
            "name": "trades",
            "hub": "market-trades",
            "contract": "trades/1",
            "created_at": "2026-11-01T10:00:00.123000+00:00",
        }
    ]
    assert world.jobs.parameters[1]["drain_limit"] == "00:10:00"
    assert (world.run().state, world.run().run_id) == ("active", 1)


def test_a_run_reads_what_the_app_makes_of_its_windows_records_too():
    world = World()
    world.claimed()
    promotions = StreamPlan("promotions", ("offers",), "promotions/1", "row", "identity", 0).as_wire()
    world.ledger.change(world.id(), lambda one: replace(one, plan={**one.plan, "answers": [promotions]}))

    start_run(world.tools, world.id(), 1)

    streams = json.loads(world.jobs.parameters[1]["streams"])
    assert [(stream["name"], stream["hub"]) for stream in streams] == [
        ("trades", "market-trades"),
        ("promotions", "offers"),
    ]


@pytest.mark.parametrize("failure", ["unavailable", "unauthorized"])
def test_where_a_hub_can_not_be_asked_the_run_goes_on_without_the_time_of_its_making(failure):
    world = World()
    world.hubs.fail_next(failure)

    world.started()

    assert json.loads(world.jobs.parameters[1]["streams"]) == [
        {"name": "trades", "hub": "market-trades", "contract": "trades/1"}
    ]


def test_the_lookup_is_written_once():
    world = World()
    world.started()

    prepare_lookups(world.tools, world.id(), 1)

    assert len(world.assets.asked) == 1
    assert world.reference.read(f"assets/{world.id()}.parquet").startswith(b"PAR1")


def test_where_the_assets_fail_the_newest_good_lookup_is_used_and_the_run_says_so():
    world = World((), Unavailable("half a page"))
    world.reference.write("assets/trades-20261121T120000Z.parquet", b"PAR1")

    run = world.started()

    assert run.lookups == {"assets": "assets/trades-20261121T120000Z.parquet"}
    assert "half a page" in run.lookup_note


def test_without_any_lookup_the_enrichment_fails_by_name():
    world = World((), Unavailable("half a page"))

    with pytest.raises(JobRefused, match=r"no lookup assets.*half a page"):
        world.started()


def test_a_lookup_that_nothing_makes_fails_the_enrichment_by_name():
    world = World()
    world.lookups = ("assets", "stores")

    with pytest.raises(JobRefused, match="Nothing makes a lookup 'stores'; there are assets"):
        world.started()


def test_a_window_that_wants_no_lookup_gets_none():
    world = World()
    world.lookups = ()

    assert world.started().lookups == {}
    assert (world.assets.asked, world.jobs.parameters[1]["lookups"]) == ([], "{}")


def test_a_run_is_followed_to_its_end_in_databricks_words():
    world = World()
    world.started()

    running = follow_run(world.tools, world.id(), 1)
    world.jobs.become(1, "TERMINATED", "FAILED", code="RUN_EXECUTION_ERROR", type="CLIENT_ERROR", message="it broke")
    ended = follow_run(world.tools, world.id(), 1)

    assert (running["ended"], ended["ended"], ended["again"]) == (False, True, False)
    assert "RUN_EXECUTION_ERROR" in world.run().message
    assert "it broke" in world.run().message


def test_a_run_that_the_cloud_failed_is_worth_another_try():
    world = World()
    world.started()
    world.jobs.become(1, "INTERNAL_ERROR", "FAILED", code="CLOUD_FAILURE", type="CLOUD_FAILURE", message="a cloud")

    assert follow_run(world.tools, world.id(), 1)["again"]


def test_a_run_waits_for_the_one_of_its_feed_that_goes_on_and_says_so():
    world = World()
    world.started(0)
    world.claimed(1)
    world.now = world.windows[0].end + timedelta(minutes=9)

    answer = world.start(1)

    assert answer == {"started": False, "pending": True, "waits_for": world.id(0)}
    assert (world.run(1).state, world.run(1).run_id, world.run(1).updated_at) == ("claimed", 0, world.now)
    assert world.run(1).message == f"Waits for the run of window {world.id(0)}: a feed has one run at a time."
    assert (list(world.jobs.runs), world.jobs.cancelled) == ([1], [])


def test_a_run_that_waited_is_started_when_databricks_says_that_the_other_has_ended():
    world = World()
    world.started(0)
    world.claimed(1)
    world.start(1)
    world.jobs.become(1, "TERMINATED", "FAILED")

    answer = world.start(1)

    assert answer == {"started": True}
    assert (world.run(0).state, world.run(1).state, world.run(1).run_id, world.run(1).message) == (
        "active",
        "active",
        2,
        "",
    )


def test_runs_of_two_feeds_go_side_by_side():
    world = World()
    world.started(0)

    world.started(3)

    assert [run.life_cycle for run in world.jobs.runs.values()] == ["RUNNING", "RUNNING"]


def test_waiting_runs_are_started_in_the_order_of_their_claims():
    world = World()
    world.started(0)
    for window in (2, 1):
        world.claimed(window)
        world.now += timedelta(minutes=1)
    world.jobs.become(1, "TERMINATED", "SUCCESS")

    early, turn = world.start(1), world.start(2)

    assert (early["waits_for"], turn) == (world.id(2), {"started": True})


def test_a_run_that_asks_again_and_again_keeps_its_turn_however_long_it_waits():
    world = World()
    world.started(0)
    world.claimed(1)
    world.now += timedelta(minutes=1)
    world.claimed(2)
    for _ in range(30):
        world.now += timedelta(minutes=5)
        world.ledger.change(world.id(0), lambda row: replace(row, state="open", opened_at=world.now))
        assert [world.start(window)["started"] for window in (1, 2)] == [False, False]
    world.jobs.become(1, "TERMINATED", "SUCCESS")

    assert world.start(2)["waits_for"] == world.id(1)


def test_a_run_that_gives_no_sign_of_life_is_not_waited_for():
    world = World()
    world.claimed(0)
    world.now += timedelta(minutes=10)

    assert world.started(1).run_id == 1


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 2)),
        st.tuples(st.just("end"), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.integers(1, 9)),
    ),
    max_size=40,
)


@given(st.permutations(range(3)), steps)
def test_whatever_happens_a_feed_has_one_run_at_a_time_and_each_gets_its_turn(order, happening):
    world = World()
    world.lookups = ()
    for window in order:
        world.claimed(window)
        world.now += timedelta(seconds=1)

    for what, which in [*happening, *[step for run in (1, 2, 3) for step in (*ASK_ALL, ("end", run))]]:
        if what == "ask":
            world.start(which)
        elif what == "end" and which in world.jobs.runs:
            world.jobs.become(which, "TERMINATED", "SUCCESS")
        elif what == "wait":
            world.now += timedelta(minutes=which) / 10
        assert [run.life_cycle for run in world.jobs.runs.values()].count("RUNNING") <= 1

    assert [one["window_id"] for one in world.jobs.parameters.values()] == [world.id(window) for window in order]


def test_an_overdue_run_makes_room_and_is_recorded_as_superseded():
    world = World()
    world.started(0)
    world.claimed(1)
    world.now = world.windows[0].end + timedelta(minutes=11)

    asked, after = world.start(1), world.start(1)
    ended = follow_run(world.tools, world.id(0), 1)

    assert world.jobs.cancelled == [1]
    assert (asked["started"], after["started"]) == (False, True)
    assert (ended["state"], ended["again"], world.run(0).state) == ("superseded", False, "superseded")


def test_a_run_that_only_waits_is_never_superseded():
    world = World()
    world.started(0)
    for window in (1, 2):
        world.claimed(window)
    world.now = world.windows[2].end + timedelta(hours=5)

    for window in (1, 2):
        world.start(window)

    assert [world.run(window).superseding for window in (0, 1, 2)] == [True, False, False]


def test_a_run_that_waits_in_databricks_queue_is_waited_for():
    world = World()
    world.started(0)
    world.jobs.become(1, "QUEUED")
    world.claimed(1)
    world.now = world.windows[0].end + timedelta(hours=5)

    assert not world.start(1)["started"]
    assert world.jobs.cancelled == []


def test_a_run_whose_login_is_refused_while_it_waits_goes_on_waiting():
    world = World()
    world.started(0)
    world.claimed(1)
    world.jobs.refusal = LoginRefused("denied")

    assert world.start(1)["waits_for"] == world.id(0)


def test_a_run_that_databricks_does_not_know_any_more_is_not_waited_for():
    world = World()
    world.started(0)
    world.claimed(1)
    del world.jobs.runs[1]

    assert world.start(1) == {"started": True}


def test_a_run_that_could_not_be_started_says_why():
    world = World()
    claim_run(world.tools, world.id(), 1, "follow")

    fail_run(world.tools, world.id(), 1, "the job is missing")

    assert (world.run().state, world.run().message) == ("failed", "the job is missing")
    assert claim_run(world.tools, world.id(), 1, "follow") == {"proceed": False}


def test_a_deliberate_run_takes_the_next_number():
    world = World()
    world.started()
    world.jobs.become(1, "TERMINATED", "SUCCESS")
    follow_run(world.tools, world.id(), 1)

    world.close()
    run = claim_rerun(world.tools, world.id())

    assert (run.number, run.mode, run.instance_id) == (2, "rerun", f"enrich-{world.id()}-r2")


@pytest.mark.parametrize(
    ("window_id", "reason"), [("trades-20261122T120000Z", "conflict"), ("trades-20261122T235900Z", "unknown")]
)
def test_a_run_beside_an_active_one_or_of_no_window_is_refused(window_id, reason):
    world = World()
    world.started()
    world.close()

    with pytest.raises(RequestRejected) as caught:
        claim_rerun(world.tools, window_id)

    assert caught.value.reason == reason


def test_a_window_that_goes_on_is_not_enriched_again():
    with pytest.raises(RequestRejected, match="is open; it can be enriched again when it has ended"):
        claim_rerun(World().tools, World().id())


async def test_a_deliberate_run_that_could_not_be_started_makes_room_for_another_request():
    world, orchestrations = World(), FakeOrchestrations()
    world.close()
    orchestrations.failing.add(f"enrich-{world.id()}")

    with pytest.raises(Unavailable):
        await request_rerun(world.tools, orchestrations, world.id())
    second = await request_rerun(world.tools, orchestrations, world.id())

    assert world.run().state == "failed"
    assert world.run().message.startswith("It could not be started: Orchestration enrich-")
    assert (second.number, list(orchestrations.started)) == (2, [second.instance_id])


def test_a_newer_run_waits_on_though_the_end_of_an_overdue_one_is_refused():
    world = World()
    world.started(0)
    world.claimed(1)
    world.now = world.windows[0].end + timedelta(minutes=11)

    class Locked(FakeJobs):
        def cancel(self, run_id):
            raise LoginRefused(f"run {run_id} is another's")

    world.jobs = Locked(world.jobs.jobs, world.jobs.runs)

    assert world.start(1)["waits_for"] == world.id(0)
    assert (world.run(1).state, world.run(0).superseding) == ("claimed", True)


def test_a_run_that_was_cancelled_while_it_was_looked_at_is_superseded_all_the_same():
    world = World()
    world.started()

    class Cancelling(FakeJobs):
        def run(self, run_id):
            world.runs.change(world.windows[0], 1, lambda row: replace(row, superseding=True))
            self.become(run_id, "TERMINATED", "CANCELED", code="USER_CANCELED", type="CLIENT_ERROR")
            return self.runs[run_id]

    world.jobs = Cancelling(world.jobs.jobs, world.jobs.runs)

    assert follow_run(world.tools, world.id(), 1)["state"] == "superseded"


def test_a_feed_that_is_not_enriched_has_no_runs():
    world = World()
    tools = replace(world.tools, jobs_of={})

    assert wanted(tools, world.id()) is None
    assert claim_run(tools, world.id(), 1, "follow") == {"proceed": False}
