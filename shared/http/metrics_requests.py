"""What a caller may ask of measurements: the body of `POST /api/metrics`."""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.domain.volumes.measurement import MeasureRequest
from shared.errors import RequestRejected
from shared.http.bodies import instant, json_object, known_fields, text

_FIELDS: Final = ("table", "ingestion_table", "run_id", "ingestion_time", "window")
_RUN: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_WINDOW: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_EXCERPT = 40


def parse_measure_request(body: bytes, content_type: str) -> MeasureRequest:
    """Read a body: table (also ingestion_table), run_id, ingestion_time (ISO 8601; no zone means UTC), maybe window.

    Fractions of a second are dropped. Whether table and window are known is for others to say. Raises RequestRejected
    that names the field and the rule: `too_large` over 64 KiB, `unsupported` where not sent as JSON, else `invalid`.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RequestRejected.of_field(
            "Content-Type", "must be application/json", reason="unsupported", code="not_json"
        )
    document = json_object(body, too_large="too_large")
    _refuse_address(document)
    known_fields(document, _FIELDS)
    at = instant(document, "ingestion_time").replace(microsecond=0)
    return MeasureRequest(_table(document), _shaped(document, "run_id", _RUN), at, _window(document))


def _refuse_address(document: Mapping[str, Any]) -> None:
    if "logic_app_url" in document:
        raise RequestRejected.of_field(
            "logic_app_url",
            "must not be in the body: an alert goes to the address that the app's own settings give for the table",
            code="address_in_body",
        )


def _table(document: Mapping[str, Any]) -> str:
    if "table" in document and "ingestion_table" in document:
        raise RequestRejected.of_field("ingestion_table", "must not be given beside table: both name the same thing")
    key = text(document, "ingestion_table" if "ingestion_table" in document else "table")
    if not key:
        raise RequestRejected.of_field("table", "must not be empty")
    return key


def _window(document: Mapping[str, Any]) -> str | None:
    return None if document.get("window") is None else _shaped(document, "window", _WINDOW)


def _shaped(document: Mapping[str, Any], field: str, shape: re.Pattern[str]) -> str:
    value = text(document, field)
    if not shape.fullmatch(value):
        raise RequestRejected.of_field(field, f"must look like {shape.pattern}; it is {value[:_EXCERPT]!r}")
    return value
