"""How every HTTP function answers: a JSON object always, and each error by one table."""

import json
import logging
from collections.abc import Awaitable, Mapping
from typing import Any

import azure.functions as func

from shared import telemetry
from shared.errors import IngestionError, LoginRefused, RequestRejected, SettingsError, Unavailable

logger = logging.getLogger(__name__)

_RETRY_AFTER_SECONDS = "10"


async def answer(work: Awaitable[Mapping[str, Any]], *, status: int = 200) -> func.HttpResponse:
    """Await the body of an answer; an error raised on purpose becomes `{"error": {"code", "message", "field"}}`."""
    try:
        return _json(dict(await work), status)
    except RequestRejected as rejection:
        return _error(rejection.status, rejection.code, rejection.message, rejection.field)
    except (Unavailable, LoginRefused) as error:
        telemetry.warning(logger, "http.unavailable", cause=error)
        return _error(503, "unavailable", str(error), None)
    except SettingsError as error:
        telemetry.warning(logger, "http.settings", cause=error)
        return _error(500, "settings", str(error), None)
    except IngestionError as error:
        telemetry.warning(logger, "http.failed", cause=error)
        return _error(500, "internal", str(error), None)


def _error(status: int, code: str, message: str, field: str | None) -> func.HttpResponse:
    return _json({"error": {"code": code, "message": message, "field": field}}, status)


def _json(body: Mapping[str, Any], status: int) -> func.HttpResponse:
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if status == 503 else {}  # noqa: PLR2004 - Service Unavailable
    text = json.dumps(body, separators=(",", ":"))
    return func.HttpResponse(text, status_code=status, headers=headers, mimetype="application/json")
