"""What the commits of a bronze table say of its hubs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.streams.hub_progress import HubProgress, TableProgress

MONDAY, TUESDAY = "2026-11-23T10:00:00.000+00:00", "2026-11-24T10:00:00.000+00:00"
OF_ONE_HUB = {"epoch": MONDAY, "epochs": f'["{MONDAY}"]', "last": '{"0": 7}', "changed_before": "12"}

epochs = st.sampled_from(["", MONDAY, TUESDAY])
hubs = st.builds(
    HubProgress,
    epochs,
    st.lists(epochs, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from("012"), st.integers(-1, 9)),
    st.dictionaries(st.just("changed_before"), st.just("1")),
)


@given(st.sampled_from(["a", "", None]), st.dictionaries(st.sampled_from(["", "b", "c.d-e"]), hubs))
def test_what_is_written_is_read_back(first, by_label):
    found = TableProgress(first, by_label)

    assert TableProgress.of_source(found.as_source()) == found


def test_what_tables_said_that_knew_of_one_hub_is_of_the_first_and_is_written_the_same():
    found = TableProgress.of_source(OF_ONE_HUB)

    assert found.of("") == HubProgress(MONDAY, (MONDAY,), {"0": 7}, {"changed_before": "12"})
    assert found.first is None
    assert found.as_source() == OF_ONE_HUB


@pytest.mark.parametrize(
    ("committed", "hubs", "first"),
    [
        ({}, [("a", TUESDAY), ("b", MONDAY)], "a"),
        (OF_ONE_HUB, [("a", MONDAY)], "a"),
        (OF_ONE_HUB, [("a", TUESDAY), ("b", MONDAY)], "b"),
        (OF_ONE_HUB, [("a", TUESDAY)], "a"),
        (OF_ONE_HUB, [("a", "")], "a"),
        (OF_ONE_HUB | {"epoch": TUESDAY}, [("a", MONDAY)], ""),
        ({"epoch": "", "epochs": '[""]', "last": "{}"}, [("a", ""), ("b", "")], "a"),
        ({"first_hub": "b"}, [("a", MONDAY)], "b"),
        ({"first_hub": ""}, [("a", MONDAY)], ""),
    ],
    ids=[
        "of a new table the first one given",
        "the only one",
        "whichever has the known epoch",
        "made anew",
        "its epoch unknown",
        "an older one is another",
        "no epoch is known",
        "it was decided before",
        "it was decided that none is",
    ],
)
def test_which_hub_bears_no_name(committed, hubs, first):
    assert TableProgress.of_source(committed).reading(hubs).first == first


def test_a_hub_that_is_read_further_leaves_the_others_as_they_were():
    before = TableProgress.of_source(OF_ONE_HUB | {"first_hub": "a"})

    after = before.having("b", HubProgress(TUESDAY, (TUESDAY,), {"0": 3}))

    assert (after.of(after.label_of("a")), after.of(after.label_of("b")).last) == (before.of(""), {"0": 3})
    assert after.of("c") == HubProgress()
