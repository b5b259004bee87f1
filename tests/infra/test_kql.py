"""What the checks of queries rest on: mistakes are found, and the evaluator answers as Kusto is documented to."""

from datetime import UTC, datetime, timedelta

import duckdb_kql
import pytest

from infra.checks import kql

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def naive(hour, minute):
    """Kusto's times are of UTC, and do not say so."""
    return NOON.replace(hour=hour, minute=minute, tzinfo=None)


def metric(minutes_ago, value, **properties):
    at = NOON - minutes_ago * MINUTE
    return {"TimeGenerated": at.isoformat(), "Name": "m", "Sum": value, "Properties": properties}


METRICS = [metric(7, 1.0, feed="a", n="4"), metric(3, 2.0, feed="a", n="5"), metric(2, 4.0, feed="b"), metric(1, 8.0)]
MISTAKES = {
    "an unknown column": ("AppMetrics | where Nam == 'm'", "Nam"),
    "an unknown table": ("AppMetric | count", "AppMetric"),
    "an unknown function": ("AppMetrics | extend a = tostrin(Name)", "tostrin"),
    "a wrong type": ("AppMetrics | summarize sum(Name)", "must be summable"),
    "an aggregate where none may be": ("AppMetrics | where sum(Sum) > 1", "sum"),
    "an operator that there is not": ("AppMetrics | filte Sum > 1", "operator"),
    "a column that is gone": ("AppMetrics | project Name | where Sum > 1", "Sum"),
}
ANSWERS = {
    "where compares, and a time is before others": (
        "AppMetrics | where Sum > 1 and TimeGenerated > ago(2m) | project Sum",
        [{"Sum": 8.0}],
    ),
    "a value is in a list": (
        "AppMetrics | where tostring(Properties.feed) in ('b', 'c') | project Sum",
        [{"Sum": 4.0}],
    ),
    "a property that is not there is an empty text": (
        "AppMetrics | extend Feed = tostring(Properties.feed) | where Feed == '' | project Sum",
        [{"Sum": 8.0}],
    ),
    "the first that is not empty": (
        "AppMetrics | project Sum, F = coalesce(tostring(Properties.feed), tostring(Properties['n'])) | top 2 by Sum",
        [{"Sum": 8.0, "F": ""}, {"Sum": 4.0, "F": "b"}],
    ),
    "only what is not empty": (
        "AppMetrics | summarize N = count() by F = tostring(Properties.feed) | where isnotempty(F) | order by F asc",
        [{"F": "a", "N": 2}, {"F": "b", "N": 1}],
    ),
    "numbers of texts are summed up, and what is none counts for nothing": (
        "AppMetrics | summarize N = sum(tolong(Properties.n)), M = max(toint(Properties.n))",
        [{"N": 9, "M": 5}],
    ),
    "sums and counts of those that meet a condition": (
        "AppMetrics | summarize A = sumif(Sum, Sum < 3), B = countif(Sum > 3), C = count(), D = min(Sum)",
        [{"A": 3.0, "B": 2, "C": 4, "D": 1.0}],
    ),
    "of nothing at all a count is one row of 0": (
        "AppMetrics | where Name == 'none' | summarize N = countif(Sum > 0)",
        [{"N": 0}],
    ),
    "of nothing at all there are no groups": (
        "AppMetrics | where Name == 'none' | summarize N = count() by Name",
        [],
    ),
    "the newest of each group with what it has": (
        "AppMetrics | summarize arg_max(TimeGenerated, Sum) by Feed = tostring(Properties.feed) | where Feed == 'a'",
        [{"Feed": "a", "TimeGenerated": naive(11, 57), "Sum": 2.0}],
    ),
    "times are cut to steps": (
        "AppMetrics | summarize N = count() by bin(TimeGenerated, 5m) | order by TimeGenerated asc",
        [
            {"TimeGenerated": naive(11, 50), "N": 1},
            {"TimeGenerated": naive(11, 55), "N": 3},
        ],
    ),
    "a time less a time, in minutes, rounded": (
        "AppMetrics | summarize A = min(TimeGenerated), B = max(TimeGenerated) | project M = round((B - A) / 4m, 1)",
        [{"M": 1.5}],
    ),
    "one or the other, and the rest of a text": (
        "AppMetrics | project T = iff(Sum > 4, substring('window.closed', 7), 'open') | top 2 by T asc",
        [{"T": "closed"}, {"T": "open"}],
    ),
    "any one of a group": (
        "AppMetrics | summarize Name = take_any(Name)",
        [{"Name": "m"}],
    ),
    "rows of two tables, one after the other": (
        "union (AppTraces | project SeverityLevel), (AppMetrics | project Sum) | summarize N = count(), S = sum(Sum)",
        [{"N": 6, "S": 15.0}],
    ),
    "a severity at least": (
        "AppTraces | where SeverityLevel >= 2 | project SeverityLevel",
        [{"SeverityLevel": 3}],
    ),
}
READ = {
    "of two tables": """
        union (AppTraces | where Properties.event in ("a", "b") | project TimeGenerated, X = Properties.window),
              (AppMetrics | extend What = Name | where What == "m" | project TimeGenerated, X = Properties["kind"])
    """,
    "under another name": "AppTraces | extend Event = tostring(Properties.event) | where Event == 'a'",
    "behind a name": "let a = AppTraces | where Properties.event == 'a'; a | project Properties.window",
}


