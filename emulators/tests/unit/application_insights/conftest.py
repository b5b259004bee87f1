"""Items as an exporter sends them."""

from copy import deepcopy
from datetime import UTC, datetime

import msgspec
import pytest

from emulators.application_insights.bodies import Item

KEY = "11111111-2222-3333-4444-555555555555"
NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)

BASES = {
    "MessageData": {"ver": 2, "message": "window.closed", "severityLevel": 1, "properties": {"feed": "trades"}},
    "MetricData": {"ver": 2, "metrics": [{"name": "ingestion.ticks", "value": 2, "count": 1}]},
    "RequestData": {"ver": 2, "id": "a1", "duration": "0.00:00:01.500", "success": True, "responseCode": "0"},
    "RemoteDependencyData": {"ver": 2, "id": "b2", "name": "slice", "duration": "1.00:00:00.250"},
    "ExceptionData": {"ver": 2, "exceptions": [{"typeName": "ValueError", "message": "boo", "stack": "a stack"}]},
}


def envelope(kind="MessageData", *, base=None, **changes):
    """Build an item; a change to None takes a field away."""
    whole = {
        "name": "Microsoft.ApplicationInsights.Any",
        "time": "2026-11-28T04:59:59.5Z",
        "iKey": KEY,
        "tags": {"ai.operation.id": "trace", "ai.operation.parentId": "parent", "ai.cloud.role": "app"},
        "data": {"baseType": kind, "baseData": deepcopy(BASES[kind]) | (base or {})},
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def item(content):
    return Item(content, len(msgspec.json.encode(content)))


@pytest.fixture(params=sorted(BASES))
def kind(request):
    return request.param
