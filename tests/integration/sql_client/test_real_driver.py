"""Microsoft's own driver, as the package brings it, dials where nobody answers, where nobody speaks its protocol, and a
server that refuses it in the protocol's own way.
"""

import importlib
import socket
import ssl
from contextlib import closing

import pytest
import trustme

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql.counts import SqlCounts
from shared.clients.sql.database import sql_database
from shared.clients.sql.odbc import brought_driver
from shared.domain.failures import FailureKind
from shared.errors import Denied, LoginRefused, ServiceRefused, Unavailable
from tests.integration.sql_client.tds_server import serving

DRIVERS_WORDS = r"\[Microsoft\]\[ODBC Driver 1[78] for SQL Server\]"
ONCE = RetryPolicy(Timeouts(total=12.0, attempt=12.0, ordinary=Backoff(20.0, 20.0), throttled=Backoff(20.0, 20.0)))


@pytest.fixture(scope="module", autouse=True)
def pyodbc():
    """The module; its wheels bring no driver manager, so it can be imported only where the system has one."""
    try:
        return importlib.import_module("pyodbc")
    except ImportError as error:
        pytest.skip(f"pyodbc needs the system's unixODBC: {error}")


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """TLS of a server that the driver trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # later ones go on shaking hands outside of the protocol's packets
    authority.issue_cert("localhost").configure_cert(context)
    return context


def counts_at(port, host="127.0.0.1"):
    url = f"mssql://{host}:{port}/trades"
    return SqlCounts(sql_database(url, FakeIdentity(value="t0ken"), retry=ONCE))


def test_the_package_brings_a_driver_for_this_system():
    assert brought_driver()


def test_where_nobody_listens_the_driver_says_so_in_its_own_words():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        with pytest.raises(Unavailable, match=DRIVERS_WORDS) as caught:
            counts_at(port).of_window("w")

    assert "t0ken" not in str(caught.value)


def test_a_peer_that_never_speaks_is_left_in_time():
    with closing(socket.create_server(("127.0.0.1", 0))) as silent, pytest.raises(Unavailable, match=DRIVERS_WORDS):
        counts_at(silent.getsockname()[1]).of_window("w")


PASSING = {
    ("at_login", 4060): ('Cannot open database "trades" requested by the login.', FailureKind.UNAVAILABLE),
    ("at_login", 40613): ("Database 'trades' on server 'sql' is not currently available.", FailureKind.UNAVAILABLE),
    ("at_login", 10928): ("Resource ID : 1. The request limit for the database is 100.", FailureKind.THROTTLED),
    ("at_statement", 40613): ("Database 'trades' on server 'sql' is not currently available.", FailureKind.UNAVAILABLE),
    ("at_statement", 3906): ('Failed to update database "trades" because it is read-only.', FailureKind.UNAVAILABLE),
    ("at_statement", 6005): ("SHUTDOWN is in progress.", FailureKind.UNAVAILABLE),
    ("at_statement", 40501): ("The service is currently busy.", FailureKind.THROTTLED),
}
FINAL = {
    ("at_login", 18456): ("Login failed for user '<token-identified principal>'.", LoginRefused),
    ("at_login", 40615): ("Cannot open server 'sql' requested by the login.", Denied),
    ("at_statement", 229): ("The SELECT permission was denied on the object 'window_counts'.", Denied),
    ("at_statement", 208): ("Invalid object name 'dbo.window_counts'.", ServiceRefused),
}


@pytest.mark.parametrize(("point", "number"), PASSING)
def test_what_a_server_says_in_passing_is_known_by_the_number_that_the_driver_hands_on(trusted, point, number):
    words, kind = PASSING[point, number]

    with serving(trusted, **{point: (number, words)}) as server, pytest.raises(Unavailable) as caught:
        counts_at(server.port, "localhost").of_window("w")

    assert caught.value.kind is kind
    assert words in str(caught.value)


@pytest.mark.parametrize(("point", "number"), FINAL)
def test_what_a_server_says_for_good_is_known_by_the_number_that_the_driver_hands_on(trusted, point, number):
    words, error = FINAL[point, number]

    with serving(trusted, **{point: (number, words)}) as server, pytest.raises(error, match=DRIVERS_WORDS):
        counts_at(server.port, "localhost").of_window("w")


def test_the_server_is_handed_the_token(trusted):
    with serving(trusted, at_login=(18456, "Login failed.")) as server, pytest.raises(LoginRefused):
        counts_at(server.port, "localhost").of_window("w")

    assert "t0ken".encode("utf-16-le") in server.logins[0]


def test_a_server_that_nobody_vouches_for_gets_no_token(trusted, monkeypatch, tmp_path):
    other = trustme.CA()
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))

    with serving(trusted, at_login=(18456, "Login failed.")) as server, pytest.raises(Unavailable, match="certificate"):
        counts_at(server.port, "localhost").of_window("w")

    assert server.logins == []
