"""Connections that are kept between posts: used again while they hold, and replaced when they do not."""

import socket
import ssl
import threading

import pytest
import trustme

from shared.clients.checked_posts import CheckedPosts, Post
from shared.clients.kept_connections import KeptConnections
from shared.domain.volumes.alert_address import alert_url
from tests.integration.alert_sender.peer import answers, running_peer

DONE, LAST = answers(201), answers(201, headers="Connection: close\r\n")


class Poster:
    """Posts to a peer over connections that are kept, and counts what it dials and asks for names."""

    def __init__(self, folder, **options):
        self.authority, self.dialled, self.asked = trustme.CA(), 0, 0
        self.authority.cert_pem.write_to_path(folder / "authority.pem")
        self.posts = CheckedPosts(
            str(folder / "authority.pem"), 5.0, self.resolve, self.dial, kept=KeptConnections(**options)
        )

    def tls(self):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("localhost").configure_cert(context)
        return context

    def resolve(self, *_):
        self.asked += 1
        return ["127.0.0.1"]

    def dial(self, address, seconds):
        self.dialled += 1
        return socket.create_connection(address, seconds)

    def post(self, peer):
        url = alert_url(f"https://localhost:{peer.port}/push", hosts=["localhost"], loopback=True)
        return self.posts.send(Post(url, "The peer", "PEER_URL", b"{}", {"x-alert-id": "1"})).status


@pytest.fixture
def poster(tmp_path):
    return Poster(tmp_path)


def again(behave):
    """Answer one request after another on the same connection, until the client has enough."""

    def going_on(connection):
        behave(connection)
        while connection.socket.recv(65_536):
            behave(connection)

    return going_on


def test_posts_one_after_the_other_share_a_connection_and_one_look_at_its_address(poster):
    with running_peer(poster.tls, again(DONE)) as peer:
        statuses = [poster.post(peer) for _ in range(5)]
        poster.posts.kept.close()

    assert (statuses, poster.dialled, poster.asked) == ([201] * 5, 1, 1)


def test_a_connection_that_the_service_ended_meanwhile_is_replaced(poster):
    with running_peer(poster.tls, DONE) as peer:
        first = poster.post(peer)
        assert peer.gone.wait(5)
        second = poster.post(peer)
        poster.posts.kept.close()

    assert (first, second, poster.dialled, poster.asked) == (201, 201, 2, 2)


def test_a_service_that_says_so_has_its_connection_closed(poster):
    with running_peer(poster.tls, LAST) as peer:
        poster.post(peer)

        assert poster.posts.kept.take("localhost", peer.port) is None


def test_a_connection_that_was_idle_for_too_long_is_not_used_again(tmp_path):
    poster = Poster(tmp_path, longest=0.0)
    with running_peer(poster.tls, again(DONE)) as peer:
        statuses = [poster.post(peer) for _ in range(2)]
        poster.posts.kept.close()

    assert (statuses, poster.dialled) == ([201, 201], 2)


def test_posts_at_once_have_a_connection_each(poster):
    together = threading.Barrier(3)

    def answer_together(connection):
        together.wait(5)
        DONE(connection)

    with running_peer(poster.tls, answer_together) as peer:
        threads = [threading.Thread(target=poster.post, args=(peer,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        kept = [poster.posts.kept.take("localhost", peer.port) for _ in range(4)]
        for connection in filter(None, kept):
            connection.close()

    assert poster.dialled == 3
    assert [one is not None for one in kept] == [True, True, True, False]