def answered(text):
    lines = [
        {"TimeGenerated": NOON.isoformat(), "SeverityLevel": level, "Message": "x", "Properties": {}}
        for level in (1, 3)
    ]
    return kql.answer(text, {"AppMetrics": METRICS, "AppTraces": lines}, NOON, timedelta(hours=1))


@pytest.fixture(scope="module")
def analyses():
    """What is said of each text above, by what it stands for; the language service takes a second to start."""
    texts = {what: text for what, (text, _) in (MISTAKES | ANSWERS).items()}
    return kql.analysed(texts | READ | kql.queries())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_language_service_finds(analyses, mistake):
    _, named = MISTAKES[mistake]

    assert [problem for problem in analyses[mistake].problems if named in problem]


def test_what_a_query_reads_is_told_by_the_table_that_its_pipe_begins_with(analyses):
    found = analyses["of two tables"]

    assert found.uses == [
        kql.Use("AppTraces", frozenset({"a", "b"}), frozenset({"event", "window"})),
        kql.Use("AppMetrics", frozenset({"m"}), frozenset({"kind"})),
    ]
    assert found.strays == []


def test_a_name_that_comes_under_another_is_still_known_as_what_is_asked_for(analyses):
    (use,) = analyses["under another name"].uses

    assert use.names == {"a"}


def test_a_property_that_is_read_behind_a_name_for_a_table_is_a_stray(analyses):
    assert analyses["behind a name"].strays == ["window"]


@pytest.mark.parametrize("what", ANSWERS)
def test_the_evaluator_knows_that(what):
    text, expected = ANSWERS[what]

    assert answered(text) == expected


@pytest.mark.parametrize("part", ["operators", "functions"])
def test_the_evaluator_knows_all_that_the_queries_use(analyses, part):
    """Each operator and function of theirs stands in a query above, whose answer is known."""

    def of(names):
        return {each for name in names for each in getattr(analyses[name], part)}

    assert of(kql.queries()) - of(ANSWERS) == set()


@pytest.mark.parametrize(
    "text", ["AppMetrics | evaluate pivot(Name)", "AppMetrics | make-series count() on Sum step 1"]
)
def test_the_evaluator_refuses_what_it_does_not_know(text):
    with pytest.raises(duckdb_kql.KqlError):
        answered(text)


def test_only_records_of_the_time_that_is_asked_for_are_seen():
    text = "AppMetrics | summarize N = count()"

    assert kql.answer(text, {"AppMetrics": METRICS}, NOON, 3 * MINUTE) == [{"N": 2}]
    assert kql.answer(text, {"AppMetrics": METRICS}, NOON - 3 * MINUTE, 5 * MINUTE) == [{"N": 2}]
