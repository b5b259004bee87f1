"""From an accepted item to its row: Breeze's type decides the table, its fields and tags fill the columns."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from emulators.application_insights.bodies import Item
from emulators.application_insights.columns import TABLES
from emulators.application_insights.durations import milliseconds_of
from emulators.application_insights.fields import SEVERITIES
from emulators.application_insights.judging import MOST_RATE, read_time

type Row = dict[str, Any]

_FURTHEST_AHEAD: Final = timedelta(days=1)
_TAGS: Final = {
    "OperationId": "ai.operation.id",
    "OperationName": "ai.operation.name",
    "ParentId": "ai.operation.parentId",
    "SyntheticSource": "ai.operation.syntheticSource",
    "AppRoleName": "ai.cloud.role",
    "AppRoleInstance": "ai.cloud.roleInstance",
    "AppVersion": "ai.application.ver",
    "SDKVersion": "ai.internal.sdkVersion",
}


def row_of(item: Item, now: datetime) -> tuple[str, Row]:
    """Give the table and the row of an item that was accepted; columns that it does not fill are absent.

    A time more than a day ahead is replaced by the one of arrival, as the workspace does.
    """
    envelope = item.content
    base = envelope["data"]["baseData"]
    table, columns_of = _TABLE_OF[envelope["data"]["baseType"]]
    row = _columns_of_all(item, table, now) | columns_of(base)
    return table, {column: row[column] for column in TABLES[table] if row.get(column) is not None}


def _columns_of_all(item: Item, table: str, now: datetime) -> Row:
    envelope = item.content
    tags = envelope.get("tags") or {}
    at = read_time(envelope["time"]) or now
    at = now if at - now > _FURTHEST_AHEAD else at
    return {column: tags.get(tag) for column, tag in _TAGS.items()} | {
        "TimeGenerated": f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z",
        "Properties": envelope["data"]["baseData"].get("properties") or {},
        "ItemCount": round(MOST_RATE / (envelope.get("sampleRate") or MOST_RATE)),
        "IKey": envelope["iKey"],
        "Type": table,
        "_BilledSize": float(item.size),
        "_IsBillable": "True",
    }


def _of_message(base: Mapping[str, Any]) -> Row:
    return {"Message": base["message"], "SeverityLevel": _severity(base), "Measurements": base.get("measurements")}


def _of_metric(base: Mapping[str, Any]) -> Row:
    """Read the first point alone, as the service does. Its value is the sum of `count` measurements."""
    point = base["metrics"][0]
    count, value = point.get("count") or 1, float(point["value"])
    single = value if count == 1 else None
    ends = {column: point.get(name, single) for column, name in (("Min", "min"), ("Max", "max"))}
    return {"Name": point["name"], "Sum": value, "ItemCount": count} | {
        column: None if end is None else float(end) for column, end in ends.items()
    }


def _of_request(base: Mapping[str, Any]) -> Row:
    return _of_call(base) | {
        "ResultCode": base["responseCode"],
        "Source": base.get("source"),
        "Url": base.get("url"),
    }


def _of_dependency(base: Mapping[str, Any]) -> Row:
    return _of_call(base) | {
        "ResultCode": base.get("resultCode"),
        "Target": base.get("target"),
        "DependencyType": base.get("type"),
        "Data": base.get("data"),
    }


def _of_call(base: Mapping[str, Any]) -> Row:
    success = base.get("success")
    return {
        "Id": base.get("id"),
        "Name": base.get("name"),
        "DurationMs": milliseconds_of(base["duration"]),
        "Success": True if success is None else success,
        "Measurements": base.get("measurements"),
    }


def _of_exception(base: Mapping[str, Any]) -> Row:
    outer, innermost = base["exceptions"][0], base["exceptions"][-1]
    return {
        "ExceptionType": outer.get("typeName"),
        "Message": outer["message"],
        "OuterType": outer.get("typeName"),
        "OuterMessage": outer["message"],
        "InnermostType": innermost.get("typeName"),
        "InnermostMessage": innermost["message"],
        "ProblemId": base.get("problemId") or outer.get("typeName"),
        "SeverityLevel": _severity(base),
        "Details": base["exceptions"],
        "Measurements": base.get("measurements"),
    }


def _severity(base: Mapping[str, Any]) -> int | None:
    level = base.get("severityLevel")
    return SEVERITIES.index(level) if isinstance(level, str) else level


_TABLE_OF: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Row]]]] = {
    "MessageData": ("AppTraces", _of_message),
    "MetricData": ("AppMetrics", _of_metric),
    "RequestData": ("AppRequests", _of_request),
    "RemoteDependencyData": ("AppDependencies", _of_dependency),
    "ExceptionData": ("AppExceptions", _of_exception),
}
