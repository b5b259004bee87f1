"""The portal's queries, as Microsoft's language service reads them and as they answer of what the app emitted."""

from collections import defaultdict
from datetime import timedelta

import pytest

from infra.checks import kql
from tests.infra import emitted
from tests.infra.emitted import AT, GOOD_DAY, days, emitted_tables
from tests.infra.judging_queries import unknown_reads

QUERIES = kql.queries()
RULES = {name.removeprefix("rules/"): text for name, text in QUERIES.items() if name.startswith("rules/")}
SHOWN = [name for name in QUERIES if name not in {f"rules/{rule}" for rule in RULES}]
HOUR, A_LOOK = timedelta(hours=1), timedelta(minutes=15)
LIMITS = {"window_not_closed": 900, "no_measurement": 1800, "spill_old": 600}  # in seconds


@pytest.fixture(scope="module")
def analyses():
    return kql.analysed(QUERIES)


@pytest.fixture(scope="module")
def of_days():
    return {day: emitted_tables(day) for day in days()}


@pytest.fixture(scope="module")
def of_all_days(of_days):
    found = defaultdict(list)
    for tables in of_days.values():
        for name, rows in tables.items():
            found[name].extend(rows)
    return dict(found)


def renamed(tables, old):
    """Give the tables with one property under another name."""
    return {
        name: [
            {**row, "Properties": {("other" if key == old else key): value for key, value in row["Properties"].items()}}
            for row in rows
        ]
        for name, rows in tables.items()
    }


def with_sum(tables, value, replacement):
    metrics = [row | {"Sum": replacement} if row["Sum"] == value else row for row in tables["AppMetrics"]]
    return {**tables, "AppMetrics": metrics}


@pytest.mark.parametrize("name", QUERIES)
def test_the_language_service_finds_nothing_wrong(analyses, name):
    assert analyses[name].problems == []


@pytest.mark.parametrize("name", QUERIES)
def test_it_reads_only_names_and_fields_that_the_app_emits(analyses, of_all_days, name):
    assert unknown_reads(analyses[name], of_all_days) == []


@pytest.mark.parametrize("name", QUERIES)
def test_a_field_that_is_renamed_is_missed(analyses, of_all_days, name):
    read = {each for use in analyses[name].uses for each in use.properties}

    found = {each: unknown_reads(analyses[name], renamed(of_all_days, each)) for each in read}

    assert [each for each, problems in found.items() if not problems] == []


@pytest.mark.parametrize("name", QUERIES)
def test_an_event_or_a_metric_that_is_renamed_is_missed(analyses, of_all_days, name):
    for use in analyses[name].uses:
        for each in use.names:
            without = [
                row for row in of_all_days[use.table] if each not in (row.get("Name"), row["Properties"].get("event"))
            ]
            assert unknown_reads(analyses[name], {use.table: without})


@pytest.mark.parametrize("name", SHOWN)
def test_what_the_workbook_shows_has_rows_and_no_empty_column(analyses, of_all_days, name):
    rows = kql.answer(QUERIES[name], of_all_days, AT, HOUR)

    assert rows
    assert list(rows[0]) == list(analyses[name].columns)
    assert [column for column in rows[0] if all(row[column] in (None, "") for row in rows)] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_on_its_bad_day(of_days, rule):
    assert kql.answer(RULES[rule], of_days[rule], AT, A_LOOK)


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_fires_on_a_good_day_or_on_the_bad_day_of_another(of_days, rule):
    quiet = [day for day in of_days if day != rule]

    assert [day for day in quiet if kql.answer(RULES[rule], of_days[day], AT, A_LOOK)] == []


@pytest.mark.parametrize("rule", LIMITS)
def test_a_rule_does_not_fire_at_its_limit_yet(of_days, rule):
    at_limit = with_sum(of_days[rule], LIMITS[rule] + 1, LIMITS[rule])

    assert at_limit != of_days[rule]
    assert kql.answer(RULES[rule], at_limit, AT, A_LOOK) == []


def test_silence_is_seen_where_nothing_ever_arrived_and_by_no_other_rule():
    assert [rule for rule, text in RULES.items() if kql.answer(text, {}, AT, A_LOOK)] == ["timer_silent"]


def test_silence_is_seen_when_the_last_tick_is_five_minutes_old(of_days):
    good = of_days[GOOD_DAY]
    last = AT - timedelta(minutes=1)

    assert kql.answer(RULES["timer_silent"], good, last + timedelta(minutes=4, seconds=59), A_LOOK) == []
    assert kql.answer(RULES["timer_silent"], good, last + timedelta(minutes=5, seconds=1), A_LOOK) == [{"Ticks": 0}]


def test_other_timers_do_not_hide_that_the_one_which_opens_windows_is_silent(of_days):
    ticks = [row for row in of_days[GOOD_DAY]["AppMetrics"] if row["Name"] == "ingestion.ticks"]
    others = [row for row in ticks if row["Properties"]["timer"] != "open_due_windows"]

    assert len(others) < len(ticks)
    assert kql.answer(RULES["timer_silent"], {"AppMetrics": others}, AT, A_LOOK)


def test_the_timer_that_is_watched_is_the_one_that_opens_windows():
    source = (kql.ROOT / "blueprints" / "ingestion.py").read_text()

    assert "async def open_due_windows(timer" in source
    assert 'Properties.timer) == "open_due_windows"' in RULES["timer_silent"]


@pytest.mark.parametrize("day", days())
def test_records_have_columns_that_the_workspace_has(of_days, day):
    for name, rows in of_days[day].items():
        assert {column for row in rows for column in row} <= set(kql.WORKSPACE[name])


def test_every_bad_day_is_one_of_a_rule():
    assert set(emitted.days()) == {GOOD_DAY, *RULES}
