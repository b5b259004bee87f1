import pytest

from emulators.cosmos.items import MOST_BYTES, check_item, expiry, read_item, read_partition_key
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.versions import Key

GOOD = {"id": "1", "country": "BR"}


def refusal(action, *arguments):
    with pytest.raises(Refusal) as refused:
        action(*arguments)
    return refused.value.status, refused.value.substatus


def test_an_item_has_a_key():
    assert check_item(GOOD, "BR", "/country") == Key("BR", "1")
    assert check_item({"id": "1", "a": {"b": ""}}, "", "/a/b") == Key("", "1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "BR"},
        {"id": "", "country": "BR"},
        {"id": 1, "country": "BR"},
        {"id": "a/b", "country": "BR"},
        {"id": "a?", "country": "BR"},
        {"id": "a ", "country": "BR"},
        {"id": "x" * 1_024, "country": "BR"},
        {**GOOD, "ttl": 0},
        {**GOOD, "ttl": "60"},
        {**GOOD, "ttl": True},
        {**GOOD, "ttl": None},
    ],
)
def test_an_item_that_breaks_a_rule_is_refused(wrong):
    assert refusal(check_item, wrong, "BR", "/country") == (400, 0)


@pytest.mark.parametrize("item", [{"id": "1", "country": "US"}, {"id": "1"}, {"id": "1", "country": None}])
def test_an_item_of_another_partition_key_than_it_is_sent_by_is_refused(item):
    assert refusal(check_item, item, "BR", "/country") == (400, 1001)


@pytest.mark.parametrize(
    ("body", "expected"), [(b"{", (400, 0)), (b"[]", (400, 0)), (b" " * (MOST_BYTES + 1), (413, 0))]
)
def test_a_body_that_is_no_item_is_refused(body, expected):
    assert refusal(read_item, body) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, (400, 0)), ("x", (400, 0)), ("[]", (400, 1001)), ("[1]", (400, 0)), ("[{}]", (400, 0))],
)
def test_a_partition_key_that_is_no_text_is_refused(header, expected):
    assert refusal(read_partition_key, header) == expected
    assert read_partition_key('["BR"]') == "BR"


@pytest.mark.parametrize(
    ("item", "default", "expected"),
    [
        ({"ttl": 60}, -1, 160.0),
        ({}, -1, None),
        ({}, 30, 130.0),
        ({"ttl": -1}, 30, None),
        ({"ttl": 60}, None, None),
    ],
)
def test_an_item_ends_by_its_own_time_else_by_that_of_its_container(item, default, expected):
    assert expiry(item, default, 100.0) == expected
