import msgspec
import pytest

from emulators.cosmos.faults import Fault, Faults
from emulators.cosmos.partitions import hash_of, share_of
from emulators.cosmos.refusals import Refusal

KEYS = ["BR", "US", "DE", "FR", "unk", "JP", "IN", "MX"]


def status(faults, key):
    try:
        faults.refuse(key)
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("too_many_requests", 429), ("unavailable", 503), ("gone", 410), ("retry_with", 449), ("timeout", 408),
        ("error", 500), ("away", 200), ("slow", 200), ("lost_answer", 200), ("refuse_tokens", 200),
    ],
)  # fmt: skip
def test_a_kind_that_changes_nothing_answers_its_status(kind, expected):
    faults = Faults()
    faults.add(Fault(kind=kind, count=1))

    assert [status(faults, "BR"), status(faults, "BR")] == [expected, 200]


def test_a_share_of_the_partition_keys_always_meets_it_and_the_others_never():
    faults = Faults()
    faults.add(Fault(kind="unavailable", count=1_000, share=0.5))

    met = [{key for key in KEYS if status(faults, key) == 503} for _ in range(3)]

    assert met == [{key for key in KEYS if share_of(hash_of(key)) < 0.5}] * 3
    assert 0 < len(met[0]) < len(KEYS)
    assert status(faults, None) == 200


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "away"},
        {"kind": "x", "count": 1},
        {"kind": "away", "count": 0},
        {"kind": "gone", "share": 2, "count": 1},
    ],
)
def test_an_order_that_means_nothing_is_refused(order):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(order, Fault)
