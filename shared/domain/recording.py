"""Where a recording lies, as a setting names it; a signature in its URL is kept apart and shown nowhere."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

RULE: Final = (
    "must be file:///<path> on this machine, blob:<container>/<path> in the app's storage account, or an https:// URL, "
    "and name a file in CSV: plain, .gz or .zip"
)
_BLOB: Final = re.compile(r"blob:(?P<container>[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9]))/(?P<path>[^?#]+)")


@dataclass(frozen=True, slots=True)
class RecordingLocation:
    """Where a recording lies. address: all of it but for what may be secret. query: of a URL, a signature perhaps."""

    kind: Literal["file", "blob", "https"]
    address: str
    query: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        """Give the path of a file, or that of a blob in its container."""
        return self.address.removeprefix("file://") if self.kind == "file" else self.address.partition("/")[2]

    @property
    def container(self) -> str:
        """Name the container of a blob."""
        return self.address.removeprefix("blob:").partition("/")[0]


def recording_location(written: str) -> RecordingLocation | None:
    """Read a location; blank is None. Raises ValueError with the rule, and never with the text."""
    text = written.strip()
    if not text:
        return None
    if not text.isprintable():
        raise ValueError(RULE)
    if text.partition("?")[0].lower().endswith(".7z"):
        raise ValueError("names a .7z file, which can't be read in parts: unpack it, then pack it as .gz or .zip")
    if text.startswith("file:///") and len(text) > len("file:///"):
        return RecordingLocation("file", text)
    if _BLOB.fullmatch(text):
        return RecordingLocation("blob", text)
    return _url(text)


def _url(text: str) -> RecordingLocation:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - it is read from the text at this very moment
    except ValueError:
        raise ValueError(RULE) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or " " in text:
        raise ValueError(RULE)
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must be a URL without user, password and fragment (#)")
    return RecordingLocation("https", f"{parts.scheme}://{parts.netloc}{parts.path}", parts.query)
