"""What every stand-in's HTTP does alike: listen on this machine alone, answer JSON, explain what it refuses."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

HOST: Final = "127.0.0.1"
_GOODBYE_SECONDS = 1.0


@asynccontextmanager
async def serving(application: web.Application, port: int, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve for the length of a block; gives the port, which is a free one where 0 is asked for."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def json_answer(body: object, status: int = 200) -> web.Response:
    """Answer a body as JSON."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 400 with `{"error": ...}` where what was sent is refused by a ValueError."""
    try:
        return await handler(request)
    except (ValueError, msgspec.MsgspecError) as error:
        return json_answer({"error": str(error)}, status=400)
