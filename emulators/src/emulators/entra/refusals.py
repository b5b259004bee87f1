"""How Entra says no: its error codes, their HTTP status and the JSON they travel in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

_ERROR_PAGE = "https://login.microsoftonline.com/error?code={code}"


@dataclass(eq=False)
class Refusal(Exception):
    """A request that Entra turns down: the OAuth error, the AADSTS code, the sentence, the HTTP status and headers."""

    error: str
    code: int
    message: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """What ties an answer to a log line: both ids are GUIDs; the correlation id is the client's own if it sent one."""

    trace_id: str
    correlation_id: str
    at: datetime


def refusal_body(refusal: Refusal, incident: Incident) -> dict[str, object]:
    """Write a refusal as Entra's token endpoint does."""
    timestamp = incident.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return {
        "error": refusal.error,
        "error_description": (
            f"AADSTS{refusal.code}: {refusal.message} Trace ID: {incident.trace_id}"
            f" Correlation ID: {incident.correlation_id} Timestamp: {timestamp}"
        ),
        "error_codes": [refusal.code],
        "timestamp": timestamp,
        "trace_id": incident.trace_id,
        "correlation_id": incident.correlation_id,
        "error_uri": _ERROR_PAGE.format(code=refusal.code),
    }


def missing_parameter(name: str) -> Refusal:
    """The form lacks a field that every request needs."""
    return Refusal("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")


def unsupported_grant_type(grant_type: str) -> Refusal:
    """Only client credentials are served here."""
    return Refusal("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant_type}'.")


def unknown_tenant(tenant: str) -> Refusal:
    """No directory of that id or name."""
    return Refusal("invalid_request", 90002, f"Tenant '{tenant}' not found. Check the tenant ID and the cloud.")


def unknown_client(client_id: str, tenant: str) -> Refusal:
    """No application of that id in this directory."""
    message = f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
    return Refusal("unauthorized_client", 700016, message)


def wrong_secret(client_id: str) -> Refusal:
    """The client exists and the secret is not its own."""
    message = f"Invalid client secret provided for app '{client_id}'. Send the secret's value, not its ID."
    return Refusal("invalid_client", 7000215, message, HTTPStatus.UNAUTHORIZED)


def no_credential() -> Refusal:
    """The client did not say how it proves who it is."""
    message = "The request must contain 'client_secret' or 'client_assertion' for the client_credentials grant."
    return Refusal("invalid_client", 7000216, message, HTTPStatus.UNAUTHORIZED)


def two_credentials() -> Refusal:
    """The client proved itself twice, in the header and in the body (RFC 6749, 2.3: one method a request)."""
    message = "Request is malformed or invalid: more than one client authentication method was used."
    return Refusal("invalid_request", 9002313, message)


def malformed_authorization() -> Refusal:
    """The header is no HTTP Basic of a form-urlencoded id and secret (RFC 6749, 2.3.1)."""
    message = "Request is malformed or invalid: the Authorization header is no Basic client_id and client_secret."
    return Refusal("invalid_request", 9002313, message)


def malformed_scope(scope: str) -> Refusal:
    """Client credentials ask for one resource followed by `/.default`."""
    message = f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
    return Refusal("invalid_scope", 70011, message)


def unknown_resource(resource: str, tenant: str) -> Refusal:
    """No service of that name is registered in this directory."""
    message = f"The resource principal named {resource} was not found in the tenant named {tenant}."
    return Refusal("invalid_resource", 500011, message)
