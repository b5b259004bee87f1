"""The shape of Entra's refusals."""

from datetime import UTC, datetime

from emulators.entra.refusals import Incident, refusal_body, wrong_secret

INCIDENT = Incident("trace", "correlation", datetime(2026, 11, 22, 10, 0, 5, 123456, UTC))


def test_refusal_has_the_fields_of_entras_error_answer():
    body = refusal_body(wrong_secret("some-app"), INCIDENT)

    assert body.pop("error_description").startswith("AADSTS7000215: Invalid client secret provided")
    assert body == {
        "error": "invalid_client",
        "error_codes": [7000215],
        "timestamp": "2026-11-22 10:00:05Z",
        "trace_id": "trace",
        "correlation_id": "correlation",
        "error_uri": "https://login.microsoftonline.com/error?code=7000215",
    }


def test_description_ends_with_the_ids_and_the_time():
    description = str(refusal_body(wrong_secret("some-app"), INCIDENT)["error_description"])

    assert description.endswith("Trace ID: trace Correlation ID: correlation Timestamp: 2026-11-22 10:00:05Z")
