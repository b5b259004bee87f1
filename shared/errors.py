"""Every error that the app raises on purpose.

IngestionError
├── SettingsError        a setting is missing or malformed: an administrator mends it
├── RequestRejected      a caller asked for something it may not have: 400, 404, 409, 413 or 415
├── FeedRefused          the source will not serve us (unknown product, wrong subscription): no retry can cure it
├── LoginRefused         an identity is not let in: no retry can cure it
├── JobRefused           Databricks will not do what it is asked (unknown job or run, parameters): no retry can cure it
├── CorruptRow           the ledger holds something that this version can't read
└── Unavailable          an outside system does not answer as it should: a retry may cure it
    ├── Unreachable      a venue can't be reached or can't serve now
    ├── Untrusted        a peer's certificate is not trusted
    └── SendFailed       records could not be delivered to a hub within the deadline
"""

from dataclasses import dataclass

from shared.domain.delivery import Delivery


class IngestionError(Exception):
    """Base of all of them; its text is for people and holds no secret."""


class SettingsError(IngestionError):
    """One or more app settings are missing or malformed; the text names all of them."""


@dataclass
class RequestRejected(IngestionError):
    """A request can't be granted.

    `status` is the HTTP status, `code` a stable word for programs, `field` the offending field or None.
    """

    status: int
    code: str
    message: str
    field: str | None = None

    def __str__(self) -> str:
        """Give the message alone."""
        return self.message


class FeedRefused(IngestionError):
    """A venue refused the subscription; the text holds the venue's own words."""


class LoginRefused(IngestionError):
    """A service refused an identity; the text names the client id and what it wanted to reach."""


class JobRefused(IngestionError):
    """Databricks refused a request about a job or a run; the text holds its own words."""


class CorruptRow(IngestionError):
    """A ledger row holds a value of another shape than this version writes."""


class Unavailable(IngestionError):
    """An outside system did not answer, or answered that it can't serve now."""


class Unreachable(Unavailable):
    """A venue can't be reached or can't serve now; `retry_after` is the wait in seconds that it asks for, if any."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        """Say what failed."""
        super().__init__(text)
        self.retry_after = retry_after


class Untrusted(Unavailable):
    """A peer shows a certificate that the CA bundle does not vouch for; only an administrator can cure it."""


class SendFailed(Unavailable):
    """A hub did not take records within the deadline, whatever was tried; `delivery` is what became of the rest.

    Records that are counted nowhere in `delivery` were never stored.
    """

    def __init__(self, message: str, delivery: Delivery | None = None) -> None:
        """Keep what was delivered before the failure; nothing where not given."""
        super().__init__(message)
        self.delivery = delivery or Delivery()
