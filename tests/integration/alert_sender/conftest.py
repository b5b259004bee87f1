"""A Logic App's host as the app's client meets it: TLS with an authority of the tests' own, at a port of 127.0.0.1."""

import contextlib
import ssl
from datetime import UTC, datetime

import pytest
import trustme

from shared.clients.logic_app.alert_sender import LogicApp
from shared.domain.volumes.alert import Alert
from shared.domain.volumes.alert_address import alert_url
from tests.integration.alert_sender.peer import running_peer

HOST = "prod-1.westeurope.logic.azure.com"
TARGET = "/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=CANARY-SIGNATURE"


def an_alert(run="run-1", **body):
    alert_id = f"trades:{run}:alert"
    body = {"alert_id": alert_id, "message": "Too few rows – see window."} | body
    return Alert(alert_id, "ingestion", "alert", "trades", "low", body, datetime(2026, 11, 22, 10, tzinfo=UTC))


class Place:
    """Makes peers and clients that trust the same authority."""

    def __init__(self, authority, bundle):
        self._authority, self.bundle = authority, bundle

    def tls(self, *names):
        def make():
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._authority.issue_cert(*(names or (HOST,))).configure_cert(context)
            return context

        return make

    def peer(self, *behaviours, names=()):
        return running_peer(self.tls(*names), *behaviours)

    def sender(self, peer, **changed):
        url = alert_url(f"https://{HOST}:{peer.port}{TARGET}", hosts=["*.logic.azure.com"], loopback=True)
        options = {"ca_bundle": self.bundle, "resolve": lambda *_: ["127.0.0.1"]} | changed
        return LogicApp({"ingestion": url}, **options)


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    authority, bundle = trustme.CA(), tmp_path_factory.mktemp("alert_sender") / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    return Place(authority, str(bundle))


@pytest.fixture
def stack():
    with contextlib.ExitStack() as opened:
        yield opened
