"""Requests to JSON services: waits and answers are bounded, failures become the app's own errors."""

import itertools
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from shared.clients.failures import Meaning, causes_of, kind_of, transient_failure, untrusted
from shared.clients.retrying import AmbiguousRefusal, RetryPolicy, TransientError, connect_seconds
from shared.domain.failures import FailureKind
from shared.errors import ServiceRefused, Unavailable

_CHUNK = 1 << 16
_EXCERPT = 300
_NO_URL = requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema


class RestRefused(ServiceRefused):
    """A REST service understood and said no; `status` is its HTTP status."""

    def __init__(self, text: str, status: int, kind: FailureKind) -> None:
        """Say who refused what."""
        super().__init__(text, kind)
        self.status = status


def meaning_of_status(status: int, body: str) -> Meaning:
    """Read a refusal of a service that has no error codes: its status says what it means."""
    return Meaning(kind_of(status), body)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `path` below the service's URL; `body` becomes JSON. Making it twice must do no harm."""

    method: str
    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class JsonService:
    """A service behind a URL; for any number of threads, since each call has a session of its own.

    name: what messages call it. ca_bundle: a PEM file, None is the system's. most_bytes: the largest answer taken.
    meaning: reads the status and the text of what is no success.
    Proxies, netrc and bundles named by the environment are ignored: settings alone say whom to trust.
    """

    name: str
    url: str
    ca_bundle: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    most_bytes: int = 64 << 20
    meaning: Callable[[int, str], Meaning] = meaning_of_status

    def answer[Answer](
        self,
        call: Call,
        bearer: Callable[[], str],
        read: Callable[[bytes], Answer],
        *,
        within: float | None = None,
    ) -> Answer:
        """Give what `read` makes of the body of a 2xx answer.

        read: where it fails (ValueError, msgspec's errors), the answer was cut or garbled, and is asked for again.
        bearer: gives the token; it is asked at each try. within: seconds for all tries together.

        Raises RestRefused for an answer that no repetition changes, LoginRefused for an ambiguous one that lasts, else
        Unavailable.
        """
        with requests.Session() as session:
            session.trust_env = False
            return self.retry.call(
                lambda seconds: self._read(read, self._try(session, call, bearer(), seconds)), within=within
            )

    def _read[Answer](self, read: Callable[[bytes], Answer], body: bytes) -> Answer:
        try:
            return read(body)
        except (ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise TransientError(f"{self.name} sent {len(body)} bytes that can't be read: {error}") from error

    def _try(self, session: requests.Session, call: Call, token: str, seconds: float) -> bytes:
        try:
            return self._exchange(session, call, token, seconds)
        except (requests.RequestException, HTTPError) as error:
            failure = self._failure(error)
        # Raised outside the handler: the error's request holds the token, so it may not hang on to ours.
        raise failure

    def _exchange(self, session: requests.Session, call: Call, token: str, seconds: float) -> bytes:
        end = self.retry.clock.now() + seconds
        with session.request(
            call.method,
            f"{self.url.rstrip('/')}{call.path}",
            params=dict(call.query),
            json=None if call.body is None else dict(call.body),
            auth=_Bearer(token),
            timeout=(connect_seconds(seconds), seconds),
            verify=self.ca_bundle or True,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = self._body(response, end)
        if response.status_code // 100 != HTTPStatus.OK // 100:
            raise self._refused(response, _readable(body, hidden=token))
        return body

    def _body(self, response: requests.Response, end: float) -> bytes:
        """Read the whole answer; a peer that goes on sending a little at a time is cut off at the deadline too."""
        body = bytearray()
        # Not iter_content, which waits until a chunk is full.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > self.most_bytes:
                raise Unavailable(f"{self.name} sent more than {self.most_bytes} bytes in one answer.")
            if self.retry.clock.now() > end:
                raise TransientError(f"{self.name} did not finish its answer in time, {len(body)} bytes came.")
        return bytes(body)

    def _refused(self, response: requests.Response, body: str) -> Unavailable:
        status = response.status_code
        kind, words, ambiguous = self.meaning(status, body)
        text = f"{self.name} answered {status}: {_excerpt(words)}"
        if ambiguous:
            return AmbiguousRefusal(text)
        return transient_failure(text, kind, response.headers) if kind.may_pass else RestRefused(text, status, kind)

    def _failure(self, error: Exception) -> Unavailable:
        if isinstance(error, requests.exceptions.SSLError) and _is_untrusted(error):
            return untrusted(self.name)
        if isinstance(error, _NO_URL):
            return Unavailable(f"{self.name} has no usable URL: {self.url!r}.")
        if isinstance(error, requests.Timeout):
            return TransientError(f"{self.name} did not answer in time.")
        return TransientError(f"{self.name} can't be reached or stopped in the middle of its answer.")


class _Bearer(AuthBase):
    """Puts the token into a request; an object of its own, so that requests looks for no other login."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _readable(body: bytes, *, hidden: str) -> str:
    """Decode an answer; a peer that echoes the token gets it into no message."""
    text = body.decode("utf-8", "replace")
    return text.replace(hidden, "***") if hidden else text


def _excerpt(text: str) -> str:
    return " ".join(text.split())[:_EXCERPT] or "(nothing)"


def _is_untrusted(error: BaseException) -> bool:
    causes = itertools.islice(causes_of(error), _MOST_CAUSES)
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)


_MOST_CAUSES = 10
