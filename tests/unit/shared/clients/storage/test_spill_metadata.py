"""A batch as the metadata of its blob."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage.spill_metadata import batch_of, metadata_of
from shared.domain.spill import SPILL_STATES, SpilledBatch

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATH = "calls/call_centre-20261122T120000Z/0007.2/000003.ndjson.zst"
BATCH = SpilledBatch(PATH, "call_centre", "centre-calls", 5, 2, "ab", NOON)
LARGEST = 8 * 1024

batches = st.builds(
    SpilledBatch,
    path=st.just(PATH),
    feed=st.just("call_centre"),
    hub=st.just("centre-calls"),
    rows=st.integers(0, 10**9),
    events=st.integers(0, 10**6),
    sha256=st.just("ab" * 32),
    spilled_at=st.just(NOON),
    version=st.integers(1, 9),
    state=st.sampled_from(SPILL_STATES),
    tries=st.integers(0, 999),
    reason=st.text(max_size=500).map(str.strip),
    waits_for=st.sampled_from(["", PATH]),
)


@given(batches)
def test_a_batch_is_read_back_from_values_that_storage_takes(batch):
    metadata = metadata_of(batch)

    assert batch_of(PATH, metadata, NOON) == batch
    assert all(value.isascii() and value == value.strip() and value for value in metadata.values())


@given(st.text(min_size=500))
def test_the_longest_reason_fits_and_keeps_its_beginning(reason):
    metadata = metadata_of(SpilledBatch(PATH, "call_centre", "h" * 256, 5, 2, "ab" * 32, NOON, reason=reason))

    assert sum(len(name) + len(value) for name, value in metadata.items()) < LARGEST
    assert batch_of(PATH, metadata, NOON).reason == reason.strip()[:500].rstrip()


def test_what_a_newer_version_wrote_is_kept():
    before = metadata_of(BATCH) | {"colour": "red", "reason": "away"}

    metadata = metadata_of(BATCH, before)

    assert metadata == metadata_of(BATCH) | {"colour": "red"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": "many"}, "ValueError"),
        ({"rows": "-1"}, "rows is -1"),
        ({"state": "lost"}, "state is 'lost', not one of waiting, redriven, dead, discarded"),
        ({"spilled_at": "2026-11-22T12:00:00"}, "spilled_at has no zone"),
    ],
)
def test_a_batch_whose_metadata_were_spoilt_is_dead_and_says_why(change, said):
    batch = batch_of(PATH, metadata_of(BATCH) | change, NOON)

    assert (batch.path, batch.feed, batch.state, batch.rows) == (PATH, "call_centre", "dead", 0)
    assert said in batch.reason


def test_a_batch_without_metadata_is_dead():
    assert batch_of(PATH, {}, NOON).state == "dead"


def test_names_of_metadata_are_read_in_any_case():
    metadata = {name.upper(): value for name, value in metadata_of(BATCH).items()}

    assert batch_of(PATH, metadata, NOON) == BATCH


@pytest.mark.parametrize("change", [{"rows": "many"}, {"version": "x"}, {"version": "2"}])
def test_of_a_batch_that_can_not_be_read_only_state_and_reason_are_written(change):
    before = metadata_of(BATCH) | change
    batch = batch_of(PATH, before, NOON)

    after = metadata_of(replace(batch, state="discarded", reason="not needed"), before)

    assert after == before | {"state": "discarded", "reason": "not needed"}
    discarded = batch_of(PATH, after, NOON)
    assert (discarded.state, discarded.reason, discarded.is_readable) == ("discarded", "not needed", False)


def test_a_batch_that_was_written_by_this_version_can_be_read():
    assert batch_of(PATH, metadata_of(BATCH), NOON).is_readable
