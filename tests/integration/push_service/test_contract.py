"""The contract of the push service: what holds for the notification hub's emulator must hold for the fake."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import requests

from emulators.key_files import make_key, write_key
from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.checked_posts import CheckedPosts
from shared.clients.kept_connections import KeptConnections
from shared.clients.notification_hubs.fake import FakePushService
from shared.clients.notification_hubs.hub import NotificationHub, PushAccess
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.failures import FailureKind
from shared.domain.notifications import Notification
from shared.domain.volumes.alert_address import alert_url
from shared.errors import Denied, DeviceGone, ServiceRefused, Unavailable

IMPATIENT = RetryPolicy(Timeouts(total=1.5, attempt=1.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))


@dataclass
class Hub:
    """The emulator, and how a client is made for it."""

    addresses: dict
    bundle: str
    key: str = field(repr=False)
    kept: KeptConnections = field(default_factory=KeptConnections)

    def client(self, key=None, address=None, retry=IMPATIENT):
        url = alert_url(address or self.addresses["hub"], hosts=["localhost"], loopback=True)
        access = PushAccess(url, "send", key or self.key)
        posts = CheckedPosts(self.bundle, resolve=lambda *_: ["127.0.0.1"], kept=self.kept)
        return NotificationHub(access, lambda: datetime.now(UTC), posts, retry)

    def fault(self, kind, **options):
        requests.post(f"{self.addresses['admin']}/faults", json={"kind": kind} | options, timeout=5).raise_for_status()

    def seen(self):
        return requests.get(f"{self.addresses['admin']}/inboxes", timeout=5).json()

    def sends(self):
        return requests.get(f"{self.addresses['admin']}/health", timeout=5).json()["sends"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder, key = tmp_path_factory.mktemp("push"), make_key()
    tls, file = make_tls_files(folder), folder / "push.key"
    write_key(key, file)
    ports = ("--port", 0, "--admin-port", 0)
    with running_service("notification_hubs", *ports, "--certificate", tls.server, "--key-file", file) as addresses:
        made = Hub(addresses, str(tls.authority), key)
        yield made
        made.kept.close()


@pytest.fixture(autouse=True)
def calm(request):
    yield
    if "hub" in request.fixturenames:
        requests.delete(f"{request.getfixturevalue('hub').addresses['admin']}/faults", timeout=5)


def a_notification(device, name="1", **changes):
    values = {"id": f"{device}/{name}", "device": device, "title": "20 % at Bakery", "text": "Brno ä"} | changes
    return Notification(**values, valid_until=datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture(params=["fake", "hub"])
def opened(request):
    """Give a service, what makes its next push fail, and the ids that a device shows."""
    if request.param == "fake":
        fake = FakePushService()
        return fake, fake.gone.add, lambda device: list(fake.inboxes.get(device, {}))
    hub = request.getfixturevalue("hub")
    leave = lambda device: hub.fault("gone", device=device)  # noqa: E731
    shown = lambda device: [one["id"] for one in hub.seen()["inboxes"].get(device, [])]  # noqa: E731
    return hub.client(), leave, shown


def test_a_notification_is_shown_once_however_often_it_is_pushed(opened):
    service, _, shown = opened

    for name in ("1", "2", "1"):
        service.push(a_notification("twice", name))

    assert shown("twice") == ["twice/1", "twice/2"]


def test_a_device_that_is_gone_is_told_of_and_shows_nothing(opened):
    service, leave, shown = opened
    leave("left")

    for _ in range(2):
        with pytest.raises(DeviceGone, match="left"):
            service.push(a_notification("left"))

    assert shown("left") == []


@pytest.mark.parametrize("kind", ["unavailable", "too_many_requests"])
def test_what_passes_is_tried_again(hub, kind):
    hub.fault(kind, count=2)

    hub.client().push(a_notification(kind))

    assert [one["id"] for one in hub.seen()["inboxes"][kind]] == [f"{kind}/1"]


def test_a_push_whose_answer_was_lost_is_shown_once(hub):
    before = hub.seen()["repeats"]
    hub.fault("lost_answer")

    hub.client().push(a_notification("lost"))

    assert len(hub.seen()["inboxes"]["lost"]) == 1
    assert hub.seen()["repeats"] == before + 1


def test_a_hub_that_wants_to_be_left_alone_is_left_alone_by_all_who_share_it(hub):
    client = hub.client()
    hub.fault("too_many_requests", retry_after=30)
    before = hub.sends()

    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            client.push(a_notification("patient"))

    assert (caught.value.kind, hub.sends() - before) == (FailureKind.THROTTLED, 1)
    assert 0 < caught.value.retry_after <= 30


def test_a_short_wait_is_obeyed_to_the_end(hub):
    retry = RetryPolicy(Timeouts(total=5.0, attempt=1.0, ordinary=Backoff(0.02), throttled=Backoff(0.02)))
    client = hub.client(retry=retry)
    hub.fault("too_many_requests", retry_after=1)
    began = retry.clock.now()

    client.push(a_notification("obeyed"))

    assert retry.clock.now() - began >= 1.0


@pytest.mark.parametrize("case", ["key", "hub", "quota"])
def test_what_an_administrator_must_mend_is_told_as_that(hub, case):
    changed = {"key": {"key": "wrong"}, "hub": {"address": hub.addresses["hub"] + "x"}, "quota": {}}[case]
    if case == "quota":
        hub.fault("quota")

    with pytest.raises(Denied, match="PUSH_URL"):
        hub.client(**changed).push(a_notification("denied"))


def test_a_notification_that_is_too_large_is_refused_for_itself(hub):
    with pytest.raises(ServiceRefused) as caught:
        hub.client().push(a_notification("large", text="x" * 70_000))

    assert caught.value.kind is FailureKind.REJECTED


def test_a_slow_hub_is_given_up_in_time(hub):
    retry = RetryPolicy(Timeouts(total=0.6, attempt=0.3, ordinary=Backoff(0.02), throttled=Backoff(0.02)))
    hub.fault("slow", seconds=1.0, count=10)

    with pytest.raises(Unavailable, match="did not answer in time"):
        hub.client(retry=retry).push(a_notification("slow"))


def test_the_key_is_shown_nowhere(hub):
    client = hub.client(key="CANARY-KEY")

    with pytest.raises(Denied) as caught:
        client.push(a_notification("canary"))

    assert "CANARY" not in f"{caught.value!r} {client!r} {caught.value.__context__!r}"
