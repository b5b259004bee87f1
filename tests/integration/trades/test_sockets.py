"""What the real websocket and its fake do alike."""

import asyncio

import pytest

from shared.errors import Unreachable
from shared.trades.connection.fake import FakeSocket, FakeTransport
from shared.trades.connection.transport import WebTransport


class Real:
    """A websocket to a stage that tells frames and then ends the connection."""

    def __init__(self, stage):
        self.stage = stage
        self.transport = WebTransport(None)
        self.url = f"ws://{stage.address}/ws"
        self.received = []

    def tells(self, *frames):
        async def scene(socket):
            for frame in frames:
                await socket.send_str(frame)
            await socket.close()

        self.stage.scenes = [scene]

    def refuses(self, status):
        self.stage.refusals = [status]


class Fake:
    """The same, played."""

    def __init__(self, stage):
        self.socket = FakeSocket()
        self.transport = FakeTransport(self.socket)
        self.url = "ws://fake"

    def tells(self, *frames):
        self.socket.tell(*frames)
        self.socket.end()

    def refuses(self, status):
        self.transport = FakeTransport(Unreachable(f"the fake answered {status}"))


@pytest.fixture(params=[Real, Fake])
async def venue(request, stage):
    venue = request.param(stage)
    if isinstance(venue, Real):
        async with venue.transport:
            yield venue
    else:
        yield venue


async def opened(venue):
    socket = await venue.transport.socket(venue.url)
    await socket.send("subscribe")
    return socket


async def test_frames_are_handed_on_in_order_and_the_end_has_a_reason(venue):
    venue.tells("one", "two", "three")
    frames = []

    async with asyncio.timeout(5):
        socket = await opened(venue)
        reason = await socket.read(frames.append, lambda: None)
        await socket.close()

    assert frames == [b"one", b"two", b"three"]
    assert "ended the connection" in reason


async def test_no_frame_is_read_while_the_one_before_it_is_waited_for(venue):
    venue.tells("one", "two")
    frames, go_on = [], asyncio.Event()

    def hold(frame):
        frames.append(frame)
        return go_on.wait()

    async with asyncio.timeout(5):
        socket = await opened(venue)
        reading = asyncio.create_task(socket.read(hold, lambda: None))
        await asyncio.wait({reading}, timeout=0.2)
        held_up = list(frames)
        go_on.set()
        await reading
        await socket.close()

    assert (held_up, frames) == ([b"one"], [b"one", b"two"])


@pytest.mark.parametrize("status", [418, 451, 503])
async def test_handshake_that_is_answered_otherwise_is_an_error(venue, status):
    venue.refuses(status)

    with pytest.raises(Unreachable, match=f"answered {status}"):
        await venue.transport.socket(venue.url)
