"""The portal's queries, as Microsoft's language service reads them and as they answer of what the app emitted."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from infra.checks import kql
from tests.infra import emitted
from tests.infra.emitted import GOOD_DAY, days, emitted_tables
from tests.infra.judging_queries import unknown_reads

QUERIES = kql.queries()
RULES = {name.removeprefix("rules/"): text for name, text in QUERIES.items() if name.startswith("rules/")}
SHOWN = [name for name in QUERIES if name not in {f"rules/{rule}" for rule in RULES}]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
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


def moment(tables, what=None):
    """Give the time of the newest record, or of the newest of those that are meant."""
    rows = [row for each in tables.values() for row in each if what is None or what(row)]
    return max(datetime.fromisoformat(row["TimeGenerated"]) for row in rows)


def fires(rule, tables, at=None):
    return kql.answer(RULES[rule], tables, at or moment(tables), A_LOOK)


def is_tick(row):
    return row.get("Name") == "ingestion.ticks"


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
    rows = kql.answer(QUERIES[name], of_all_days, moment(of_all_days), HOUR)

    assert rows
    assert list(rows[0]) == list(analyses[name].columns)
    assert [column for column in rows[0] if all(row[column] in (None, "") for row in rows)] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_on_its_bad_day(of_days, rule):
    assert fires(rule, of_days[rule])


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_fires_on_a_good_day_or_on_the_bad_day_of_another(of_days, rule):
    quiet = [day for day in of_days if day != rule]

    assert [day for day in quiet if fires(rule, of_days[day])] == []


@pytest.mark.parametrize("rule", LIMITS)
def test_a_rule_fires_beyond_its_limit_and_not_at_it(of_days, rule):
    gauge = "ingestion.spill.age" if rule == "spill_old" else "ingestion.waiting.age"
    rows = [row for row in of_days[rule]["AppMetrics"] if row["Name"] == gauge]

    at, beyond = ({"AppMetrics": [row | {"Sum": LIMITS[rule] + more} for row in rows]} for more in (0.0, 0.1))

    assert rows
    assert fires(rule, at) == []
    assert fires(rule, beyond)


def test_silence_is_seen_where_nothing_ever_arrived_and_by_no_other_rule():
    assert [rule for rule in RULES if fires(rule, {}, NOON)] == ["timer_silent"]


def test_silence_is_seen_when_the_last_tick_is_five_minutes_old(of_days):
    good = of_days[GOOD_DAY]
    last = moment(good, lambda row: is_tick(row) and row["Properties"]["timer"] == "open_due_windows")

    assert fires("timer_silent", good, last + timedelta(minutes=4, seconds=59)) == []
    assert fires("timer_silent", good, last + timedelta(minutes=5, seconds=1)) == [{"Ticks": 0}]


def test_other_timers_do_not_hide_that_the_one_which_opens_windows_is_silent(of_days):
    ticks = [row for row in of_days[GOOD_DAY]["AppMetrics"] if is_tick(row)]
    others = [row for row in ticks if row["Properties"]["timer"] != "open_due_windows"]

    assert 0 < len(others) < len(ticks)
    assert fires("timer_silent", {"AppMetrics": others})


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
