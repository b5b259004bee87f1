from datetime import timedelta

import pytest

from emulators.application_insights.columns import TABLES
from emulators.application_insights.rows import row_of
from tests.unit.application_insights.conftest import KEY, NOW, envelope, item

KINDS = {"string": str, "real": float, "int": int, "bool": bool, "dynamic": (dict, list), "datetime": str}
TABLE_OF = {
    "MessageData": "AppTraces",
    "MetricData": "AppMetrics",
    "RequestData": "AppRequests",
    "RemoteDependencyData": "AppDependencies",
    "ExceptionData": "AppExceptions",
}


def row(kind="MessageData", base=None, **changes):
    return row_of(item(envelope(kind, base=base, **changes)), NOW)[1]


def test_each_kind_has_its_table_and_its_columns_have_the_types_of_the_workspace(kind):
    table, found = row_of(item(envelope(kind)), NOW)

    assert table == TABLE_OF[kind] == found["Type"]
    assert all(isinstance(value, KINDS[TABLES[table][column]]) for column, value in found.items())
    assert list(found) == [column for column in TABLES[table] if column in found]


def test_tags_are_columns_of_every_table(kind):
    found = row(kind)

    assert (found["OperationId"], found["ParentId"], found["AppRoleName"]) == ("trace", "parent", "app")
    assert (found["IKey"], found["_BilledSize"]) == (KEY, item(envelope(kind)).size)


def test_a_line_keeps_its_text_and_its_fields():
    found = row()

    assert (found["Message"], found["SeverityLevel"]) == ("window.closed", 1)
    assert found["Properties"] == {"feed": "trades"}


@pytest.mark.parametrize(("level", "expected"), [("Verbose", 0), ("Critical", 4), (3, 3)])
def test_a_severity_is_a_number(level, expected):
    assert row(base={"severityLevel": level})["SeverityLevel"] == expected


def test_a_call_has_its_length_in_milliseconds_and_succeeded_unless_it_says_otherwise():
    found = row("RemoteDependencyData", {"type": "InProc", "resultCode": "0", "target": "hub", "data": "d"})

    assert (found["Name"], found["Id"], found["DurationMs"], found["Success"]) == ("slice", "b2", 86_400_250.0, True)
    assert (found["DependencyType"], found["ResultCode"], found["Target"], found["Data"]) == ("InProc", "0", "hub", "d")
    assert row("RemoteDependencyData", {"success": False})["Success"] is False
    assert row("RequestData")["DurationMs"] == 1_500.0


def test_a_single_measurement_is_its_own_lowest_and_highest():
    found = row("MetricData")

    assert (found["Sum"], found["Min"], found["Max"], found["ItemCount"]) == (2.0, 2.0, 2.0, 1)


def test_several_measurements_are_counted_and_what_is_not_known_is_absent():
    point = {"name": "ingestion.send.duration", "value": 2.5, "count": 2, "min": 1, "max": 1.5}

    found = row("MetricData", {"metrics": [point], "properties": {"sink": "hub"}})
    bare = row("MetricData", {"metrics": [{"name": "n", "value": 2.5, "count": 2}]})

    assert (found["Sum"], found["Min"], found["Max"], found["ItemCount"]) == (2.5, 1.0, 1.5, 2)
    assert found["Properties"] == {"sink": "hub"}
    assert "Min" not in bare


def test_only_the_first_point_of_an_item_is_kept():
    points = [{"name": "first", "value": 1}, {"name": "second", "value": 2}]

    assert row("MetricData", {"metrics": points})["Name"] == "first"


def test_an_exception_is_told_by_its_outermost_and_its_innermost():
    chain = [{"typeName": "SendFailed", "message": "slice.failed"}, {"typeName": "OSError", "message": "broken"}]

    found = row("ExceptionData", {"exceptions": chain, "severityLevel": 3})

    assert (found["ExceptionType"], found["OuterMessage"], found["Message"]) == (
        "SendFailed",
        "slice.failed",
        "slice.failed",
    )
    assert (found["InnermostType"], found["InnermostMessage"]) == ("OSError", "broken")
    assert found["Details"] == chain


def test_a_sampled_item_stands_for_several():
    assert row(sampleRate=25)["ItemCount"] == 4
    assert row()["ItemCount"] == 1


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-28T06:59:59.5+02:00", "2026-11-28T04:59:59.500000Z"),
        ("2026-11-28T04:59:59.1234567Z", "2026-11-28T04:59:59.123456Z"),
        ((NOW + timedelta(hours=24)).isoformat(), "2026-11-29T05:00:00.000000Z"),
        ((NOW + timedelta(hours=25)).isoformat(), "2026-11-28T05:00:00.000000Z"),
    ],
)
def test_times_are_in_utc_and_one_of_more_than_a_day_ahead_is_that_of_arrival(time, expected):
    assert row(time=time)["TimeGenerated"] == expected
