"""Files behind URLs: what the client asks for, and what it does where the server fails."""

from dataclasses import replace

import pytest

from shared.clients.recordings import store
from shared.clients.recordings import web as client
from shared.clients.recordings.store import HEAD
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.recording import recording_location
from shared.errors import FeedRefused, Unavailable

HASTY = RetryPolicy(Timeouts(total=1.0, attempt=0.5, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
CONTENT = bytes(range(256)) * 8_000


def location(files, name="payments.csv", query=""):
    return recording_location(f"{files.url}/{name}{query}")


def fetched(web, place):
    pieces = []
    web.fetch(place, pieces.append)
    return b"".join(pieces)


@pytest.fixture(autouse=True)
def payments(files):
    files.files["/payments.csv"] = files.files["/signed.csv"] = CONTENT


def test_a_look_asks_for_the_first_bytes_alone(web, files):
    web.look(location(files))

    assert files.asked == [("/payments.csv", f"bytes=0-{HEAD - 1}")]


def test_a_fetch_that_breaks_off_goes_on_behind_its_last_piece(web, files, monkeypatch):
    monkeypatch.setattr(client, "_PIECE", 100_000)
    files.cuts = [310_000, 200_000]

    assert fetched(web, location(files)) == CONTENT
    assert [asked for _, asked in files.asked] == ["bytes=0-", "bytes=300000-", "bytes=500000-"]


def test_a_server_that_gives_no_parts_is_read_again_from_the_first_byte_and_no_byte_comes_twice(web, files):
    files.ranges, files.cuts = False, [300_000]

    assert fetched(web, location(files)) == CONTENT
    assert web.look(location(files)).size == len(CONTENT)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(web, files, status):
    files.statuses = [status, status]

    assert web.look(location(files)).size == len(CONTENT)


def test_a_server_that_stays_busy_is_unavailable_by_the_name_of_the_file(web, files):
    files.statuses = [503] * 1_000

    with pytest.raises(Unavailable, match=r"payments\.csv"):
        replace(web, retry=HASTY).look(location(files))


@pytest.mark.parametrize("status", [301, 302, 401, 403, 410])
def test_an_answer_that_is_no_file_is_refused_with_its_status_and_a_redirect_is_not_followed(web, files, status):
    files.statuses = [status]

    with pytest.raises(FeedRefused, match=f"answered {status}, not with the file"):
        web.look(location(files))
    assert len(files.asked) == 1


def test_a_signature_is_sent_to_its_own_file_and_stands_in_no_message(web, files):
    signed = location(files, "signed.csv", "?sig=hidden")
    assert web.look(signed).size == len(CONTENT)
    files.statuses = [403]

    with pytest.raises(FeedRefused) as refused:
        web.look(signed)

    assert files.asked[0][0] == "/signed.csv?sig=hidden"
    assert "hidden" not in str(refused.value)


def test_a_server_whose_certificate_is_not_trusted_is_not_read(web, files):
    with pytest.raises(Unavailable, match="can't be reached"):
        replace(web, ca_bundle=None, retry=HASTY).look(location(files))
    assert files.asked == []


def test_a_file_larger_than_any_may_be_is_left_when_it_is_seen_to_be(web, files, monkeypatch):
    monkeypatch.setattr(store, "MOST_BYTES", 1_000_000)

    with pytest.raises(FeedRefused, match="is larger than"):
        fetched(web, location(files))


def test_a_fetch_ends_when_its_time_is_up(web, files):
    with pytest.raises(Unavailable, match="was not fetched within 0 s"):
        fetched(replace(web, seconds=0.0), location(files))
