import json

import pytest
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

from shared.domain.windows.announcement import window_of
from shared.http.events import published_event

WINDOW = "trades-20261122T120000Z"
OPENING = {"id": WINDOW, "subject": "ADF_Trigger_Trades", "data": {"window": WINDOW}}
GRID = OPENING | {"eventType": "ADF_Event", "topic": "/t", "eventTime": "2026-11-22T12:00:00Z", "dataVersion": "1.0"}
CLOUD = OPENING | {"type": "ADF_Event", "source": "/t", "time": "2026-11-22T12:00:00Z", "specversion": "1.0"}


def delivered(event):
    """Make what the worker hands to a trigger, whatever its parameter is annotated with."""
    return EventGridEventInConverter.decode(Datum(json.dumps(event), "json"), trigger_metadata=None)


@pytest.mark.parametrize("event", [GRID, CLOUD], ids=["Event Grid's schema", "a CloudEvent"])
def test_an_opening_starts_the_windows_enrichment_in_either_schema(event):
    published = published_event(delivered(event))

    assert published == {"type": "ADF_Event", **OPENING}
    assert window_of(published) == WINDOW


def test_a_cloud_event_that_has_only_the_windows_id_names_the_window():
    bare = {name: value for name, value in CLOUD.items() if name != "data"}

    assert window_of(published_event(delivered(bare))) == WINDOW


@pytest.mark.parametrize("event", [GRID | {"eventType": "Window_Closed"}, CLOUD | {"type": "Window_Closed"}])
def test_an_event_of_another_type_names_no_window(event):
    assert window_of(published_event(delivered(event))) is None
