"""What is wrong with pipelines is refused by name, all of it at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lakehouse.pipelines.bounds import Contracts, bounds_of, wheel_contracts
from lakehouse.pipelines.catalogue import PIPELINES, pipeline_of
from lakehouse.pipelines.checks import BadPipelines, faults, refuse_bad
from lakehouse.pipelines.kinds.buckets import Buckets
from lakehouse.pipelines.kinds.day import Day, MadeOf, Step
from lakehouse.pipelines.kinds.days_onward import DaysOnward
from lakehouse.pipelines.kinds.groups import Groups
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.kinds.totals import Part, Totals
from lakehouse.pipelines.options import Option
from lakehouse.pipelines.pipeline import Balance, Pipeline
from lakehouse.pipelines.table import Column, Table

CONTRACTS = Contracts(
    streams={"visits": {"id": 16, "place": None, "at": None}, "stars": {"id": 16}},
    lookups={"stores": {"store": 20}},
)
ID = Column("id", "string", "key", of="visits.id", required=True)
WINDOW = Column("window_id", "string", "window", of="visits.window_id", required=True)
TABLE = Table(
    name="seen",
    comment="visits",
    columns=(ID, Column("at", "timestamp", "time", of="visits.at", required=True), WINDOW),
    key=("id",),
    kind=PerRow("visits"),
    inputs=("visits", "stores"),
    build=lambda visits, stores: visits,
    sql="Seen",
    time="at",
    counted_by="id",
    clustered_by=("at",),
)
GOOD = Pipeline("shop", (TABLE,), (Balance("visits", ("seen",)),))


def of_table(**changes):
    return faults([replace(GOOD, tables=(replace(TABLE, **changes),))], CONTRACTS)


def with_column(**column):
    return of_table(columns=(*TABLE.columns, Column(**{"name": "more", "type": "string", "comment": "", **column})))


def test_a_good_pipeline_has_no_fault():
    assert faults([GOOD], CONTRACTS, ["Visits"]) == []


def test_the_pipelines_of_the_wheel_are_good():
    refuse_bad(PIPELINES.values(), wheel_contracts())


def test_a_pipeline_names_the_streams_that_its_tables_are_made_of():
    assert pipeline_of("gps").streams(wheel_contracts().lookups) == {"gps", "promotions", "deliveries"}
    assert pipeline_of("trades").streams(wheel_contracts().lookups) == {"trades"}


def test_a_feed_without_a_pipeline_ends_at_silver():
    assert pipeline_of("garden") == Pipeline("garden", ())


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"key": ()}, "seen: it has no key."),
        ({"key": ("no",)}, "seen: its key names 'no', which is no column of it."),
        ({"key": ("id",), "time": "no"}, "seen: time names 'no', which is no column of it."),
        ({"counted_by": "no"}, "seen: counted_by names 'no', which is no column of it."),
        ({"clustered_by": ("id", "no")}, "seen: clustered_by names 'no', which is no column of it."),
        (
            {"inputs": ("visits", "nobody"), "build": lambda visits, nobody: visits},
            "seen: its input 'nobody' is no stream, lookup or table of the pipeline; there are stars, stores, visits.",
        ),
        ({"build": lambda visits: visits}, "seen: build takes ['visits'], its inputs are ['visits', 'stores']."),
        (
            {"inputs": ("visits", "stars"), "build": lambda visits, stars: visits},
            "seen: its kind does not follow 'stars': it would not see that rows of this input change.",
        ),
        (
            {"kind": PerRow("stars")},
            "seen: its kind follows 'stars', which is not among its inputs.",
        ),
        (
            {"kind": Buckets("visits", timedelta(minutes=5), "at", "at"), "key": ("id", "at")},
            "seen: it takes a lookup; only a table of the kind PerRow can, since each window has its own.",
        ),
        (
            {"kind": Buckets("visits", timedelta(minutes=5), "at", "at")},
            "seen: its kind replaces rows by 'at', which is no part of its key.",
        ),
        (
            {"kind": Buckets("visits", timedelta(minutes=5), "at", "at", by=("id",)), "key": ("id", "at")},
            "seen: its kind makes rows anew by at, id, which must be its key.",
        ),
        (
            {"kind": Totals("place", (Part("visits"),), lookups=("stores",))},
            "seen: its kind sums up by 'place', which must be its key.",
        ),
        ({"name": "1seen"}, "seen: '1seen' can't be a name; use letters, digits and inner underscores."),
        ({"columns": (*TABLE.columns, ID)}, "seen: it has more than one column 'id'."),
    ],
)
def test_a_bad_table_is_told_by_name(changes, fault):
    assert fault.replace("seen:", f"{changes.get('name', 'seen')}:") in of_table(**changes)


def test_days_that_are_found_by_what_the_kind_does_not_follow_are_told():
    step = Step("stars", "id", "at", timedelta(0), timedelta(0))

    found = of_table(kind=Day("at", (MadeOf("visits", "at", ways=((step,),)),)), key=("at",), inputs=("visits",))

    assert "seen: its kind finds days by 'stars', which it does not follow." in found


def test_several_rows_of_one_are_told_apart_by_a_lookup_alone():
    place = Column("store", "string", "store", of="stores.store", required=True)
    more = {"columns": (*TABLE.columns, place), "inputs": TABLE.inputs}

    assert of_table(key=("id", "store"), **more) == []
    assert of_table(key=("store",), **more) == [
        "seen: its key 'store' repeats no column of visits (`of`), by which its kind finds rows."
    ]


def test_days_that_are_made_onward_are_made_by_a_part_of_the_key():
    kind = DaysOnward("who", "at", (MadeOf("visits", "at"),), days_before=1)

    found = of_table(kind=kind, key=("at",), inputs=("visits", "table"), build=lambda visits, table: visits)

    assert found == ["seen: its kind makes days by 'who', which is no part of its key."]


def test_a_build_takes_the_tables_options_and_one_name_is_one_option():
    option = Option("least", 1, least=0, greatest=9, meaning="")
    more = {"inputs": ("visits",), "build": lambda visits, least: visits, "sql": ""}
    one = replace(TABLE, options=(option,), **more)
    same, other = replace(one, name="same"), replace(one, name="other", options=(replace(option, default=2),))

    assert faults([Pipeline("shop", (one, same))], CONTRACTS) == []
    assert of_table(**more) == ["seen: build takes ['visits', 'least'], its inputs are ['visits']."]
    assert faults([Pipeline("shop", (one, other))], CONTRACTS) == ["'least' names more than one option."]


def test_totals_may_take_lookups_which_they_follow():
    assert of_table(kind=Totals("id", (Part("visits"),), lookups=("stores",))) == []


def test_a_key_that_may_be_null_is_told():
    nullable = tuple(replace(column, required=False) for column in TABLE.columns)

    assert of_table(columns=nullable)[:2] == [
        "seen: its key 'id' may be null; make the column required.",
        "seen: its time 'at' may be null; make the column required.",
    ]


def test_a_key_by_which_no_row_of_the_stream_is_found_is_told():
    own = replace(ID, of="", length=16)

    assert of_table(columns=(own, *TABLE.columns[1:])) == [
        "seen: its key 'id' repeats no column of visits (`of`), by which its kind finds rows."
    ]


@pytest.mark.parametrize("column", [{}, {"of": "visits.place"}])
def test_a_text_for_sql_needs_a_bound(column):
    fault = "seen: 'more' goes to SQL without a bound: give it a length, or its contract a maxLength."

    assert with_column(**column) == [fault]


@pytest.mark.parametrize("column", [{"length": 5}, {"of": "visits.id"}, {"of": "stores.store"}, {"type": "long"}])
def test_a_bound_is_its_own_or_its_contracts_or_not_needed(column):
    assert with_column(**column) == []


def test_a_table_that_is_not_published_needs_no_bounds():
    assert of_table(sql="", columns=(*TABLE.columns, Column("more", "string", ""))) == []


def test_a_type_that_is_none_is_told():
    assert with_column(type="nonsense") == ["seen: the type 'nonsense' of 'more' can't be read."]


def test_a_column_that_repeats_nothing_is_told():
    assert with_column(of="visits.no", length=4) == [
        "seen: 'more' repeats 'visits.no', which is no column of an input."
    ]


def test_a_table_of_groups_repeats_the_columns_by_which_they_are_found():
    kind = Groups("visits", by=("id", "place"), time="at", within=timedelta(days=1))
    loose = (replace(ID, required=False), Column("at", "timestamp", "time", required=True), WINDOW)

    good = of_table(kind=replace(kind, by=("id",)), inputs=("visits",), build=lambda visits: visits)
    bad = of_table(kind=kind, inputs=("visits",), build=lambda visits: visits, columns=loose, key=("window_id",))

    assert good == []
    assert bad == [
        "seen: no required column repeats visits.id (`of`), by which its kind finds groups.",
        "seen: no required column repeats visits.place (`of`), by which its kind finds groups.",
        "seen: its time does not repeat visits.at (`of`), near which its kind looks for rows.",
    ]


LATER = Table(
    name="later",
    comment="made of what was seen",
    columns=(Column("id", "string", "key", of="seen.id", required=True),),
    key=("id",),
    kind=PerRow("seen"),
    inputs=("seen",),
    build=lambda seen: seen,
    sql="Later",
)


def of_two(changes=(), **later):
    tables = (replace(LATER, **later), replace(TABLE, **dict(changes)))
    return faults([replace(GOOD, tables=tables)], CONTRACTS)


def test_a_table_may_be_made_of_another_one_that_stands_after_it():
    assert of_two() == []


def test_a_tables_texts_are_bounded_by_those_of_the_table_that_they_repeat():
    bounded = (ID, Column("place", "string", "", of="visits.place"), *TABLE.columns[1:])
    texts = (*LATER.columns, Column("place", "string", "", of="seen.place"), Column("no", "string", "", of="seen.no"))

    found = of_two({"columns": bounded, "sql": ""}, columns=texts)

    assert found == [
        "later: 'place' goes to SQL without a bound: give it a length, or its contract a maxLength.",
        "later: 'no' repeats 'seen.no', which is no column of an input.",
        "later: 'no' goes to SQL without a bound: give it a length, or its contract a maxLength.",
    ]


def test_tables_that_are_made_of_each_other_are_told():
    found = of_two({"inputs": ("visits", "stores", "later"), "build": lambda visits, stores, later: visits})

    assert found == [
        "seen: its kind does not follow 'later': it would not see that rows of this input change.",
        "pipeline shop: these tables are made of each other: later, seen.",
    ]


def test_a_table_that_is_made_of_itself_or_of_another_pipelines_table_is_told():
    own = {"inputs": ("later",), "build": lambda later: later, "kind": PerRow("later")}
    other = Pipeline("other", (replace(LATER, name="third", sql=""),))

    found = faults([replace(GOOD, tables=(TABLE, replace(LATER, columns=(ID,), **own))), other], CONTRACTS)

    no_input = "is no stream, lookup or table of the pipeline; there are"
    assert [fault for fault in found if "its input" in fault] == [
        f"later: its input 'later' {no_input} seen, stars, stores, visits.",
        f"third: its input 'seen' {no_input} stars, stores, visits.",
    ]


@pytest.mark.parametrize(
    ("name", "layer", "is_taken"),
    [
        ("visits", "gold", True),
        ("visits", "silver", True),
        ("visits_duplicates", "silver", True),
        ("visits_duplicates", "gold", False),
        ("stores", "silver", False),
    ],
)
def test_a_name_that_stands_for_a_stream_can_t_be_a_tables(name, layer, is_taken):
    found = faults([Pipeline("shop", (replace(TABLE, name=name, layer=layer),))], CONTRACTS)

    assert (f"{name}: its name is that of a stream's table." in found) is is_taken


def test_a_table_does_not_have_to_follow_a_lookup_of_its_name():
    assert faults([Pipeline("shop", (replace(TABLE, name="stores"),))], CONTRACTS) == []


def test_a_lookup_is_chosen_by_the_window_of_the_row_that_is_followed():
    taking = {"inputs": ("seen", "stores"), "build": lambda seen, stores: seen}

    assert of_two({"columns": TABLE.columns[:2]}, **taking)[0] == (
        "later: it takes a lookup and follows 'seen', whose rows have no 'window_id' to choose a lookup by."
    )


@pytest.mark.parametrize(("kept", "is_longer"), [(None, True), (31, True), (30, False), (1, False)])
def test_a_table_is_kept_no_longer_than_those_that_it_is_made_of(kept, is_longer):
    found = of_two({"kept_for": timedelta(days=30)}, kept_for=kept and timedelta(days=kept))

    fault = "pipeline shop: 'later' is made of 'seen' and kept for longer, so it would lose rows all the same."
    assert (found == [fault]) is is_longer


def test_a_balance_of_an_unknown_stream_or_table_is_told():
    found = faults([replace(GOOD, balances=(Balance("nobody", ("seen", "unseen")),))], CONTRACTS)

    assert found == [
        "pipeline shop: a balance names 'nobody', which is no stream.",
        "pipeline shop: the balance of 'nobody' names 'seen', which is not made of it.",
        "pipeline shop: the balance of 'nobody' names 'unseen', which is no table of it.",
    ]


def test_a_balanced_table_needs_windows_to_be_counted_by():
    assert of_table(columns=TABLE.columns[:2]) == [
        "pipeline shop: the balance of 'visits' names 'seen', which has no column 'window_id' to be counted by."
    ]


def test_two_things_of_one_name_are_told_whatever_their_case():
    other = Pipeline("other", (replace(TABLE, name="Seen", sql="BATCHES"), replace(TABLE, name="third", sql="Visits")))

    found = faults([GOOD, other, replace(other, tables=())], CONTRACTS, ["visits"])

    assert found == [
        "'other' names more than one feed.",
        "'seen' names more than one table.",
        "'batches' names more than one SQL table.",
        "'visits' names more than one SQL table.",
    ]


def test_all_faults_stand_in_one_message():
    bad = replace(GOOD, tables=(replace(TABLE, key=(), counted_by="no"),), balances=(Balance("nobody", ()),))

    with pytest.raises(BadPipelines) as refused:
        refuse_bad([bad], CONTRACTS)

    assert str(refused.value).splitlines() == [
        "These pipelines can't be run:",
        "- seen: counted_by names 'no', which is no column of it.",
        "- seen: it has no key.",
        "- pipeline shop: a balance names 'nobody', which is no stream.",
    ]


def test_a_bound_holds_where_every_version_of_a_contract_has_one():
    bounded = {"properties": {"a": {"type": "string", "maxLength": 3}, "b": {"type": "string", "enum": ["xy", "xyz"]}}}
    wider = {"properties": {"a": {"type": "string", "maxLength": 5}, "b": {"type": "string"}}}

    assert bounds_of([("s", bounded)]) == {"s": {"a": 3, "b": 3}}
    assert bounds_of([("s", bounded), ("s", wider)]) == {"s": {"a": 5, "b": None}}
