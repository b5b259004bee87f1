"""What waits for a hub: paths, messages, and which state may follow which."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.spill import (
    SPILL_STATES,
    SpilledBatch,
    SpillMessage,
    batch_path,
    counts_by_stream,
    feed_of,
    is_batch_path,
    may_become,
    message_of,
    next_path,
    part_path,
    read_message,
    whole_path,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATH = "calls/call_centre-20261122T120000Z/0007.2/000003.ndjson.zst"


def batch(path=PATH, **values):
    return SpilledBatch(path, "call_centre", "centre-calls", 5, 2, "ab", NOON, **values)


@pytest.mark.parametrize(
    ("attempt_id", "path"),
    [
        ("call_centre-20261122T120000Z/7.2", PATH),
        ("call_centre-20261122T120000Z/close.1", "calls/call_centre-20261122T120000Z/close.1/000003.ndjson.zst"),
    ],
)
def test_a_batch_is_named_for_its_stream_window_and_try(attempt_id, path):
    named = batch_path("calls", attempt_id, 3)

    assert named == path
    assert is_batch_path(named)
    assert (batch(named).stream, batch(named).window_id) == ("calls", "call_centre-20261122T120000Z")


@pytest.mark.parametrize("path", ["calls/.lock", "calls/x/0007.2/000003.ndjson.zst", PATH.replace(".zst", ""), ""])
def test_other_blobs_are_no_batches(path):
    assert not is_batch_path(path)
    with pytest.raises(ValueError, match="names no batch"):
        feed_of(path)


@pytest.mark.parametrize("part", ["", "-held", "-refused"])
def test_the_next_path_is_the_next_number_of_the_same_try(part):
    path = PATH.replace("000003", f"000009{part}")

    assert next_path(path) == PATH.replace("000003", f"000010{part}")


@pytest.mark.parametrize("of", ["", "-held", "-refused"])
def test_a_part_of_a_batch_lies_between_it_and_the_next(of):
    path = PATH.replace(".ndjson", f"{of}.ndjson")

    held, refused = part_path(path, "held"), part_path(path, "refused")

    assert (is_batch_path(held), is_batch_path(refused)) == (True, True)
    assert next_path(PATH) > held != refused < next_path(PATH)
    assert batch(held).window_id == batch(PATH).window_id
    assert {whole_path(held), whole_path(refused), whole_path(path)} == {PATH}


@given(st.lists(st.sampled_from(SPILL_STATES)))
def test_what_was_redriven_stays_redriven_and_what_was_discarded_never_waits_again(written):
    state = "waiting"
    for other in written:
        before, state = state, other if may_become(state, other) else state

        assert state == "redriven" or before != "redriven"
        assert state in {"discarded", "redriven"} or before != "discarded"


def test_a_message_is_read_back_also_of_a_newer_version():
    message = message_of(batch(version=7, tries=3, reason="no such hub"))

    assert read_message(message) == SpillMessage(PATH, version=7, tries=3, rows=5, hub="centre-calls")
    assert message["reason"] == "no such hub"


@pytest.mark.parametrize("odd", [None, -1, "3", 2.5, []])
def test_a_count_that_a_message_can_do_without_costs_it_nothing(odd):
    assert read_message({"version": 1, "path": PATH, "tries": odd, "rows": odd}) == SpillMessage(PATH)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a JSON object, not list"),
        ({"path": PATH}, "version is None"),
        ({"version": True, "path": PATH}, "version is True"),
        ({"version": 1, "path": "../calls"}, "'../calls', which names no batch"),
        ({"version": 1}, "names no batch"),
    ],
)
def test_a_message_that_names_no_batch_is_refused_with_the_reason(document, said):
    with pytest.raises(ValueError, match=said):
        read_message(document)


def test_records_are_counted_by_stream_and_state():
    other = batch(PATH.replace("calls/", "surveys/", 1))

    counts = counts_by_stream([batch(), batch(state="dead"), batch(), other])

    assert counts["calls"].as_wire() == {"waiting": 10, "redriven": 0, "dead": 5, "discarded": 0}
    assert counts["surveys"].as_wire()["waiting"] == 5
