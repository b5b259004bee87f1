import base64
import json
from datetime import UTC, datetime

import pytest
from azure.storage.queue import QueueMessage
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.listeners.queue_messages import (
    Settlement,
    decoded,
    metadata,
    poison_name,
    settlement,
    trigger_value,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("succeeded", "count", "poison", "expected"),
    [
        (True, 1, True, Settlement.DELETE),
        (True, 9, False, Settlement.DELETE),
        (False, 1, True, Settlement.RELEASE),
        (False, 4, True, Settlement.RELEASE),
        (False, 5, True, Settlement.POISON),
        (False, 6, True, Settlement.POISON),
        (False, 1, False, Settlement.LEAVE),
        (False, 5, False, Settlement.LEAVE),
    ],
)
def test_what_becomes_of_a_message_follows_from_its_run_and_its_count(succeeded, count, poison, expected):
    assert settlement(succeeded=succeeded, dequeue_count=count, most=5, poison=poison) is expected


def test_a_poison_queue_has_none_itself_nor_has_a_name_too_long_for_the_suffix():
    assert poison_name("orders") == "orders-poison"
    assert poison_name("orders-poison") is None
    assert poison_name("q" * 56) == "q" * 56 + "-poison"
    assert poison_name("q" * 57) is None


@given(st.binary())
def test_a_body_comes_back_from_its_base64_even_where_it_was_wrapped(body):
    text = base64.b64encode(body).decode()
    wrapped = "\r\n".join(text[n : n + 20] for n in range(0, len(text), 20))

    assert decoded(text, is_base64=True) == decoded(wrapped, is_base64=True) == body


@pytest.mark.parametrize("text", ["plain text", "YWI", "YW=I", "ж", '{"a": 1}'])
def test_what_is_no_base64_is_not_decoded_unless_plain_text_is_meant(text):
    assert decoded(text, is_base64=True) is None
    assert decoded(text, is_base64=False) == text.encode()


def test_a_binary_binding_gets_bytes_and_any_other_text():
    assert trigger_value(b"\xff", "binary").value == b"\xff"
    assert trigger_value("é".encode(), "").value == "é"
    assert trigger_value(b"\xff", "string") is None


def test_metadata_is_json_by_name():
    times = {"inserted_on": NOON, "expires_on": NOON, "next_visible_on": NOON}
    message = QueueMessage("text", id="m", dequeue_count=2, pop_receipt="r", **times)

    found = {name: json.loads(data.json) for name, data in metadata(message).items()}

    noon = "2026-11-22T12:00:00+00:00"
    assert found == {
        "Id": "m", "DequeueCount": 2, "PopReceipt": "r",
        "InsertionTime": noon, "ExpirationTime": noon, "NextVisibleTime": noon,
    }  # fmt: skip
