"""Promotions: points on the stream `gps` become promotions, and those become notifications on phones.

What can never succeed is passed over or dead, and fails no batch. Both functions are disabled until settings say
otherwise.
"""

import typing

import azure.durable_functions as df
import azure.functions as func

from blueprints.hub_events import events_of, reads_hub
from shared.flows.promote import promote
from shared.flows.push_promotions import push_promotions as push
from shared.services import services

bp = df.Blueprint()


@reads_hub(bp, "GPS_HUB", consumer_group="promotions")
def promote_points(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Promote for a batch of points."""
    promote(services().promotion_tools, events_of(events))


@reads_hub(bp, "PROMOTIONS_HUB", consumer_group="push")
def push_promotions(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Push a batch of promotions."""
    push(services().push_tools, events_of(events))
