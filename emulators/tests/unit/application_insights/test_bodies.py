import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.application_insights.bodies import MOST_ITEMS, BodyUnreadable, read_items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=3), min_size=1, max_size=5))
def test_an_array_and_lines_hold_the_same_items(items):
    array = json.dumps(items).encode()
    lines = "\n".join(map(json.dumps, items)).encode()

    assert [one.content for one in read_items(array)] == items
    assert [one.content for one in read_items(lines)] == items


def test_an_item_has_the_size_that_it_came_with():
    assert [one.size for one in read_items(b'[{"a": 1}, {}]')] == [8, 2]
    assert [one.size for one in read_items(b'{"a":1}\n\n{}\n')] == [7, 2]


@pytest.mark.parametrize("body", [b"", b" \n", b"[]", b"[{]", b'{"a":', b'{}\n{"a"', b'[{"value": NaN}]', b"\xff"])
def test_what_holds_no_items_is_refused(body):
    with pytest.raises(BodyUnreadable):
        read_items(body)


def test_more_items_than_a_request_may_have_are_refused():
    with pytest.raises(BodyUnreadable, match="64001 items"):
        read_items(b"{}\n" * (MOST_ITEMS + 1))
