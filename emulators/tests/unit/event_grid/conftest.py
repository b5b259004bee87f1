"""Events, subscriptions and deliveries as the tests of this room need them."""

from datetime import UTC, datetime

import pytest

from emulators.event_grid.deliveries import Delivery
from emulators.event_grid.events import Event, Schema
from emulators.event_grid.subscriptions import Subscription

NOON = datetime(2026, 11, 22, 12, 0, 0, 1, UTC)


def make_grid_event(event_id="trades-1", subject="ADF_Trigger_Trades", kind="ADF_Event", **data):
    fields = {"id": event_id, "subject": subject, "eventType": kind, "eventTime": "2026-11-22T12:00:00Z", "data": data}
    return Event(Schema.EVENT_GRID, fields | {"topic": "/topic", "dataVersion": "1.0", "metadataVersion": "1"})


def make_cloud_event(event_id="c-1", **fields):
    required = {"id": event_id, "source": "/publisher", "type": "ADF_Event", "specversion": "1.0"}
    return Event(Schema.CLOUD_EVENTS, required | fields)


def make_subscription(**fields):
    return Subscription(**{"name": "enrichment", "endpoint": "http://localhost:1/hook?code=hidden"} | fields)


def make_delivery(event=None, published=NOON, **fields):
    return Delivery(event or make_grid_event(), make_subscription(**fields), published)


@pytest.fixture
def noon():
    return NOON


@pytest.fixture
def grid_event():
    return make_grid_event


@pytest.fixture
def cloud_event():
    return make_cloud_event


@pytest.fixture
def subscription():
    return make_subscription


@pytest.fixture
def delivery():
    return make_delivery
