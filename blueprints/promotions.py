"""Promotions: points on the stream `gps` become promotions, and those become notifications on phones.

A batch that fails is tried again for ever, since a hub's checkpoint moves on when the tries are over; what can never
succeed is passed over or dead, and fails no batch. Both functions are disabled until settings say otherwise.
"""

import typing

import azure.durable_functions as df
import azure.functions as func

from blueprints.hub_events import events_of
from shared.flows.promote import promote
from shared.flows.push_promotions import push_promotions as push
from shared.services import services

bp = df.Blueprint()


@bp.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%GPS_HUB%",
    connection="EVENT_HUBS",
    cardinality=func.Cardinality.MANY,
    consumer_group="promotions",
    data_type=func.DataType.BINARY,
)
@bp.retry(
    strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:02", maximum_interval="00:01:00"
)
def promote_points(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Promote for a batch of points."""
    promote(services().promotion_tools, events_of(events))


@bp.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%PROMOTIONS_HUB%",
    connection="EVENT_HUBS",
    cardinality=func.Cardinality.MANY,
    consumer_group="push",
    data_type=func.DataType.BINARY,
)
@bp.retry(
    strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:02", maximum_interval="00:01:00"
)
def push_promotions(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Push a batch of promotions."""
    push(services().push_tools, events_of(events))
