"""A server that speaks as much of SQL Server's protocol (MS-TDS 7.4) as it takes to be logged in to, and to refuse.

It answers the login, or the first statement after it, with one error. TLS is handshaken inside of TDS packets, as
`Encrypt=yes` has it.
"""

import socket
import ssl
import struct
import threading
from contextlib import contextmanager, suppress

PRELOGIN, ANSWER = 0x12, 0x04
HEADER, LAST = struct.Struct(">BBHHBB"), 0x01
ENCRYPT_ON = (0x01, b"\x01")
FED_AUTH = (0x06, b"\x01")
VERSION = (0x00, b"\x10\x00\x03\xe8\x00\x00")
DONE_WITH_ERROR, DONE = struct.pack("<BHHQ", 0xFD, 2, 0, 0), struct.pack("<BHHQ", 0xFD, 0, 0, 0)
LOGIN_ACK = b"\x01\x74\x00\x00\x04" + b"\x01S\x00" + b"\x10\x00\x03\xe8"
FED_AUTH_ACK = b"\xae\x02" + struct.pack("<I", 0) + b"\xff"


def packet(kind, body):
    return HEADER.pack(kind, LAST, HEADER.size + len(body), 0, 1, 0) + body


def prelogin_answer():
    options, values, at = b"", b"", 5 * 3 + 1
    for kind, value in (VERSION, ENCRYPT_ON, FED_AUTH):
        options += struct.pack(">BHH", kind, at + len(values), len(value))
        values += value
    return packet(ANSWER, options + b"\xff" + values)


def refusal(number, words):
    """Write an error of severity 14, in line 1 of no procedure of the server S."""
    text = words.encode("utf-16-le")
    inner = struct.pack("<IBBH", number, 1, 14, len(words)) + text + b"\x01S\x00" + b"\x00" + struct.pack("<I", 1)
    return packet(ANSWER, struct.pack("<BH", 0xAA, len(inner)) + inner + DONE_WITH_ERROR)


def accepted():
    return packet(ANSWER, struct.pack("<BH", 0xAD, len(LOGIN_ACK)) + LOGIN_ACK + FED_AUTH_ACK + DONE)


class Peer:
    """One connection of a client."""

    def __init__(self, connection, context):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def exactly(self, size):
        read = b""
        while len(read) < size:
            read += self.connection.recv(size - len(read)) or self.gone()
        return read

    def plain(self):
        """Read one packet that is not encrypted."""
        _, _, length, *_ = HEADER.unpack(self.exactly(HEADER.size))
        return self.exactly(length - HEADER.size)

    def handshake(self):
        self.plain()
        self.connection.sendall(prelogin_answer())
        while True:
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                break
            self.flush(inside_packets=True)
            self.incoming.write(self.plain())
        self.flush(inside_packets=True)

    def flush(self, *, inside_packets=False):
        sent = self.outgoing.read()
        if sent:
            self.connection.sendall(packet(PRELOGIN, sent) if inside_packets else sent)

    def message(self):
        """Read one message of one or more encrypted packets."""
        read = b""
        while True:
            _, status, length, *_ = HEADER.unpack(self.decrypted(HEADER.size))
            read += self.decrypted(length - HEADER.size)
            if status & LAST:
                return read

    def decrypted(self, size):
        read = b""
        while len(read) < size:
            with suppress(ssl.SSLWantReadError):
                read += self.tls.read(size - len(read)) or self.gone()
                continue
            self.incoming.write(self.connection.recv(65_536) or self.gone())
        return read

    def answer(self, body):
        self.tls.write(body)
        self.flush()

    def gone(self):
        raise ConnectionError("the client is gone")


class Server:
    """What is answered, and what was seen."""

    def __init__(self, context, *, at_login=None, at_statement=None):
        self.context, self.at_login, self.at_statement = context, at_login, at_statement
        self.logins = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def serve(self):
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                with connection, suppress(OSError):
                    self._talk(Peer(connection, self.context))

    def _talk(self, peer):
        peer.handshake()
        self.logins.append(peer.message())
        if self.at_login:
            peer.answer(refusal(*self.at_login))
            return
        peer.answer(accepted())
        while True:
            peer.message()
            peer.answer(refusal(*self.at_statement))


@contextmanager
def serving(context, **answers):
    """Serve until the block is left."""
    server = Server(context, **answers)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.listening.shutdown(socket.SHUT_RDWR)
        server.listening.close()
        thread.join(5)
