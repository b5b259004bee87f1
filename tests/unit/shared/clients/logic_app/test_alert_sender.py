import socket
from datetime import UTC, datetime

import pytest

from shared.clients.checked_posts import resolve
from shared.clients.logic_app.alert_sender import LogicApp
from shared.clients.logic_app.fake import FakeLogicApp
from shared.domain.volumes.alert import Alert
from shared.domain.volumes.alert_address import AlertUrl, alert_url
from shared.errors import Unavailable
from tests.hostile_urls import HOSTILE_ADDRESSES, HOSTILE_URLS, HOSTS

NAME = "https://prod-1.westeurope.logic.azure.com/workflows/1?sig=CANARY-SIGNATURE"
ALERT = Alert("trades:run-1:alert", "ingestion", "alert", "trades", "low", {}, datetime(2026, 11, 22, tzinfo=UTC))
PUBLIC = "20.50.1.2"


class Network:
    """Answers each question for addresses in turn, and connects to nothing; keeps what it was asked."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.resolved, self.dialled = [], []

    def resolve(self, host, port):
        self.resolved.append((host, port))
        return self._answers.pop(0)

    def dial(self, address, seconds):
        self.dialled.append(address)
        raise ConnectionRefusedError

    def sender(self, text=NAME, **checks):
        url = alert_url(text, **{"hosts": HOSTS} | checks)
        return LogicApp({"ingestion": url}, resolve=self.resolve, dial=self.dial)


def refusal(sender):
    with pytest.raises(Unavailable) as caught:
        sender.send(ALERT)
    return str(caught.value)


@pytest.mark.parametrize("text", HOSTILE_URLS)
def test_for_a_hostile_url_nobody_is_resolved_or_dialled(text):
    network = Network([PUBLIC])

    with pytest.raises(ValueError, match="must"):
        network.sender(text).send(ALERT)

    assert (network.resolved, network.dialled) == ([], [])


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_an_allowed_name_that_leads_to_an_address_that_is_not_public_is_not_dialled(address):
    network = Network([address])

    words = refusal(network.sender())

    assert "not public" in words
    assert "CANARY" not in words
    assert network.dialled == []


def test_one_address_that_is_not_public_spoils_all_the_others():
    network = Network([PUBLIC, "10.0.0.4"])

    refusal(network.sender())

    assert network.dialled == []


def test_a_resolver_that_rebinds_is_asked_once_and_its_second_answer_is_never_seen():
    network = Network([PUBLIC], ["169.254.169.254"])

    refusal(network.sender())

    assert network.resolved == [("prod-1.westeurope.logic.azure.com", 443)]
    assert network.dialled == [(PUBLIC, 443)]


def test_every_address_is_tried_where_none_accepts():
    network = Network([PUBLIC, "2603:1020:201::1"])

    assert "can't be reached" in refusal(network.sender())

    assert network.dialled == [(PUBLIC, 443), ("2603:1020:201::1", 443)]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_is_dialled_where_it_is_allowed(address):
    network = Network([address])

    refusal(network.sender("https://127.0.0.1:8443/x", hosts=["127.0.0.1"], loopback=True))

    assert network.dialled == [(address, 8443)]


def test_the_metadata_address_is_not_dialled_though_this_machine_is_allowed():
    network = Network(["169.254.169.254"])

    refusal(network.sender(loopback=True))

    assert network.dialled == []


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "CANARY"), UnicodeError("CANARY"), OSError("CANARY")])
def test_a_name_that_can_not_be_resolved_is_a_failure_to_be_tried_again(failure):
    def fail(*_):
        raise failure

    words = refusal(LogicApp({"ingestion": alert_url(NAME, hosts=HOSTS)}, resolve=fail))

    assert words.endswith("can't be reached or stopped in the middle of its answer.")


@pytest.mark.parametrize("answer", [[], ["garbage"]])
def test_a_resolver_without_a_proper_answer_is_a_failure(answer):
    assert "can't be reached" in refusal(Network(answer).sender())


def test_a_ca_bundle_that_can_not_be_read_is_named():
    sender = LogicApp({"ingestion": alert_url(NAME, hosts=HOSTS)}, "/nowhere.pem", resolve=lambda *_: [PUBLIC])

    assert "not called: CA_BUNDLE can't be read: No such file or directory" in refusal(sender)


def test_an_alert_without_a_recipient_names_the_setting():
    sender = LogicApp({})

    assert "set ALERT_INGESTION_URL" in refusal(sender)
    assert not sender.has_recipient("ingestion")


def test_nothing_of_the_signature_is_in_the_clients_repr():
    assert "CANARY" not in repr(LogicApp({"ingestion": AlertUrl("a.example", 443, "/?sig=CANARY")}))


def test_the_system_resolves_to_addresses_each_once(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 443))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    assert resolve("a.example", 443) == [PUBLIC]


def test_the_fake_fails_as_often_as_it_is_told():
    sender = FakeLogicApp(failures=["500"])

    assert refusal(sender) == "500"
    sender.send(ALERT)

    assert (list(sender.sent), sender.tries) == ([ALERT.id], [ALERT.id, ALERT.id])
