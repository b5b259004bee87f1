"""The contract of the topic: what holds for the local Event Grid must hold for the fake; and what a topic may do."""

import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest
import requests

from emulators.entra.identities import make_identities, write_identities
from emulators.key_files import make_key, write_key
from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.event_grid.fake import FakeTopic
from shared.clients.event_grid.topic import EventGridTopic
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.failures import FailureKind
from shared.domain.windows.announcement import closing, opening, window_of
from shared.domain.windows.window import Window
from shared.errors import LoginRefused, Unavailable
from tests.integration.jobs_client.peer import Answer, running_peer

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window("trades", TEN, TEN + timedelta(hours=1))
QUICK = RetryPolicy(Timeouts(total=2.0, attempt=1.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))


class Grid:
    """The running Event Grid, and the ways to log in to it."""

    def __init__(self, addresses, entra, identities, key, tls):
        self.addresses, self.key, self.tls = addresses, key, tls
        who = identities.client_in_role("Sender")
        self.login = ServicePrincipal(
            identities.tenant, who.client_id, who.secret, entra["authority"], ca_bundle=str(tls.authority)
        )

    def topic(self, login=None):
        bundle = str(self.tls.authority)
        return EventGridTopic(self.addresses["topic"], login or self.key, ca_bundle=bundle, retry=QUICK)

    def identity(self, **changes):
        return make_identity(replace(self.login, **changes))

    def admin(self, method, path, body=None):
        answer = requests.request(method, self.addresses["admin"] + path, json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def accepted(self):
        return [event["event"]["id"] for event in self.admin("GET", "/events")["events"]]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("topic")
    tls, identities, key = make_tls_files(folder), make_identities(), make_key()
    write_identities(identities, folder / "identities.json")
    write_key(key, folder / "key")
    shown = ("--certificate", tls.server, "--identities", folder / "identities.json")
    with running_service("entra", "--port", 0, *shown) as entra:
        trust = ("--issuer", entra["issuer"], "--ca", tls.authority, "--key-file", folder / "key")
        with running_service(
            "event_grid", "--port", 0, "--admin-port", 0, *shown, *trust, log=folder / "log"
        ) as addresses:
            yield Grid(addresses, entra, identities, key, tls)


@pytest.fixture
def grid(running):
    yield running
    running.admin("DELETE", "/faults")


@pytest.fixture(params=["fake", "key", "identity"])
def topic(request):
    """A topic, and what gives the ids of the events that it took."""
    if request.param == "fake":
        fake = FakeTopic()
        return fake, lambda: [announcement.id for announcement in fake.published]
    grid = request.getfixturevalue("grid")
    return grid.topic(grid.identity() if request.param == "identity" else None), grid.accepted


def test_what_is_published_arrives_in_order(topic):
    topic, accepted = topic
    before = len(accepted())

    topic.publish(opening(WINDOW))
    topic.publish(closing(WINDOW, WINDOW.end, "closed", {"trades": {"read": 1}}))

    assert accepted()[before:] == [WINDOW.id, f"{WINDOW.id}/closed"]


def test_a_repetition_is_published_again(topic):
    topic, accepted = topic
    before = len(accepted())

    for _ in range(2):
        topic.publish(opening(WINDOW))

    assert accepted()[before:] == [WINDOW.id] * 2


@pytest.fixture(params=["fake", "key"])
def failing(request):
    """A topic that fails in one way or the other."""
    if request.param == "fake":
        errors = {
            "down": Unavailable("The topic answered 503.", throttled=True),
            "denied": LoginRefused("The topic answered 401 (Unauthorized)."),
        }
        return lambda how: FakeTopic(failure=errors[how])
    grid = request.getfixturevalue("grid")

    def topic(how):
        if how == "denied":
            return grid.topic("a-wrong-key")
        grid.admin("POST", "/faults", {"kind": "topic_down", "seconds": 60})
        return grid.topic()

    return topic


@pytest.mark.parametrize(
    ("how", "error", "why", "kind"),
    [
        ("down", Unavailable, "503", FailureKind.THROTTLED),
        ("denied", LoginRefused, "401", FailureKind.UNAUTHORIZED),
    ],
)
def test_a_topic_that_is_down_or_denies_access_says_so(failing, how, error, why, kind):
    with pytest.raises(error, match=why) as caught:
        failing(how).publish(opening(WINDOW))

    assert caught.value.kind is kind


def test_an_event_has_the_form_that_the_receiving_side_reads():
    with running_peer(Answer(body=b"")) as peer:
        EventGridTopic(f"{peer.url}/api/events", "the-key", retry=QUICK).publish(opening(WINDOW))

    (method, path, headers, body) = peer.asked[0]
    event = json.loads(body)[0]
    assert (method, path.partition("?")[0], headers["aeg-sas-key"]) == ("POST", "/api/events", "the-key")
    assert (event["id"], event["eventType"], event["subject"]) == (WINDOW.id, "ADF_Event", "ADF_Trigger_Trades")
    assert (event["dataVersion"], event["data"]["start"]) == ("1.0", "2026-11-22T10:00:00+00:00")
    assert datetime.fromisoformat(event["eventTime"]) == TEN
    assert window_of(event) == WINDOW.id


def test_a_topic_that_is_down_for_a_moment_is_asked_again(grid):
    grid.admin("POST", "/faults", {"kind": "topic_down", "seconds": 0.3})

    grid.topic().publish(opening(WINDOW))


def test_a_topic_that_stays_down_is_unavailable_in_time(grid):
    grid.admin("POST", "/faults", {"kind": "topic_down", "seconds": 60})
    began = time.monotonic()

    with pytest.raises(Unavailable, match="503"):
        grid.topic().publish(opening(WINDOW))

    assert time.monotonic() - began < 4


def test_a_wrong_key_is_a_refused_login_that_does_not_show_it(grid):
    with pytest.raises(LoginRefused, match="to its key") as caught:
        grid.topic("a-wrong-key").publish(opening(WINDOW))

    assert "a-wrong-key" not in str(caught.value)


def test_an_identity_that_gets_no_token_is_refused_by_name(grid):
    identity = grid.identity(client_secret="another")

    with pytest.raises(LoginRefused, match=grid.login.client_id):
        grid.topic(identity).publish(opening(WINDOW))


def test_the_identity_is_asked_for_a_token_of_event_grid():
    identity = FakeIdentity(refusal="expired")

    with pytest.raises(LoginRefused, match="expired"):
        EventGridTopic("https://topic.example/api/events", identity, retry=QUICK).publish(opening(WINDOW))

    assert identity.scopes == ["https://eventgrid.azure.net/.default"]


@pytest.mark.parametrize("wait", [lambda: "960", lambda: formatdate(time.time() + 960, usegmt=True)], ids=["s", "date"])
def test_a_wait_that_does_not_fit_is_told_whatever_its_length_and_form(wait):
    busy = Answer(429, b"", {"Retry-After": wait()})

    with running_peer(busy) as peer, pytest.raises(Unavailable, match="429") as caught:
        EventGridTopic(f"{peer.url}/api/events", "the-key", retry=QUICK).publish(opening(WINDOW))

    assert caught.value.kind is FailureKind.THROTTLED
    assert 950 < caught.value.retry_after <= 960
    assert len(peer.asked) == 1


@pytest.mark.parametrize(("status", "error"), [(400, Unavailable), (404, Unavailable), (403, LoginRefused)])
def test_what_no_repetition_changes_is_sent_once(status, error):
    with running_peer(Answer(status, b"")) as peer, pytest.raises(error, match=f"answered {status}"):
        EventGridTopic(f"{peer.url}/api/events", "the-key", retry=QUICK).publish(opening(WINDOW))

    assert len(peer.asked) == 1


def test_a_busy_or_broken_topic_is_asked_again():
    answers = (Answer(429, b"", {"Retry-After": "0.1"}), Answer(500, b""), Answer(hang_up=True), Answer(body=b""))
    with running_peer(*answers) as peer:
        EventGridTopic(f"{peer.url}/api/events", "the-key", retry=QUICK).publish(opening(WINDOW))

    assert len(peer.asked) == 4


def test_a_certificate_that_is_not_trusted_is_unavailable(grid, tmp_path):
    other = str(make_tls_files(tmp_path).authority)

    with pytest.raises(Unavailable, match="CA_BUNDLE"):
        EventGridTopic(grid.addresses["topic"], grid.key, ca_bundle=other, retry=QUICK).publish(opening(WINDOW))


def test_neither_key_nor_token_is_logged(grid, caplog):
    caplog.set_level(logging.DEBUG)
    identity = grid.identity()

    grid.topic().publish(opening(WINDOW))
    grid.topic(identity).publish(opening(WINDOW))

    assert grid.key not in caplog.text
    assert identity.token("https://eventgrid.azure.net/.default").value not in caplog.text
