import asyncio
import logging

import pytest

from shared import telemetry

logger = logging.getLogger("shared.some_room")
WINDOW = "trades-20261122T100000Z"


@pytest.fixture(autouse=True)
def _at_the_workers_level(caplog):
    caplog.set_level(logging.INFO)


def test_what_correlates_lines_stands_first_and_the_window_says_the_feed(caplog):
    telemetry.info(logger, "slice.done", read=3, attempt=1, slice=2, window=WINDOW)

    assert caplog.messages == [f"slice.done feed=trades window={WINDOW} slice=2 attempt=1 read=3"]


def test_a_line_without_a_window_names_no_feed(caplog):
    telemetry.info(logger, "alerts.retried", due=0)
    telemetry.info(logger, "enrichment.not_wanted", window="-")

    assert caplog.messages == ["alerts.retried due=0", "enrichment.not_wanted window=-"]


async def test_what_work_is_about_is_in_the_lines_of_its_tasks_and_threads_too(caplog):
    async def in_a_task():
        telemetry.warning(logger, "hub.attempt_failed", place="trades")

    with telemetry.about(window=WINDOW, slice=2, attempt=1):
        await asyncio.create_task(in_a_task())
        await asyncio.to_thread(telemetry.info, logger, "slice.looked")
    telemetry.info(logger, "other")

    correlated = f"feed=trades window={WINDOW} slice=2 attempt=1"
    assert caplog.messages == [f"hub.attempt_failed {correlated} place=trades", f"slice.looked {correlated}", "other"]


def test_what_a_line_says_itself_goes_over_what_its_work_is_about(caplog):
    with telemetry.about(window=WINDOW, attempt=1), telemetry.about(attempt=2):
        telemetry.info(logger, "run.started", attempt=3)
        telemetry.info(logger, "run.seen")

    assert [message.rpartition(" ")[2] for message in caplog.messages] == ["attempt=3", "attempt=2"]
