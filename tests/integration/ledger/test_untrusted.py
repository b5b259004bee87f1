"""A ledger whose certificate is not trusted is not spoken to."""

import socket
import threading

import pytest

from emulators.tls import make_tls_files, server_context
from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.account import Account
from shared.clients.storage.windows import table_ledger
from shared.errors import Unavailable


@pytest.fixture
def stranger(tmp_path):
    """A TLS server whose authority is its own; counts the requests that reach it."""
    context, requests = server_context(make_tls_files(tmp_path).server), []

    def serve(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as trusted:
                    requests.append(trusted.recv(1))
            except OSError:
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}", requests
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_table_service_with_an_unknown_authority_is_refused(stranger, tmp_path):
    address, requests = stranger
    others = make_tls_files(tmp_path / "others").authority

    with pytest.raises(Unavailable, match="ledger: certificate not trusted"):
        table_ledger(Account(None, address, FakeIdentity(), str(others))).window("trades-20261122T120000Z")

    assert requests == []
