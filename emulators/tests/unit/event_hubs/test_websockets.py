import asyncio

from emulators.event_hubs.websockets import MessageTransport

MESSAGE = bytes(16 * 1024)


class SlowSocket:
    """Takes a message for each permit."""

    def __init__(self):
        self.permits = asyncio.Semaphore(0)
        self.sent = []
        self.closed = False

    async def send_bytes(self, data):
        await self.permits.acquire()
        self.sent.append(data)

    async def close(self):
        self.closed = True

    def take(self, count):
        for _ in range(count):
            self.permits.release()


class LostSocket(SlowSocket):
    async def send_bytes(self, data):
        raise ConnectionResetError


class RecordingPeer:
    def __init__(self):
        self.told = []
        self.resumed = asyncio.Event()

    def pause_writing(self):
        self.told.append("pause")

    def resume_writing(self):
        self.told.append("resume")
        self.resumed.set()


class RawTransport:
    aborted = False

    def abort(self):
        self.aborted = True


async def test_a_peer_pauses_while_a_slow_client_has_more_than_64_kib_to_take_and_then_goes_on():
    socket, peer = SlowSocket(), RecordingPeer()
    transport = MessageTransport(socket, RawTransport(), peer)
    sending = asyncio.create_task(transport.send_all())

    for _ in range(6):
        transport.write(MESSAGE)
    told_while_full = list(peer.told)
    socket.take(5)
    await asyncio.wait_for(peer.resumed.wait(), 5)
    sending.cancel()

    assert told_while_full == ["pause"]
    assert peer.told == ["pause", "resume"]


async def test_what_was_written_before_a_close_is_sent_before_it():
    socket = SlowSocket()
    transport = MessageTransport(socket, RawTransport(), RecordingPeer())

    transport.write(b"first")
    transport.write(b"last")
    transport.close()
    socket.take(2)
    await asyncio.wait_for(transport.send_all(), 5)

    assert (socket.sent, socket.closed) == ([b"first", b"last"], True)


async def test_a_lost_client_ends_the_sending_without_an_error():
    transport = MessageTransport(LostSocket(), RawTransport(), RecordingPeer())

    transport.write(b"a")

    await asyncio.wait_for(transport.send_all(), 5)


async def test_an_abort_drops_the_connection_below():
    raw = RawTransport()
    transport = MessageTransport(SlowSocket(), raw, RecordingPeer())

    transport.abort()

    assert raw.aborted
    assert transport.is_closing()
