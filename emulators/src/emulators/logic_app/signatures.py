"""The signature in a trigger's URL: whoever has it may call the workflow, so it is kept like a key."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

API_VERSION: Final = "2016-10-01"
SIGNATURE_VERSION: Final = "1.0"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs the permission to run a workflow's trigger, the same after a restart."""

    key: bytes = field(repr=False)

    def permission(self, trigger: str) -> str:
        """Give `sp`, the permission that a URL carries."""
        return f"/triggers/{trigger}/run"

    def sign(self, workflow: str, trigger: str) -> str:
        """Give `sig`."""
        signed = "\n".join((workflow, self.permission(trigger), SIGNATURE_VERSION))
        digest = hmac.digest(self.key, signed.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def accepts(self, workflow: str, trigger: str, signature: str) -> bool:
        """Say whether a signature is that of the workflow."""
        return hmac.compare_digest(signature.encode(), self.sign(workflow, trigger).encode())


def kept_signer(path: Path) -> Signer:
    """Read the key from a file, or draw one and write it where only this user can read it."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(_KEY_BYTES))
    return Signer(path.read_bytes())
