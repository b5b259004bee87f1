"""The HTTP side of a subscription: the validation handshake, and one request to its endpoint."""

import json
import logging
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from emulators.clocks import utc_now
from emulators.event_grid.deliveries import ORIGIN, Delivery, content, headers, notification_headers, timestamp
from emulators.event_grid.events import Schema
from emulators.event_grid.schedule import RESPONSE_SECONDS, TIMED_OUT, UNREACHABLE, DeliveryOutcome
from emulators.event_grid.subscriptions import Subscription

_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
_OK = 200
_logger = logging.getLogger(__name__)


class Endpoints:
    """Speaks to endpoints by one session; an answer that is not there within `RESPONSE_SECONDS` is none."""

    def __init__(self, session: aiohttp.ClientSession, topic: str) -> None:
        self._session = session
        self._topic = topic

    async def deliver(self, delivery: Delivery) -> DeliveryOutcome:
        """Send a delivery once and tell how that ended."""
        endpoint = delivery.subscription.endpoint
        try:
            async with self._session.post(endpoint, data=content(delivery), headers=headers(delivery)) as answer:
                await answer.read()
                return DeliveryOutcome.of(answer.status)
        except TimeoutError:
            return TIMED_OUT
        except aiohttp.ClientError:
            return UNREACHABLE

    async def validate(self, subscription: Subscription) -> bool:
        """Ask an endpoint once whether it wants the subscription's events."""
        cloud = subscription.event_delivery_schema is Schema.CLOUD_EVENTS
        try:
            return await (self._is_allowed(subscription) if cloud else self._echoes(subscription))
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            _logger.info("event_grid.not_validated subscription=%s reason=%s", subscription.name, type(error).__name__)
            return False

    async def _is_allowed(self, subscription: Subscription) -> bool:
        asking = {"WebHook-Request-Origin": ORIGIN}
        async with self._session.options(subscription.endpoint, headers=asking) as answer:
            return answer.status == _OK and answer.headers.get("WebHook-Allowed-Origin") in {ORIGIN, "*"}

    async def _echoes(self, subscription: Subscription) -> bool:
        code = str(uuid.uuid4())
        asking = notification_headers(subscription) | {"aeg-event-type": "SubscriptionValidation"}
        body = json.dumps([self._validation_event(code)]).encode()
        async with self._session.post(subscription.endpoint, data=body, headers=asking) as answer:
            answered = await answer.json(content_type=None) if answer.status == _OK else None
            return isinstance(answered, dict) and answered.get("validationResponse") == code

    def _validation_event(self, code: str) -> dict[str, object]:
        return {
            "id": str(uuid.uuid4()),
            "topic": self._topic,
            "subject": "",
            "data": {"validationCode": code},
            "eventType": _VALIDATION,
            "eventTime": timestamp(utc_now()),
            "metadataVersion": "1",
            "dataVersion": "2",
        }


@asynccontextmanager
async def reaching_endpoints(trust: ssl.SSLContext, topic: str) -> AsyncIterator[Endpoints]:
    """Hold the session in which endpoints are spoken to; `trust` is for those on https."""
    timeout = aiohttp.ClientTimeout(total=RESPONSE_SECONDS)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust), timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Endpoints(session, topic)
