"""aiohttp's requests and responses as the worker's messages."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from emulators.functions_host.protos import Message, TypedData

_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection"})
_NO_CONTENT = 204


async def to_request(request: web.Request, parameters: Mapping[str, str]) -> Message:
    """Write a request as Azure hands it over.

    Header names are in lower case, repeated query values are joined with a comma, and empty ones are left out.
    """
    query = {name: ",".join(filter(None, request.query.getall(name))) for name in request.query}
    return Message(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers},
        params=dict(parameters),
        query={name: value for name, value in query.items() if value},
        body=TypedData(bytes=await request.read()),
    )


def to_response(value: TypedData | None) -> web.Response:
    """Write what a function returned: a response, a bare string or bytes, JSON, or nothing (204)."""
    if value is None or value.kind is None:
        return web.Response(status=_NO_CONTENT)
    if value.kind == "http":
        return _full(value.value)
    if value.kind == "bytes":
        return web.Response(body=value.value, content_type="application/octet-stream")
    kind = "application/json" if value.kind == "json" else "text/plain"
    return web.Response(text=str(value.value), content_type=kind)


def _full(message: Message) -> web.Response:
    fields = vars(message)
    body = fields["body"]
    headers = {name: value for name, value in fields["headers"].items() if name.lower() not in _OWN_HEADERS}
    raw = body.value if body and body.kind else b""
    payload = raw.encode() if isinstance(raw, str) else raw
    response = web.Response(status=int(fields["status_code"]), headers=headers, body=payload)
    for cookie in fields["cookies"] or ():
        _set_cookie(response, cookie)
    return response


def _set_cookie(response: web.Response, cookie: Message) -> None:
    fields = vars(cookie)
    plain: dict[str, Any] = {name: vars(value)["value"] for name, value in fields.items() if isinstance(value, Message)}
    response.set_cookie(
        fields["name"],
        fields["value"],
        domain=plain.get("domain") or None,
        path=plain.get("path") or "/",
        max_age=plain.get("max_age"),
        secure=plain.get("secure") or None,
        httponly=plain.get("http_only") or None,
        samesite=fields.get("same_site"),
    )
