"""The app as the demo sees it by HTTP."""

import json
from http.server import BaseHTTPRequestHandler

import aiohttp
import pytest

from local.demo import polling
from tests.integration.local_server import served

WINDOW = {"id": "gps-20261122T120000Z", "feed": "gps", "state": "closed"}


@pytest.fixture
def app(monkeypatch):
    """An app that answers with these statuses, one after the other, and then with its window."""
    monkeypatch.setattr(polling, "_EVERY_SECONDS", 0.01)

    def answering(*statuses):
        class Answers(BaseHTTPRequestHandler):
            left = iter(statuses)

            def do_GET(self):
                status = next(self.left, 200)
                body = json.dumps({"windows": [WINDOW]} if self.path.endswith("windows") else WINDOW).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Stay quiet."""

        return served(Answers)

    return answering


async def test_an_app_whose_storage_is_away_for_a_moment_is_asked_again(app):
    with app(503, 200, 503, 503) as url:
        found = await polling.first_windows(url, ["gps"], 5, lambda _: None)
        ended = await polling.watch_until(
            url, {"gps": WINDOW | {"state": "open"}}, 5, lambda _: None, polling.have_ended
        )

    assert found == ended == {"gps": WINDOW}


async def test_another_refusal_is_told(app):
    with app(500) as url, pytest.raises(aiohttp.ClientResponseError):
        await polling.first_windows(url, ["gps"], 5, lambda _: None)


async def test_an_app_that_stays_away_is_not_waited_for_longer_than_may_be(app):
    with app(*[503] * 1000) as url, pytest.raises(TimeoutError):
        await polling.first_windows(url, ["gps"], 0.1, lambda _: None)
