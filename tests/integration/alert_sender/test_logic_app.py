import contextlib
import logging
import socket
import threading
import time

import pytest
import trustme

from shared.errors import Unavailable, Untrusted
from tests.integration.alert_sender.conftest import HOST, TARGET, an_alert
from tests.integration.alert_sender.peer import OK, answers

SENT = answers(200, body=b'{"status": "sent"}')
CANARIES = ("CANARY", "sig=")


def refusal(sender, alert=None):
    with pytest.raises(Unavailable) as caught:
        sender.send(alert or an_alert())
    return caught.value


def test_an_alert_is_posted_as_json_with_its_id_in_a_header(place):
    with place.peer(SENT) as peer:
        place.sender(peer).send(an_alert())

    (request,) = peer.requests
    assert request.line == f"POST {TARGET} HTTP/1.1"
    assert request.headers["host"] == f"{HOST}:{peer.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-alert-id"] == "trades:run-1:alert"
    assert request.body == an_alert().body


def test_the_name_is_asked_for_in_the_handshake_though_the_address_is_dialled(place):
    dialled = []

    def dial(address, seconds):
        dialled.append(address)
        return socket.create_connection(address, seconds)

    with place.peer(SENT) as peer:
        place.sender(peer, dial=dial).send(an_alert())

    assert dialled == [("127.0.0.1", peer.port)]
    assert peer.requests[0].sni == HOST


def test_an_id_from_outside_can_not_be_a_header_of_its_own(place):
    with place.peer(SENT) as peer:
        place.sender(peer).send(an_alert("run\r\nx-evil: 1–"))

    assert peer.requests[0].headers["x-alert-id"] == "trades:run%0D%0Ax-evil:%201%E2%80%93:alert"
    assert "x-evil" not in peer.requests[0].headers


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_success_is_success(place, status):
    with place.peer(answers(status)) as peer:
        place.sender(peer).send(an_alert())

    assert len(peer.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 503])
def test_any_other_answer_is_told_by_its_status_and_not_by_its_words(place, status):
    with place.peer(answers(status, body=b"CANARY of the peer")) as peer:
        failure = refusal(place.sender(peer))

    assert str(failure) == f"The Logic App for alerts named 'ingestion' answered {status}."
    assert len(peer.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(place, status):
    with place.peer(SENT) as elsewhere:
        away = answers(status, f"Location: https://127.0.0.1:{elsewhere.port}/\r\n")
        with place.peer(away) as peer:
            failure = refusal(place.sender(peer))

    assert f"answered {status}, a redirect" in str(failure)
    assert (len(peer.requests), elsewhere.arrivals) == (1, 0)


def test_a_slow_peer_is_left_at_the_deadline(place):
    with place.peer(lambda connection: connection.fall_silent()) as peer:
        begun = time.monotonic()
        failure = refusal(place.sender(peer, seconds=0.3))

    assert "did not answer in time, which is 0.3 s" in str(failure)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "words",
    [b"HTTP/1.1 200 OK\r\n" + b"x-a: " + b"b" * 5000, b"HTTP/1.1 100 Continue\r\n\r\n", b"H" * 5000],
    ids=["headers", "interim answers", "status line"],
)
def test_a_peer_that_drips_its_answer_is_left_at_the_deadline(place, words):
    with place.peer(lambda connection: connection.drip(words)) as peer:
        begun = time.monotonic()
        failure = refusal(place.sender(peer, seconds=0.4))
        assert time.monotonic() - begun < 2
        assert peer.gone.wait(5)

    assert "did not answer in time, which is 0.4 s" in str(failure)


def test_a_body_that_never_ends_is_not_waited_for(place):
    def endless(connection):
        connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        connection.drip(b"x")

    with place.peer(endless) as peer:
        place.sender(peer, seconds=5).send(an_alert())
        assert peer.gone.wait(5)


