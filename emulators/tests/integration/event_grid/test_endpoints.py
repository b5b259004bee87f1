"""How an endpoint's behaviour is understood: agreeing, refusing, silent, gone."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from emulators.event_grid.deliveries import Delivery
from emulators.event_grid.endpoints import Endpoints
from emulators.event_grid.events import Event, Schema
from emulators.event_grid.schedule import TIMED_OUT, UNREACHABLE, DeliveryOutcome
from emulators.event_grid.subscriptions import Subscription

FIELDS = {"id": "1", "topic": "/t", "subject": "s", "eventType": "t", "eventTime": "2026-11-22T12:00:00Z"}
EVENT = Event(Schema.EVENT_GRID, FIELDS | {"dataVersion": "1"})


@asynccontextmanager
async def endpoint(handler):
    """Serve one handler for every request; yields its address and what speaks to it with half a second of patience."""
    application = web.Application()
    application.router.add_route("*", "/hook", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", Endpoints(session, "/t")
    await runner.cleanup()


def answering(status=200, content=None, **headers):
    async def handle(request):
        await request.read()
        return web.json_response(content, status=status, headers=headers)

    return handle


async def echo(request):
    (event,) = await request.json()
    return web.json_response({"validationResponse": event["data"]["validationCode"]})


def subscription(address, schema=Schema.EVENT_GRID):
    return Subscription("windows", address, schema)


@pytest.mark.parametrize(
    ("handler", "agrees"),
    [
        (echo, True),
        (answering(200, {"validationResponse": "another"}), False),
        (answering(200, ["no object"]), False),
        (answering(500), False),
    ],
    ids=["echo", "another_code", "no_object", "error"],
)
async def test_an_endpoint_agrees_by_its_code(handler, agrees):
    async with endpoint(handler) as (address, endpoints):
        assert await endpoints.validate(subscription(address)) is agrees


@pytest.mark.parametrize(
    ("headers", "agrees"),
    [
        ({"WebHook-Allowed-Origin": "eventgrid.azure.net"}, True),
        ({"WebHook-Allowed-Origin": "*"}, True),
        ({"WebHook-Allowed-Origin": "another.net"}, False),
        ({}, False),
    ],
)
async def test_an_endpoint_of_cloud_events_agrees_by_naming_the_origin(headers, agrees):
    async with endpoint(answering(**headers)) as (address, endpoints):
        assert await endpoints.validate(subscription(address, Schema.CLOUD_EVENTS)) is agrees


async def delivered(endpoints, address):
    return await endpoints.deliver(Delivery(EVENT, subscription(address), datetime.now(UTC)))


async def test_a_status_is_the_outcome():
    async with endpoint(answering(404)) as (address, endpoints):
        assert await delivered(endpoints, address) == DeliveryOutcome(404, "NotFound")


async def test_an_endpoint_that_does_not_answer_in_time_has_not_answered():
    async def hang(_):
        await asyncio.Event().wait()

    async with endpoint(hang) as (address, endpoints):
        assert await delivered(endpoints, address) == TIMED_OUT
        assert await endpoints.validate(subscription(address)) is False


async def test_an_endpoint_that_is_gone_is_unreachable():
    async with endpoint(echo) as (address, endpoints):
        pass
    async with aiohttp.ClientSession() as session:
        endpoints = Endpoints(session, "/t")

        assert await delivered(endpoints, address) == UNREACHABLE
        assert await endpoints.validate(subscription(address)) is False
