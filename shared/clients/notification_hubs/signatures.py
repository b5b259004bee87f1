"""The token by which a shared access policy logs in: a signature over the address and the end of its validity.

Source: learn.microsoft.com/rest/api/eventhub/generate-sas-token, which Notification Hubs shares.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote_plus


def shared_access_token(address: str, policy: str, key: str, ends: int) -> str:
    """Sign an address (`https://<namespace>/<hub>`) for until `ends`, in Unix seconds."""
    resource = quote_plus(address.lower())
    digest = hmac.digest(key.encode(), f"{resource}\n{ends}".encode(), hashlib.sha256)
    signature = quote_plus(base64.b64encode(digest))
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={ends}&skn={quote_plus(policy)}"
