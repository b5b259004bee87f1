import asyncio
import logging
import sys
import threading

import pytest
from azure_functions_runtime import invocation_id_cv

from emulators.functions_host.invocations import invoking
from emulators.functions_host.log_lines import LineFormatter, UserLines, configure_logging


def line(message, *arguments, exc_info=None, **fields):
    record = logging.LogRecord("Function.f", logging.INFO, "f.py", 1, message, arguments, exc_info)
    record.created = 0.0
    vars(record).update(fields)
    return LineFormatter().format(record)


def test_fields_follow_the_message_and_only_awkward_text_is_quoted():
    written = line("Executed", duration_ms=12, error='a "b"', empty="")

    assert written == '1970-01-01T00:00:00.000Z INFO Function.f Executed duration_ms=12 error="a \\"b\\"" empty=""'


def test_a_line_of_the_app_carries_the_invocation_it_was_written_in():
    token = invocation_id_cv.set("some-id")
    written = line("hello %s", "there")
    invocation_id_cv.reset(token)

    assert written.endswith("hello there invocation=some-id")


def test_a_stack_trace_follows_the_line():
    try:
        int("boom")
    except ValueError:
        written = line("failed", exc_info=sys.exc_info())

    assert written.splitlines()[0].endswith("failed")
    assert written.splitlines()[-1] == "ValueError: invalid literal for int() with base 10: 'boom'"


def kept(name, level=logging.INFO, lowest=logging.INFO):
    return UserLines(lowest).filter(logging.LogRecord(name, level, "f.py", 1, "said", (), None))


@pytest.fixture
def restored_logging():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level
    for name in ("Host", "Function", "Host.Triggers"):
        logging.getLogger(name).setLevel(logging.NOTSET)


async def test_the_lines_of_an_sdk_are_the_apps_own_and_are_kept_at_information():
    with invoking("an-id"):
        names = ("azure.core.pipeline", "azure.eventhub", "urllib3.connectionpool", "blueprints.windows", "root")
        assert [name for name in names if not kept(name)] == []


async def test_the_workers_own_lines_are_no_telemetry_of_the_app():
    with invoking("an-id"):
        assert kept("azure.functions") is False


def test_a_category_of_host_json_rules_no_logger_of_an_sdk(restored_logging):
    configure_logging({"default": "Information", "azure.core": "Error", "Host.Triggers": "Warning"})

    assert restored_logging.level == logging.INFO
    assert logging.getLogger("azure.core").isEnabledFor(logging.INFO)
    assert not logging.getLogger("Host.Triggers.DurableTask").isEnabledFor(logging.INFO)


async def test_the_level_of_the_categorys_functions_is_that_of_the_apps_lines():
    with invoking("an-id"):
        assert [kept("blueprints", level, logging.WARNING) for level in (logging.INFO, logging.WARNING)] == [
            False,
            True,
        ]


def test_a_line_of_the_app_without_an_invocation_is_dropped_and_one_of_the_host_is_not():
    assert [kept("blueprints.metrics"), kept("Host.General"), kept("Function.f"), kept("asyncio")] == [
        False,
        *[True] * 3,
    ]


async def test_what_an_asynchronous_function_logs_is_kept_on_its_loop_and_dropped_in_a_thread():
    async def in_a_task():
        return kept("app")

    with invoking("an-id"):
        assert kept("app")
        assert await asyncio.create_task(in_a_task())
        assert not await asyncio.to_thread(kept, "app")
        assert not await asyncio.to_thread(lambda: asyncio.run(in_a_task()))
    assert not kept("app")


async def test_what_a_synchronous_function_logs_is_kept_also_in_the_threads_of_a_loop_of_its_own():
    async def in_a_thread():
        return kept("app"), await asyncio.to_thread(kept, "app")

    def function():
        token = invocation_id_cv.set("an-id")
        bare = []
        thread = threading.Thread(target=lambda: bare.append(kept("app")))
        thread.start()
        thread.join()
        found = (kept("app"), *asyncio.run(in_a_thread()), *bare)
        invocation_id_cv.reset(token)
        return found

    assert await asyncio.to_thread(function) == (True, True, True, False)