def test_a_peer_that_never_shakes_hands_is_left_at_the_deadline(place):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        listening = type("Silent", (), {"port": silent.getsockname()[1]})
        failure = refusal(place.sender(listening, seconds=0.3))

    assert "did not answer in time, which is 0.3 s" in str(failure)


def test_a_peer_that_drips_its_handshake_is_left_at_the_deadline(place):
    def drip():
        with server.accept()[0] as raw, contextlib.suppress(OSError):
            raw.sendall(b"\x16\x03\x03\x3f\xff")
            while not over.wait(0.02):
                raw.sendall(b"\x02")

    over, thread = threading.Event(), threading.Thread(target=drip)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread.start()
        begun = time.monotonic()
        failure = refusal(place.sender(type("Dripping", (), {"port": server.getsockname()[1]}), seconds=0.4))
        assert time.monotonic() - begun < 2
        over.set()
        thread.join()

    assert "did not answer in time, which is 0.4 s" in str(failure)


def test_a_resolver_that_does_not_answer_is_left_at_the_deadline(place):
    over = threading.Event()

    def resolve(*_):
        over.wait(30)
        return ["127.0.0.1"]

    with place.peer(SENT) as peer:
        failure = refusal(place.sender(peer, resolve=resolve, seconds=0.2))
        over.set()

    assert "did not answer in time, which is 0.2 s" in str(failure)
    assert peer.arrivals == 0


def test_an_answer_that_is_lost_after_the_effect_is_a_failure_and_its_repetition_no_second_mail(place):
    with place.peer(lambda _: None, SENT) as peer:
        sender = place.sender(peer)
        failure = refusal(sender)
        sender.send(an_alert())

    assert "can't be reached or stopped in the middle of its answer" in str(failure)
    assert (len(peer.requests), peer.effects) == (2, ["trades:run-1:alert"])


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 CANARY OK\r\n\r\n", OK[:10]])
def test_an_answer_that_is_not_http_is_a_failure_that_echoes_nothing(place, garbage):
    with place.peer(lambda connection: connection.say(garbage)) as peer:
        failure = refusal(place.sender(peer))

    assert "can't be reached or stopped in the middle" in str(failure)
    assert "CANARY" not in str(failure)


def test_a_certificate_for_another_host_is_refused(place):
    with place.peer(SENT, names=["evil.example", "127.0.0.1"]) as peer:
        failure = refusal(place.sender(peer))

    assert isinstance(failure, Untrusted)
    assert peer.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(place, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")

    with place.peer(SENT) as peer:
        failure = refusal(place.sender(peer, ca_bundle=str(tmp_path / "other.pem")))

    assert isinstance(failure, Untrusted)
    assert "CA_BUNDLE" in str(failure)
    assert peer.requests == []


def test_an_address_that_does_not_answer_gives_way_to_the_next(place):
    def dial(address, seconds):
        if address[0] == "::1":
            raise ConnectionRefusedError
        return socket.create_connection(address, seconds)

    with place.peer(SENT) as peer:
        place.sender(peer, dial=dial, resolve=lambda *_: ["::1", "127.0.0.1"]).send(an_alert())

    assert len(peer.requests) == 1


def test_proxies_of_the_environment_are_not_used(place, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with place.peer(SENT) as peer:
        place.sender(peer).send(an_alert())

    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [SENT, answers(500), answers(302, "Location: https://evil.example/\r\n"), lambda _: None],
    ids=["sent", "failed", "redirected", "lost"],
)
def test_the_signature_is_in_no_log_error_or_repr(place, caplog, behaviour):
    caplog.set_level(logging.DEBUG)

    with place.peer(behaviour) as peer:
        sender = place.sender(peer)
        try:
            sender.send(an_alert())
            said = ""
        except Unavailable as failure:
            said = f"{failure!r} {failure.__cause__!r} {failure.__context__!r}"

    assert "sig=CANARY-SIGNATURE" in peer.requests[0].line
    assert not any(canary in f"{caplog.text} {said} {sender!r}" for canary in CANARIES)
