"""The contract of assets: what holds for the exchange's service must hold for the fake; and what a service may do."""

import json
import time

import pytest
import requests

from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.coincap.assets import CoinCapAssets
from shared.clients.coincap.fake import FakeAssets
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.failures import FailureKind
from shared.errors import Unavailable
from shared.feeds.assets import count, prepare
from tests.integration.jobs_client.peer import Answer, running_peer

KEY = "key-of-the-assets"
QUICK = RetryPolicy(Timeouts(total=3.0, attempt=2.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
HALF = b'{"data": [{"id": "a"}, {"id": '


class Exchange:
    """Where the exchange is, and its faults."""

    def __init__(self, addresses, tls):
        self.addresses, self.tls = addresses, tls

    def assets(self, key=KEY, **changes):
        base = f"{self.addresses['rest']}/coincap/v3"
        return CoinCapAssets(base, key, **({"ca_bundle": str(self.tls.authority), "retry": QUICK} | changes))

    def order(self, kind, **fields):
        requests.post(f"{self.addresses['admin']}/faults", json={"kind": kind} | fields, timeout=5).raise_for_status()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    tls, key = make_tls_files(folder), folder / "key"
    key.write_text(KEY)
    named = ("--assets-count", 230, "--assets-key-file", key, "--certificate", tls.server, "--history-seconds", 1)
    with running_service("exchange", "--port", 0, "--admin-port", 0, *named, log=folder / "log") as addresses:
        yield Exchange(addresses, tls)


@pytest.fixture
def exchange(running):
    yield running
    requests.delete(f"{running.addresses['admin']}/faults", timeout=5).raise_for_status()


class Fake:
    """The fake, and how it fails."""

    def __init__(self):
        self.documents = [json.dumps({"data": [{}] * size}).encode() for size in (100, 100, 30)]
        self.failure = None

    def assets(self):
        return FakeAssets(self.documents, self.failure)

    def fail(self, kind):
        if kind == "assets_empty":
            self.documents = []
        else:
            self.documents, self.failure = self.documents[:1], Unavailable("The service of assets stopped.")


class Real:
    """The client of the exchange's service of assets, and how that fails."""

    def __init__(self, exchange):
        self._exchange = exchange

    def assets(self):
        return self._exchange.assets(page=100)

    def fail(self, kind):
        self._exchange.order(kind, count=1_000)


@pytest.fixture(params=["fake", "exchange"])
def side(request):
    return Fake() if request.param == "fake" else Real(request.getfixturevalue("exchange"))


def test_all_assets_are_read_page_by_page(side):
    pages = list(side.assets().pages(20.0))

    assert [count(page) for page in pages] == [100, 100, 30]


@pytest.mark.parametrize(("kind", "why"), [("assets_down", "service of assets"), ("assets_empty", "no assets at all")])
def test_a_service_that_does_not_give_all_is_unavailable(side, kind, why):
    side.fail(kind)

    with pytest.raises(Unavailable, match=why):
        list(side.assets().pages(1.0))


def test_the_lookup_of_the_pages_is_that_of_the_whole(exchange):
    paged, whole = (prepare(exchange.assets(page=size).pages(20.0)) for size in (50, 2000))

    assert paged.table.equals(whole.table)
    assert whole.read == 230
    assert 0 < len(whole.table) < 230
    assert "BTC" in whole.table["symbol"].to_pylist()


@pytest.mark.parametrize("kind", ["assets_down", "assets_half", "assets_not_json"])
def test_a_page_that_comes_wrong_is_asked_for_again(exchange, kind):
    exchange.order(kind, count=2)

    assert [count(page) for page in exchange.assets().pages(20.0)] == [230]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("assets_down", "answered 500"),
        ("assets_half", "stopped in the middle"),
        ("assets_not_json", "can't be read: no page of assets"),
        ("assets_empty", "no assets at all"),
    ],
)
def test_a_service_that_stays_wrong_is_unavailable_and_says_why(exchange, kind, why):
    exchange.order(kind, count=1_000)

    with pytest.raises(Unavailable, match=why):
        list(exchange.assets().pages(1.0))


def test_a_wrong_key_is_unavailable_at_once_and_not_repeated_in_the_message(exchange):
    began = time.monotonic()

    with pytest.raises(Unavailable, match=r"403.*API key is not valid") as caught:
        list(exchange.assets("another-key").pages(20.0))

    assert caught.value.kind is FailureKind.UNAUTHORIZED
    assert "another-key" not in str(caught.value)
    assert time.monotonic() - began < 2


def test_a_service_that_is_too_slow_is_given_up_at_the_deadline(exchange):
    exchange.order("assets_slow", seconds=5)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        list(exchange.assets().pages(0.5))

    assert time.monotonic() - began < 2


def test_a_service_that_breaks_off_after_a_page_is_no_whole():
    full = json.dumps({"data": [{"id": "a"}]}).encode()

    with running_peer(Answer(body=full), Answer(body=HALF)) as peer:
        pages = CoinCapAssets(peer.url, KEY, retry=QUICK, page=1).pages(0.5)
        assert next(pages) == full
        with pytest.raises(Unavailable, match="30 bytes that can't be read"):
            next(pages)

    assert peer.asked[1][1] == "/assets?limit=1&offset=1"


def test_pages_without_end_are_given_up_at_the_deadline():
    with running_peer(Answer(body=b'{"data": [{}]}')) as peer, pytest.raises(Unavailable, match="was not done"):
        list(CoinCapAssets(peer.url, KEY, retry=QUICK, page=1).pages(0.3))


def test_too_many_requests_are_waited_for():
    busy = Answer(429, headers={"Retry-After": "0.2"})
    with running_peer(busy, Answer(body=b'{"data": [{}]}')) as peer:
        assert list(CoinCapAssets(peer.url, KEY, retry=QUICK).pages(5.0)) == [b'{"data": [{}]}']

    assert len(peer.asked) == 2
