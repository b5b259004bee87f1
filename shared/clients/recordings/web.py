"""Recordings behind URLs: looked at by their first bytes, fetched in bounded time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from shared.clients.recordings.store import HEAD, RemoteFile, check_size
from shared.clients.retrying import RetryPolicy, TransientError, connect_seconds
from shared.domain.recording import RecordingLocation
from shared.errors import FeedRefused, Unavailable

_SECONDS: Final = 240.0
_PIECE: Final = 4 << 20
_FILE: Final = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
"""Answers that are the file or a part of it; the last one says that nothing of it lies there."""


@dataclass(frozen=True, slots=True)
class WebRecordings:
    """Files behind URLs. queries: the signatures of those that need one, by the URL without it.

    Redirects, proxies and logins that the environment names are not followed: the setting alone says who is asked.
    """

    queries: Mapping[str, str] = field(repr=False)
    ca_bundle: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    seconds: float = _SECONDS

    def look(self, location: RecordingLocation) -> RemoteFile | None:
        """Ask for the first bytes; a server that gives no ranges is left after them."""
        return self.retry.call(lambda seconds: self._look(location, seconds))

    def fetch(self, location: RecordingLocation, take: Callable[[bytes], None]) -> None:
        """Read the whole file; broken off, it begins where it was."""
        at, end = 0, time.monotonic() + self.seconds

        def go_on(seconds: float) -> None:
            nonlocal at
            with self._get(location, f"bytes={at}-", seconds) as response:
                self._check(location, response)
                if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return
                skipped = at if response.status_code == HTTPStatus.OK else 0
                for piece in response.iter_content(_PIECE):
                    fresh = piece[skipped:]
                    skipped -= len(piece) - len(fresh)
                    take(fresh)
                    at += len(fresh)
                    check_size(location, at)
                    if time.monotonic() > end:
                        raise Unavailable(f"{location.address} was not fetched within {self.seconds:g} s.")

        self.retry.call(lambda seconds: self._translated(location, lambda: go_on(seconds)), within=self.seconds)

    def _look(self, location: RecordingLocation, seconds: float) -> RemoteFile | None:
        def ask() -> RemoteFile | None:
            with self._get(location, f"bytes=0-{HEAD - 1}", seconds) as response:
                if response.status_code == HTTPStatus.NOT_FOUND:
                    return None
                self._check(location, response)
                return _found(response)

        return self._translated(location, ask)

    def _get(self, location: RecordingLocation, ranges: str, seconds: float) -> requests.Response:
        query = self.queries.get(location.address, "")
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                f"{location.address}?{query}" if query else location.address,
                headers={"Range": ranges, "Accept-Encoding": "identity"},
                timeout=(connect_seconds(seconds), seconds),
                verify=self.ca_bundle or True,
                allow_redirects=False,
                stream=True,
            )

    def _check(self, location: RecordingLocation, response: requests.Response) -> None:
        status = response.status_code
        if (
            status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)
            or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            raise TransientError(f"{location.address} answered {status}.")
        if status not in _FILE:
            raise FeedRefused(f"{location.address} answered {status}, not with the file.")

    def _translated[Answer](self, location: RecordingLocation, ask: Callable[[], Answer]) -> Answer:
        """Translate what the library raises; its own words hold the whole URL, and so the signature."""
        try:
            return ask()
        except (requests.RequestException, HTTPError):
            failure = TransientError(f"{location.address} can't be reached, or stopped in the middle of its answer.")
        raise failure


def _found(response: requests.Response) -> RemoteFile:
    version = response.headers.get("ETag") or response.headers.get("Last-Modified", "")
    if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return RemoteFile(0, version, b"")
    head = response.raw.read(HEAD)
    whole = response.headers.get("Content-Range", "").rpartition("/")[2] or response.headers.get("Content-Length", "0")
    return RemoteFile(int(whole) if whole.isdigit() else 0, version, head)
