"""What a JSON service may do to its caller, and what the caller makes of it."""

import gzip
import socket

import msgspec
import pytest
import requests

from emulators.tls import make_tls_files, server_context
from shared.clients.rest import Call, JsonService, ServiceRefused
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.errors import Unavailable
from tests.integration.jobs_client.peer import Answer, running_peer

QUICK = RetryPolicy(Timeouts(total=2.0, attempt=0.6, ordinary=Backoff(0.01, 0.05), throttled=Backoff(0.01, 0.05)))
TOKEN = "t0ken-of-mine"
GET = Call("GET", "/things", {"name": "a b", "limit": 3})


def ask(url, call=GET, **changes):
    service = JsonService("The service", url, retry=QUICK, **changes)
    return service.answer(call, lambda: TOKEN, msgspec.json.Decoder(dict).decode)


def test_a_request_carries_token_and_query_and_its_answer_is_read():
    with running_peer(Answer(body=b'{"a": 1}')) as peer:
        assert ask(f"{peer.url}/base/") == {"a": 1}

    (method, path, headers, _) = peer.asked[0]
    assert (method, path) == ("GET", "/base/things?name=a+b&limit=3")
    assert headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_body_is_sent_as_json():
    with running_peer() as peer:
        ask(peer.url, Call("POST", "/do", body={"a": {"b": "c"}}))

    assert (peer.asked[0][0], peer.asked[0][3]) == ("POST", b'{"a": {"b": "c"}}')


@pytest.mark.parametrize(
    "passing",
    [
        Answer(429, headers={"Retry-After": "0.05"}),
        Answer(500),
        Answer(503),
        Answer(hang_up=True),
        Answer(body=b'{"a": 1}', cut=3),
        Answer(body=b"<html>"),
        Answer(body=b"[]"),
        Answer(body=b""),
        Answer(body=b"[" * 200_000),
    ],
    ids=["429", "500", "503", "hang_up", "cut", "html", "list", "empty", "deep"],
)
def test_what_passes_is_asked_for_again(passing):
    with running_peer(passing, passing, Answer(body=b'{"a": 1}')) as peer:
        assert ask(peer.url) == {"a": 1}

    assert len(peer.asked) == 3


def test_a_failure_that_lasts_is_unavailable_in_the_services_words():
    with (
        running_peer(Answer(503, b'{"error": "back\n at noon"}')) as peer,
        pytest.raises(Unavailable, match=r"The service answered 503: .*back at noon.*tries: \d+"),
    ):
        ask(peer.url)

    assert len(peer.asked) > 3


def test_a_wait_longer_than_the_time_left_is_not_begun():
    with running_peer(Answer(429, headers={"Retry-After": "60"})) as peer, pytest.raises(Unavailable, match="429"):
        ask(peer.url)

    assert len(peer.asked) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413])
def test_what_no_repetition_changes_is_asked_once(status):
    headers = {"Location": "http://127.0.0.1:9/"}
    with (
        running_peer(Answer(status, b"because", headers)) as peer,
        pytest.raises(ServiceRefused, match=f"answered {status}") as caught,
    ):
        ask(peer.url)

    assert caught.value.status == status
    assert len(peer.asked) == 1


def test_an_answer_that_drips_is_cut_off_at_the_deadline():
    with (
        running_peer(Answer(body=b" " * 10_000, drip=True)) as peer,
        pytest.raises(Unavailable, match="did not finish its answer in time"),
    ):
        ask(peer.url)


def test_an_answer_in_chunks_or_compressed_is_read_whole():
    packed = gzip.compress(b'{"a": "' + b"x" * 200_000 + b'"}')
    with running_peer(Answer(body=packed, headers={"Content-Encoding": "gzip"})) as peer:
        assert len(ask(peer.url)["a"]) == 200_000
    with running_peer(Answer(body=b'{"a": "' + b"y" * 200_000 + b'"}', chunked=True)) as peer:
        assert len(ask(peer.url)["a"]) == 200_000


def test_a_silent_peer_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable, match="did not answer in time"):
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_a_peer_that_is_not_there_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(Unavailable, match="can't be reached"):
        ask(f"http://127.0.0.1:{port}")


def test_an_answer_without_end_is_refused():
    with running_peer(Answer(body=b"x" * 5_000)) as peer, pytest.raises(Unavailable, match="more than 4000 bytes"):
        ask(peer.url, most_bytes=4_000)


def test_an_untrusted_certificate_is_named_and_not_tried_again(tmp_path):
    tls, other = make_tls_files(tmp_path / "its"), make_tls_files(tmp_path / "another")
    with running_peer(tls=server_context(tls.server)) as peer:
        with pytest.raises(Unavailable, match="CA_BUNDLE"):
            ask(peer.url, ca_bundle=str(other.authority))
        assert ask(peer.url, ca_bundle=str(tls.authority)) == {}

    assert len(peer.asked) == 1


@pytest.mark.parametrize("url", ["", "adb.example", "ftp://adb.example", "http://"])
def test_a_url_that_is_none_is_named(url):
    with pytest.raises(Unavailable, match="no usable URL"):
        ask(url)


def test_no_token_is_in_an_error_or_hangs_on_to_it():
    with running_peer(Answer(400, TOKEN.encode())) as peer, pytest.raises(Unavailable) as echoed:
        ask(peer.url)
    with running_peer(Answer(hang_up=True)) as peer, pytest.raises(Unavailable) as broken:
        ask(peer.url)

    assert TOKEN not in str(echoed.value)
    error = broken.value
    while error is not None:
        assert not isinstance(error, requests.RequestException)
        error = error.__cause__ or error.__context__


def test_the_environment_names_neither_proxy_nor_bundle_nor_login(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))

    with running_peer() as peer:
        ask(peer.url)

    assert peer.asked[0][2]["Authorization"] == f"Bearer {TOKEN}"
