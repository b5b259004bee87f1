"""The container `promotions-dead`: promotions that reach no device, each with the reason."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.clients.storage.account import Account
from shared.clients.storage.containers import container_of
from shared.clients.storage.reference import BlobReference, Reference

CONTAINER: Final = "promotions-dead"


@dataclass(frozen=True, slots=True)
class DeadPromotions:
    """Keeps each as a blob `<yyyy-mm-dd>/<digest of its event>.json`: one that dies twice on a day has one."""

    blobs: Reference

    def keep(self, body: bytes, reason: str, at: datetime) -> None:
        """Write one; raises Unavailable or LoginRefused. body: that of its event, whatever it is."""
        row: dict[str, Any] = {"reason": reason, "at": at.isoformat()}
        try:
            row["text"] = body.decode()
        except UnicodeDecodeError:
            row["base64"] = base64.b64encode(body).decode()
        path = f"{at:%Y-%m-%d}/{hashlib.sha256(body).hexdigest()}.json"
        self.blobs.write(path, json.dumps(row, ensure_ascii=False).encode())


def blob_dead_promotions(account: Account) -> DeadPromotions:
    """Give the container of an account; it is made when something is written to it."""
    return DeadPromotions(BlobReference(container_of(CONTAINER, account)))
