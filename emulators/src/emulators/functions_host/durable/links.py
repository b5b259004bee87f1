"""The addresses of an orchestration's management API, and the value of a durableClient binding made of them."""

import json
from dataclasses import dataclass

WEBHOOKS = "/runtime/webhooks/durabletask"
_PLACEHOLDER = "INSTANCEID"


@dataclass(frozen=True, slots=True)
class Links:
    """Where this host is reached: `origin` from outside, `rpc` (ends with /) by the SDK; `code` opens the webhooks."""

    origin: str
    rpc: str
    hub: str
    code: str

    def of(self, instance_id: str, origin: str = "") -> dict[str, str]:
        """Give the management addresses of one instance, under the origin that the caller used."""
        base = f"{origin or self.origin}{WEBHOOKS}/instances/{instance_id}"
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{base}?{self._query}",
            "sendEventPostUri": f"{base}/raiseEvent/{{eventName}}?{self._query}",
            "terminatePostUri": f"{base}/terminate?reason={{text}}&{self._query}",
            "rewindPostUri": f"{base}/rewind?reason={{text}}&{self._query}",
            "purgeHistoryDeleteUri": f"{base}?{self._query}",
            "restartPostUri": f"{base}/restart?{self._query}",
            "suspendPostUri": f"{base}/suspend?reason={{text}}&{self._query}",
            "resumePostUri": f"{base}/resume?reason={{text}}&{self._query}",
        }

    def client_binding(self) -> str:
        """Write what the SDK's client is made from; it puts the instance id in place of `managementUrls.id`."""
        create = f"{self.origin}{WEBHOOKS}/orchestrators/{{functionName}}[/{{instanceId}}]?code={self.code}"
        return json.dumps(
            {
                "taskHubName": self.hub,
                "creationUrls": {"createNewInstancePostUri": create},
                "managementUrls": self.of(_PLACEHOLDER),
                "baseUrl": f"{self.origin}{WEBHOOKS}",
                "requiredQueryStringParameters": f"code={self.code}",
                "rpcBaseUrl": self.rpc,
            }
        )

    @property
    def _query(self) -> str:
        return f"taskHub={self.hub}&connection=Storage&code={self.code}"
