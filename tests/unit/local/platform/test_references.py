"""What an app is asked to write as soon as it runs."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from emulators.functions_host.keys import read_keys
from local.platform.references import TIMERS, ask_for_references
from tests.integration.local_server import served


class App(BaseHTTPRequestHandler):
    """Answers each timer with its status, and keeps what was asked."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path.rpartition("/")[2], self.headers["x-functions-key"]))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_):
        """Stay quiet."""


@pytest.fixture
def ask(running):
    def asked(status):
        handler = type("Answering", (App,), {"asked": [], "status": status})
        running.state.folder.mkdir(exist_ok=True)
        with served(handler) as url:
            ask_for_references(replace(running, addresses={**running.addresses, "functions": {"http": url}}))
        return handler.asked

    return asked


def test_each_timer_is_run_with_the_key_that_a_strict_host_asks_for(ask, running):
    asked = ask(202)

    key = read_keys(running.state.functions).master
    assert asked == [(timer, key) for timer in TIMERS]


def test_an_app_without_these_timers_is_left_alone(ask):
    assert len(ask(404)) == len(TIMERS)


def test_an_app_that_refuses_is_told_of(ask):
    with pytest.raises(requests.HTTPError):
        ask(401)


def test_where_no_app_runs_nothing_is_asked(running):
    ask_for_references(running)

    assert not running.state.folder.exists()
