"""Microsoft's own driver, as the package brings it, dials where nobody answers and where nobody speaks its protocol."""

import importlib
import socket
from contextlib import closing

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql.counts import SqlCounts
from shared.clients.sql.database import sql_database
from shared.clients.sql.odbc import brought_driver
from shared.errors import Unavailable

DRIVERS_WORDS = r"\[Microsoft\]\[ODBC Driver 1[78] for SQL Server\]"
ONCE = RetryPolicy(Timeouts(total=12.0, attempt=12.0, ordinary=Backoff(20.0, 20.0), throttled=Backoff(20.0, 20.0)))


@pytest.fixture(scope="module", autouse=True)
def pyodbc():
    """The module; its wheels bring no driver manager, so it can be imported only where the system has one."""
    try:
        return importlib.import_module("pyodbc")
    except ImportError as error:
        pytest.skip(f"pyodbc needs the system's unixODBC: {error}")


def counts_at(port):
    url = f"mssql://127.0.0.1:{port}/trades"
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
