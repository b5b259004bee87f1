"""A proxy that only does CONNECT, as the networks of many companies have one; on 127.0.0.1."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Where the proxy listens, whom it lets through (`user:password`, None: everybody), and whereto it was asked."""

    login: str | None
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def url(self, login: str = "") -> str:
        return f"http://{login}@127.0.0.1:{self.port}" if login else f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        target = head[0].split(" ")[1]
        self.asked.append(target)
        if not self._lets_through(head[1:]):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n")
            writer.close()
            return
        host, _, port = target.rpartition(":")
        upstream = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_relay(reader, upstream[1]), _relay(upstream[0], writer))

    def _lets_through(self, headers: list[str]) -> bool:
        wanted = f"Basic {base64.b64encode((self.login or '').encode()).decode()}"
        return self.login is None or f"proxy-authorization: {wanted}".lower() in [line.lower() for line in headers]


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def running_proxy(login: str | None = None) -> AsyncIterator[Proxy]:
    """Serve a proxy while the context lasts."""
    proxy = Proxy(login)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()
