"""What C#'s client needs, which can't be installed here: asked for frame by frame by a client made of proton alone."""

import base64
import hashlib
import hmac
import socket
import time
from urllib.parse import quote_plus, urlencode

import pytest
from azure.eventhub import EventData
from proton import UNDESCRIBED, Array, Collector, Connection, Data, Described, Message, Transport, symbol, uint, ulong

from emulators.event_hubs.sasl import SASL_HEADER
from tests.integration.event_hubs.conftest import POLICY

NAMESPACE = "local.servicebus.windows.net"
BEGIN, ATTACH, TRANSFER, DISPOSITION, DETACH = 0x11, 0x12, 0x14, 0x15, 0x16
SOURCE, TARGET, ERROR, SETTLED, TAG = 5, 6, 2, 4, 2
LET_IN, TURNED_AWAY = 0, 1


def encoded(code, *fields):
    data = Data()
    data.put_object(Described(ulong(code), list(fields)))
    return bytes(data.encode())


def signature(policy=POLICY, key=None, hub="trades"):
    resource, expires = f"amqps://{NAMESPACE}/{hub}", int(time.time()) + 3600
    signed = f"{quote_plus(resource)}\n{expires}".encode()
    digest = base64.b64encode(hmac.new((key or policy.key).encode(), signed, hashlib.sha256).digest()).decode()
    return "SharedAccessSignature " + urlencode({"sr": resource, "sig": digest, "se": expires, "skn": policy.name})


class BareClient:
    """Logs in by SASL as it is told, then speaks AMQP; keeps each frame that comes: (code, fields)."""

    def __init__(self, address, mechanism="MSSBCBS", response=None):
        self._socket = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 5)
        init = encoded(0x41, symbol(mechanism), response)
        self._socket.sendall(SASL_HEADER + (len(init) + 8).to_bytes(4) + b"\x02\x01\x00\x00" + init)
        assert self._read_exactly(8) == SASL_HEADER
        self._unread = b""
        self.mechanisms = [str(name) for name in self._read_frame()[1][0].elements]
        self.code = self._read_frame()[1][0]
        self.frames = []
        self._transport, self._connection, self._collector = Transport(), Connection(), Collector()
        self._connection.hostname, self._connection.container = NAMESPACE, "bare"
        self._connection.collect(self._collector)
        self._transport.bind(self._connection)
        self._connection.open()
        self._session = self._connection.session()
        self._session.open()

    def close(self):
        self._socket.close()

    def sender(self, address):
        return self._link(self._session.sender(f"to {address}"), address)

    def receiver(self, address, selector=None, credit=0):
        link = self._session.receiver(f"from {address}")
        if selector:
            link.source.filter.put_object({symbol("apache.org:selector-filter:string"): selector})
        self._link(link, address)
        link.flow(credit)
        return link

    def pump(self, until):
        """Exchange bytes until something holds; fails after five seconds of silence."""
        self._write()
        while not until():
            data = self._socket.recv(4096)
            assert data, "the hub has closed the connection"
            self._keep(data)
            self._transport.push(data)
            while self._collector.peek():
                self._collector.pop()
            self._write()

    def is_turned_out(self):
        return self._socket.recv(1) == b""

    def attach_by_hand(self, *fields):
        """Send an attach with fields that proton's own links can't have, and wait for the link's end."""
        self.pump(lambda: self.came(BEGIN))
        body = encoded(ATTACH, *fields)
        self._socket.sendall((len(body) + 8).to_bytes(4) + b"\x02\x00\x00\x00" + body)
        while not self.came(DETACH):
            self._keep(self._socket.recv(4096))

    def came(self, code):
        return [fields for kind, fields in self.frames if kind == code]

    def _link(self, link, address):
        link.source.address = link.target.address = address
        link.open()
        return link

    def _write(self):
        while (pending := self._transport.pending()) > 0:
            self._socket.sendall(self._transport.peek(pending))
            self._transport.pop(pending)

    def _keep(self, data):
        self._unread += data
        while len(self._unread) >= 8:
            size = 8 if self._unread.startswith(b"AMQP") else int.from_bytes(self._unread[:4])
            if len(self._unread) < size:
                return
            frame, self._unread = self._unread[:size], self._unread[size:]
            if not frame.startswith(b"AMQP") and size > 8:
                self.frames.append(_decoded(frame[8:]))

    def _read_exactly(self, size):
        data = b""
        while len(data) < size:
            data += self._socket.recv(size - len(data))
        return data

    def _read_frame(self):
        head = self._read_exactly(8)
        return _decoded(self._read_exactly(int.from_bytes(head[:4]) - 8))


def _decoded(body):
    data = Data()
    data.decode(body)
    data.rewind()
    data.next()
    found = data.get_object()
    return int(found.descriptor), [bytes(one) if isinstance(one, memoryview) else one for one in found.value]


@pytest.fixture
def connect(hub):
    clients = []

    def connected(*login):
        clients.append(BareClient(hub.addresses["amqp"], *login))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def ask(client, links, token, number=1):
    """Ask $management for the properties of hub `trades`; returns status and body."""
    sender, receiver = links
    properties = {"operation": "READ", "name": "trades", "type": "com.microsoft:eventhub"}
    token = {} if token is None else {"security_token": token}
    before = len(client.came(TRANSFER))
    receiver.flow(1)
    client.pump(lambda: sender.credit)
    sender.send(Message(id=f"request {number}", properties=properties | token))
    client.pump(lambda: len(client.came(TRANSFER)) > before)
    answer = Message()
    answer.decode(receiver.recv(receiver.current.pending))
    receiver.advance()
    return answer.properties["status-code"], answer


