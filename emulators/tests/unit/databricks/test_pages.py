import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.databricks.pages import flag, number, page_of
from emulators.databricks.refusals import Refusal


@given(st.integers(0, 60), st.integers(1, 25))
def test_pages_one_after_the_other_give_every_item_once(count, limit):
    seen, query = [], {"limit": str(limit)}
    while (page := page_of("runs", range(count), query, most=25))["has_more"]:
        seen += page["runs"]
        query["page_token"] = page["next_page_token"]

    assert seen + page.get("runs", []) == list(range(count))


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "26"}, {"limit": "x"}, {"page_token": "next"}])
def test_a_page_that_cannot_be_is_refused(query):
    with pytest.raises(Refusal, match=next(iter(query))):
        page_of("runs", [], query, most=25)


def test_a_number_without_default_is_required():
    with pytest.raises(Refusal, match="run_id is None"):
        number({}, "run_id")


def test_a_flag_is_true_or_false():
    assert [flag({"a": text}, "a") for text in ("true", "False", "1")] == [True, False, True]
    with pytest.raises(Refusal, match="'maybe'"):
        flag({"a": "maybe"}, "a")
