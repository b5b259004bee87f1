"""The Request trigger: who may call a workflow, with which body, and what the caller gets."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from emulators.logic_app.connectors import Connectors
from emulators.logic_app.definitions import Workflow
from emulators.logic_app.runs import Reply, Run, run_workflow
from emulators.logic_app.schemas import complaints
from emulators.logic_app.signatures import API_VERSION, SIGNATURE_VERSION, Signer

logger = logging.getLogger(__name__)

_MOST_RUNS: Final = 500
_JSON: Final = "application/json"


class Refusal(Exception):
    """A request that starts no run, with Azure's code for the reason."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what is answered."""
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def body(self) -> dict[str, Any]:
        """Give the body in the shape of Azure's errors."""
        return {"error": {"code": self.code, "message": str(self)}}


@dataclass(frozen=True, slots=True)
class Note:
    """A run as the admin page lists it."""

    id: str
    workflow: str
    status: str
    actions: Mapping[str, str]
    answered: int


@dataclass(slots=True)
class WorkflowHandler:
    """One workflow that can be called: `turns` lets as many runs in as the trigger's concurrency says."""

    workflow: Workflow
    signer: Signer
    connectors: Connectors
    clock: Callable[[], datetime]
    turns: asyncio.Semaphore = field(init=False)
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=_MOST_RUNS))
    begun: int = 0

    def __post_init__(self) -> None:
        """Count the turns."""
        self.turns = asyncio.Semaphore(self.workflow.trigger.runtime_configuration.concurrency.runs)

    def check_access(self, query: Mapping[str, str]) -> None:
        """Raise Refusal where the URL's signature, version or permission is not that of the workflow.

        The codes of a missing signature and of a missing version are those of Azure's answers; that of a wrong
        signature was not seen in any source.
        """
        if "sig" not in query:
            message = "The request must be authenticated only by Shared Access scheme."
            raise Refusal(401, "DirectApiAuthorizationRequired", message)
        permission = self.signer.permission(self.workflow.trigger_name)
        right = query.get("sp") == permission and query.get("sv") == SIGNATURE_VERSION
        if not right or not self.signer.accepts(self.workflow.name, self.workflow.trigger_name, query["sig"]):
            raise Refusal(401, "AuthorizationFailed", "The authentication credentials are not valid.")
        if query.get("api-version") != API_VERSION:
            raise Refusal(400, "InvalidApiVersionParameter", f"The api-version must be {API_VERSION}.")

    def check_body(self, content: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON value
        """Read the body and hold it against the trigger's schema; raises Refusal. What is not JSON is a text."""
        body = _read(content) if content_type == _JSON else content.decode(errors="replace")
        found = list(complaints(body, self.workflow.trigger.inputs.schema))
        if found:
            message = (
                f"The input body for trigger '{self.workflow.trigger_name}' of type 'Request' did not match its schema"
                f" definition. Error details: '{', '.join(found)}'."
            )
            raise Refusal(400, "TriggerInputSchemaMismatch", message)
        return body

    async def run(self, body: Any, slowness: float) -> tuple[str, Reply]:  # noqa: ANN401 - any JSON value
        """Wait for a turn, then run; give the run's id and what the caller gets: 502 where no action answered."""
        async with self.turns:
            await asyncio.sleep(slowness)
            self.begun += 1
            run = run_workflow(self.workflow, self.connectors, body, self.clock().isoformat())
        run_id = f"{self.workflow.name}-{self.begun}"
        reply = run.reply or _no_reply(run_id)
        self._note(run_id, run, reply)
        return run_id, reply

    def _note(self, run_id: str, run: Run, reply: Reply) -> None:
        self.notes.append(Note(run_id, self.workflow.name, run.status, dict(run.statuses), reply.status))
        logger.info("logic_app.run id=%s status=%s answered=%s", run_id, run.status, reply.status)


def newest_notes(handlers: Sequence[WorkflowHandler]) -> list[dict[str, Any]]:
    """List the runs of all workflows, each one's newest first."""
    return [msgspec.to_builtins(note) for handler in handlers for note in reversed(handler.notes)]


def _read(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"The request content is not valid and could not be deserialized: '{error}'."
        raise Refusal(400, "InvalidRequestContent", message) from error


def _no_reply(run_id: str) -> Reply:
    message = f"The server did not receive a response from an upstream server. Request tracking id '{run_id}'."
    return Reply(502, {"error": {"code": "NoResponse", "message": message}}, {})