@pytest.fixture
def management(connect):
    client = connect()
    return client, (client.sender("$management"), client.receiver("$management"))


def test_a_client_that_knows_no_mechanism_but_mssbcbs_is_let_in(connect):
    client = connect("MSSBCBS")

    assert client.mechanisms == ["MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL"]
    assert client.code == LET_IN


def test_a_token_within_the_request_is_enough_for_management_each_time(management):
    client, links = management

    first, second = (ask(client, links, signature(), number) for number in (1, 2))

    assert [status for status, _ in (first, second)] == [200, 200]
    assert [answer.correlation_id for _, answer in (first, second)] == ["request 1", "request 2"]
    assert first[1].body["name"] == "trades"


def test_a_request_is_settled_before_its_answer_comes(management):
    client, links = management

    for number in (1, 2):
        ask(client, links, signature(), number)

    order = [code for code, _ in client.frames if code in {DISPOSITION, TRANSFER}]
    assert order == [DISPOSITION, TRANSFER] * 2


@pytest.mark.parametrize(
    ("token", "named"),
    [
        (None, "No token was put"),
        (signature(key="wrong"), "does not match its key"),
        (signature(hub="single"), "not for"),
        ("eyJ.no.jwt", "JWT is not valid"),
    ],
    ids=["none", "wrong key", "another hub", "no JWT"],
)
def test_a_request_without_a_token_that_holds_is_refused(management, token, named):
    status, answer = ask(*management, token)

    assert (status, answer.properties["error-condition"]) == (401, "amqp:unauthorized-access")
    assert named in answer.properties["status-description"]


def test_a_token_within_a_request_opens_no_link_to_the_hub(management):
    client, links = management
    ask(client, links, signature())

    client.sender("trades")
    client.pump(lambda: client.came(DETACH))

    assert client.came(DETACH)[0][ERROR].value[0] == "amqp:unauthorized-access"


def test_plain_with_a_policys_key_is_a_login_for_its_whole_namespace(connect):
    client = connect("PLAIN", b"\0root\0" + POLICY.key.encode())

    sender = client.sender("trades/Partitions/0")
    client.pump(lambda: sender.credit)

    assert client.code == LET_IN


def test_plain_does_not_give_more_than_the_policy_has(connect):
    client = connect("PLAIN", b"\0shy\0k2")

    client.sender("trades")
    client.pump(lambda: client.came(DETACH))

    assert "Policy shy may not send" in client.came(DETACH)[0][ERROR].value[1]


def test_plain_with_a_wrong_key_is_turned_away(connect):
    client = connect("PLAIN", b"\0root\0wrong")

    assert client.code == TURNED_AWAY
    assert client.is_turned_out()


def test_the_tags_of_settled_deliveries_do_not_come_again_while_any_client_may_have_them(connect, hub):
    with hub.plain_producer("single") as producer:
        producer.send_batch([EventData(b"x") for _ in range(3000)], timeout=10)
    client = connect("PLAIN", b"\0root\0" + POLICY.key.encode())
    selector = f"amqp.annotation.x-opt-sequence-number > {hub.partition('single')['last_sequence_number'] - 3000}"

    client.receiver("single/ConsumerGroups/$Default/Partitions/0", selector, credit=3000)
    client.pump(lambda: len(client.came(TRANSFER)) == 3000)

    assert len({fields[TAG] for fields in client.came(TRANSFER)}) == 3000
    assert {fields[SETTLED] for fields in client.came(TRANSFER)} == {True}


@pytest.mark.parametrize("kind", ["sender", "receiver"])
def test_a_link_that_is_refused_is_attached_without_its_own_end_and_then_detached_with_the_reason(connect, kind):
    client = connect("PLAIN", b"\0root\0" + POLICY.key.encode())

    getattr(client, kind)(
        "trades/ConsumerGroups/$Default/Partitions/9" if kind == "receiver" else "trades/Partitions/9"
    )
    client.pump(lambda: client.came(DETACH))

    attach, detach = client.came(ATTACH)[0], client.came(DETACH)[0]
    own, other = (SOURCE, TARGET) if kind == "receiver" else (TARGET, SOURCE)
    assert (attach[own] is None, attach[other] is None) == (True, False)
    assert detach[1] is True
    assert detach[ERROR].value[0] == "com.microsoft:argument-out-of-range"
    assert "'9' is invalid" in detach[ERROR].value[1]


def test_a_publisher_that_wants_its_repeats_to_be_found_out_is_refused_by_name(connect):
    client = connect("PLAIN", b"\0root\0" + POLICY.key.encode())
    source, target = (Described(ulong(code), ["trades/Partitions/0"]) for code in (0x28, 0x29))
    wanted = Array(UNDESCRIBED, Data.SYMBOL, "com.microsoft:georeplication", "com.microsoft:idempotent-producer")

    client.attach_by_hand("mine", uint(0), False, None, None, source, target, None, None, uint(0), None, None, wanted)

    assert client.came(DETACH)[0][ERROR].value[0] == "amqp:not-implemented"
    assert "com.microsoft:idempotent-producer" in client.came(DETACH)[0][ERROR].value[1]
