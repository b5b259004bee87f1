import asyncio
import logging
import threading

import pytest

from shared import telemetry

logger = logging.getLogger("shared.a_room")
WINDOW = "trades-20261122T100000Z"


class Heard(logging.Handler):
    """Keeps each line, and whether it was the loop's thread that handed it to the log."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self.loops = []

    def emit(self, record):
        self.lines.append(self.format(record))
        self.loops.append(threading.current_thread() is threading.main_thread())


@pytest.fixture
def heard():
    handler = Heard()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


async def test_what_a_thread_of_an_asynchronous_trigger_logs_reaches_the_log_from_its_loop(heard):
    def work(amount, *, unit):
        telemetry.info(logger, "work.begun", amount=amount)
        telemetry.warning(logger, "work.slow", cause=ValueError("why"))
        return f"{amount} {unit}"

    answer = await telemetry.in_thread(work, 5, unit="s")

    assert answer == "5 s"
    assert heard.lines == ["work.begun amount=5", "work.slow cause=why"]
    assert heard.loops == [True, True]


async def test_what_a_thread_logged_before_it_failed_is_not_lost(heard):
    def work():
        telemetry.info(logger, "work.begun")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await telemetry.in_thread(work)

    assert heard.lines == ["work.begun"]


async def test_what_a_loop_in_the_thread_and_its_threads_log_is_not_lost(heard):
    async def nested():
        telemetry.info(logger, "on.its_loop")
        await asyncio.to_thread(telemetry.info, logger, "in.its_thread")

    await telemetry.in_thread(lambda: asyncio.run(nested()))

    assert heard.lines == ["on.its_loop", "in.its_thread"]
    assert heard.loops == [True, True]


async def test_threads_side_by_side_keep_their_lines_apart(heard):
    both = threading.Barrier(2)

    def work(name):
        both.wait(5)
        telemetry.info(logger, f"{name}.done")

    await asyncio.gather(telemetry.in_thread(work, "one"), telemetry.in_thread(work, "two"))

    assert sorted(heard.lines) == ["one.done", "two.done"]


def test_what_threads_for_each_item_log_reaches_the_log_from_where_they_were_begun(heard):
    def work(number):
        telemetry.info(logger, "work.done", number=number)
        return number * 2

    with telemetry.about(window=WINDOW):
        answers = telemetry.in_threads(work, range(20), most=4)

    assert answers == [number * 2 for number in range(20)]
    assert sorted(heard.lines) == sorted(f"work.done feed=trades window={WINDOW} number={n}" for n in range(20))
    assert all(heard.loops)


def test_what_threads_for_each_item_logged_is_not_lost_where_one_fails(heard):
    def work(number):
        telemetry.info(logger, "work.begun", number=number)
        if number == 1:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        telemetry.in_threads(work, [0, 1], most=2)

    assert sorted(heard.lines) == ["work.begun number=0", "work.begun number=1"]


async def test_a_fault_of_the_apps_own_code_is_told_with_its_stack(heard):
    def work():
        try:
            {}["nothing there"]
        except KeyError as fault:
            telemetry.error(logger, "work.broken", cause=fault, feed="trades")

    await telemetry.in_thread(work)

    (line,) = heard.lines
    assert line.startswith("work.broken feed=trades cause='nothing there'\nTraceback")
    assert line.endswith("KeyError: 'nothing there'")


def test_outside_of_such_a_thread_a_line_is_written_at_once(heard):
    telemetry.info(logger, "said", b=2, window="w", a=1)

    assert heard.lines == ["said window=w b=2 a=1"]


@pytest.fixture
def written(caplog):
    caplog.set_level(logging.INFO)
    return caplog


def test_what_correlates_lines_stands_first_and_the_window_says_the_feed(written):
    telemetry.info(logger, "slice.done", read=3, attempt=1, slice=2, window=WINDOW)

    assert written.messages == [f"slice.done feed=trades window={WINDOW} slice=2 attempt=1 read=3"]


def test_a_line_without_a_window_names_no_feed(written):
    telemetry.info(logger, "alerts.retried", due=0)
    telemetry.info(logger, "enrichment.not_wanted", window="-")

    assert written.messages == ["alerts.retried due=0", "enrichment.not_wanted window=-"]


async def test_what_work_is_about_is_in_the_lines_of_its_tasks_and_threads_too(written):
    async def in_a_task():
        telemetry.warning(logger, "hub.attempt_failed", place="trades")

    with telemetry.about(window=WINDOW, slice=2, attempt=1):
        await asyncio.create_task(in_a_task())
        await asyncio.to_thread(telemetry.info, logger, "slice.looked")
    telemetry.info(logger, "other")

    correlated = f"feed=trades window={WINDOW} slice=2 attempt=1"
    assert written.messages == [f"hub.attempt_failed {correlated} place=trades", f"slice.looked {correlated}", "other"]


def test_what_a_line_says_itself_goes_over_what_its_work_is_about(written):
    with telemetry.about(window=WINDOW, attempt=1), telemetry.about(attempt=2):
        telemetry.info(logger, "run.started", attempt=3)
        telemetry.info(logger, "run.seen")

    assert [message.rpartition(" ")[2] for message in written.messages] == ["attempt=3", "attempt=2"]


def test_a_record_has_each_field_by_itself_whatever_it_is_called(heard):
    records = []
    heard.emit = records.append
    telemetry.info(logger, "work.done", window=WINDOW, read=12, name="any", message="words", args=None)

    (record,) = records
    given = {"event": "work.done", "feed": "trades", "window": WINDOW, "read": 12, "name": "any", "message": "words"}
    assert record.fields == given | {"args": None}
    assert record.getMessage() == f"work.done feed=trades window={WINDOW} read=12 name=any message=words args=None"
