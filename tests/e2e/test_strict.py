"""An app with keys, a wrong client secret and a product that its venue does not know."""

from dataclasses import replace
from datetime import datetime

import pytest
import requests

from tests.e2e.running_app import Grid, running_app, secrets_in_logs

FEEDS = ("trades", "payments")
WRONG_SECRET = "canary-not-the-secret-of-any-client"
_SETTINGS = {
    "TRADES_SOURCES": "coinbase:XX-YY",
    "TRADES_SLICE_LENGTH": "00:00:30",
    "TRADES_LEAD": "00:00:03",
    "PAYMENTS_LEAD": "00:00:03",
    "EVENT_HUBS__clientSecret": WRONG_SECRET,
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    grid = Grid.never()
    settings = _SETTINGS | grid.settings(("TRADES", "PAYMENTS"))
    arguments = {"functions": ["--enable-auth"]}
    with running_app(tmp_path_factory.mktemp("e2e") / "strict", grid, settings, arguments=arguments) as started:
        yield replace(started, key=started.keys().function)


@pytest.fixture(scope="module")
def windows(strict):
    ids = strict.open(*FEEDS, seconds=60)
    return {feed: strict.ended(one) for feed, one in zip(FEEDS, ids, strict=True)}


@pytest.mark.parametrize(
    "path", ["/api/windows", "/api/windows/trades-20200101T000000Z", "/api/metrics?table=trades", "/admin/host/status"]
)
@pytest.mark.parametrize("key", ["", "not-a-key"])
def test_without_its_key_nothing_answers_but_401(strict, path, key):
    answer = strict.call("GET", path, key=key)

    assert (answer.status_code, answer.content) == (401, b"")


def test_function_key_opens_functions_by_header_or_query_but_not_the_host(strict):
    assert strict.call("GET", "/api/windows").status_code == 200
    assert requests.get(f"{strict.url}/api/windows?code={strict.key}", timeout=30).status_code == 200
    assert strict.call("GET", "/admin/host/status").status_code == 401
    assert strict.call("GET", "/admin/host/status", key=strict.keys().master).status_code == 200


def test_a_window_whose_only_product_its_venue_does_not_list_fails_and_says_so(windows):
    assert windows["trades"]["state"] == "failed"
    assert "coinbase does not list XX-YY" in windows["trades"]["reason"]


@pytest.mark.parametrize("feed", FEEDS)
def test_window_that_must_fail_does_not_wait_for_its_end(windows, feed):
    closed = datetime.fromisoformat(windows[feed]["closed_at"])

    assert closed < datetime.fromisoformat(windows[feed]["end"])


def test_no_slice_of_a_refused_feed_is_tried_again(windows):
    rows = windows["trades"]["slices"]

    assert {(row["attempt"], row["state"]) for row in rows} == {(1, "refused")}


def test_wrong_client_secret_fails_the_window_naming_the_client(strict, windows):
    assert windows["payments"]["state"] == "failed"
    assert strict.client_id in windows["payments"]["reason"]
    assert "AADSTS7000215" in windows["payments"]["reason"]


def test_no_secret_is_in_any_log_of_the_strict_app(strict, windows):
    assert secrets_in_logs(strict, WRONG_SECRET) == []
