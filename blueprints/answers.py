"""How every HTTP function answers: a JSON object always, and each error by one table."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.functions as func

from shared import telemetry
from shared.errors import IngestionError, RequestRejected
from shared.http.statuses import OK, error_response

logger = logging.getLogger(__name__)

_NO_HEADERS: Mapping[str, str] = {}
_EVENTS = {
    "unavailable": "http.unavailable",
    "feed_refused": "http.feed_refused",
    "settings": "http.settings",
    "internal": "http.failed",
}


async def answer(
    work: Awaitable[Mapping[str, Any]], *, status: int = OK, status_of: Callable[[Mapping[str, Any]], int] | None = None
) -> func.HttpResponse:
    """Await the body of an answer; an error raised on purpose becomes `{"error": {"code", "message", "field"}}`.

    status_of: gives the status where it depends on the body.
    """
    try:
        body = await work
        return _json(body, status_of(body) if status_of else status)
    except IngestionError as error:
        response = error_response(error)
        if not isinstance(error, RequestRejected):
            telemetry.warning(logger, _EVENTS[response.code], cause=error)
        return _json(response.body, response.status, response.headers)


def _json(body: Mapping[str, Any], status: int, headers: Mapping[str, str] = _NO_HEADERS) -> func.HttpResponse:
    text = json.dumps(dict(body), separators=(",", ":"))
    return func.HttpResponse(text, status_code=status, headers=headers, mimetype="application/json")
