"""A websocket that sends Coinbase's trades as fast as they are taken: `python -m benchmarks.peers.frame_server`."""

import asyncio
import base64
import hashlib
import json
import struct

FRAMES = 20_000
_AT_ONCE = 500
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def match(number: int) -> bytes:
    """Write one `match` frame's text, about 300 bytes."""
    return json.dumps(
        {
            "type": "match",
            "trade_id": number,
            "maker_order_id": f"27fff20b-af29-4f45-8744-{number:012d}",
            "taker_order_id": f"1da6ce16-c8da-4732-9f71-{number:012d}",
            "side": "sell" if number % 3 else "buy",
            "size": f"0.{number % 10**8:08d}1",
            "price": f"67250.{number % 100:02d}",
            "product_id": ("BTC-USD", "ETH-USD", "SOL-USD", "BTC-EUR")[number % 4],
            "sequence": 333938798 + number,
            "time": f"2026-11-22T10:{number // 60_000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d}075Z",
        },
        separators=(",", ":"),
    ).encode()


def framed(text: bytes) -> bytes:
    """Frame a text of 126 to 65,535 bytes as a server does."""
    return struct.pack("!BBH", 0x81, 126, len(text)) + text


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shake hands, wait for the subscription, then send."""
    request = await reader.readuntil(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in headers.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    await reader.read(1)
    try:
        while not writer.is_closing():
            for chunk in CHUNKS:
                writer.write(chunk)
                await writer.drain()
    except ConnectionError:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"address": f"ws://127.0.0.1:{port}/"}), flush=True)
    await server.serve_forever()


CHUNKS = [
    b"".join(framed(match(number)) for number in range(start, start + _AT_ONCE)) for start in range(1, FRAMES, _AT_ONCE)
]

if __name__ == "__main__":
    asyncio.run(main())
