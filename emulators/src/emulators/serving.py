"""How every emulator serves HTTP: on this machine alone, the service on one port and its admin routes on another."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from emulators.tls import server_context

HOST: Final = "127.0.0.1"
_SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Site:
    """An application and where it is served: port 0 takes a free one; over TLS where there is a `certificate`.

    certificate: a PEM file with the server's key and chain.
    """

    application: web.Application
    port: int = 0
    certificate: Path | None = None


@asynccontextmanager
async def serving(**sites: Site) -> AsyncIterator[dict[str, str]]:
    """Serve sites for the length of a block; yields the address of each by its name: `https://localhost:20005`."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(_served(site)) for name, site in sites.items()}


@asynccontextmanager
async def _served(site: Site) -> AsyncIterator[str]:
    context: ssl.SSLContext | None = server_context(site.certificate) if site.certificate else None
    runner = web.AppRunner(site.application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, site.port, ssl_context=context).start()
        yield f"http{'s' if context else ''}://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def json_answer(body: object, status: int = 200) -> web.Response:
    """Answer a body as JSON."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
