"""Is this shared access signature good: whose, for which address, until when.

Source: learn.microsoft.com/rest/api/eventhub/generate-sas-token; Notification Hubs takes the same.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote_plus, urlsplit

_SCHEME = "SharedAccessSignature "


@dataclass(frozen=True, slots=True)
class Policy:
    """A shared access policy of one hub that may send."""

    name: str
    hub: str
    key: str = field(repr=False)

    def complaint(self, authorization: str, now: float) -> str:
        """Say what is wrong with the header, or nothing. now: Unix seconds."""
        if not authorization.startswith(_SCHEME):
            return "MissingToken: the header Authorization must hold a SharedAccessSignature."
        parts = dict(parse_qsl(authorization.removeprefix(_SCHEME)))
        if set(parts) != {"sr", "sig", "se", "skn"} or not parts["se"].isdigit():
            return "MalformedToken: it must have sr, sig, se and skn."
        if parts["skn"] != self.name or not self._is_signed(parts):
            return "InvalidSignature: the token has an invalid signature."
        if int(parts["se"]) <= now:
            return f"ExpiredToken: it ended at {parts['se']}."
        return "" if self._covers(parts["sr"]) else "InvalidAudience: it was signed for another address."

    def _is_signed(self, parts: Mapping[str, str]) -> bool:
        signed = f"{quote_plus(parts['sr'])}\n{parts['se']}".encode()
        expected = base64.b64encode(hmac.digest(self.key.encode(), signed, hashlib.sha256)).decode()
        return hmac.compare_digest(expected.encode(), parts["sig"].encode())

    def _covers(self, resource: str) -> bool:
        """Let a token of the whole namespace, or of the hub, pass."""
        return urlsplit(resource).path.strip("/").lower() in {"", self.hub.lower()}
