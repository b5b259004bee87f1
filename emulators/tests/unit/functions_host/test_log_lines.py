import logging
import sys

from azure_functions_runtime import invocation_id_cv

from emulators.functions_host.log_lines import LineFormatter


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
