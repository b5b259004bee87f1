"""What a workflow is: the parts of a `workflow.json`, in the layout of Logic Apps' code view, that are run here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

type Status = Literal["Succeeded", "Failed", "TimedOut", "Skipped"]
type RunAfter = dict[str, list[Status]]

CONNECTIONS: Final = "$connections"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Whatever a part of a definition has besides its fields is refused."""


class Connection(_Part, frozen=True):
    """`name` is an expression that gives the id of an API connection."""

    name: str


class Host(_Part, frozen=True):
    """Where an ApiConnection action goes."""

    connection: Connection


class NoRetry(_Part, frozen=True):
    """The only policy that is understood: an action is tried once."""

    type: Literal["none"]


class ConnectionInputs(_Part, frozen=True):
    """One call of a connector; path and body hold expressions."""

    host: Host
    method: Literal["get", "post"]
    path: str
    retry_policy: NoRetry
    body: Any = None


class ApiConnection(_Part, frozen=True, tag_field="type", tag="ApiConnection"):
    """Calls a managed connector."""

    inputs: ConnectionInputs
    run_after: RunAfter = {}
    description: str = ""


class ResponseInputs(_Part, frozen=True):
    """What the caller of the workflow gets."""

    status_code: int
    body: Any
    headers: dict[str, str] = {}


class Response(_Part, frozen=True, tag_field="type", tag="Response"):
    """Answers the caller; the run goes on."""

    kind: Literal["Http"]
    inputs: ResponseInputs
    run_after: RunAfter = {}
    description: str = ""


class Block(_Part, frozen=True):
    """Actions of a switch where no case fits."""

    actions: "dict[str, Action]"


class Case(_Part, frozen=True):
    """Actions of a switch whose expression has this value."""

    case: int | str
    actions: "dict[str, Action]"


class Switch(_Part, frozen=True, tag_field="type", tag="Switch"):
    """Runs the actions of one case."""

    expression: str
    cases: dict[str, Case]
    default: Block
    run_after: RunAfter = {}
    description: str = ""

    def blocks(self) -> "Iterator[dict[str, Action]]":
        """Give the actions of each case and of none."""
        yield from (case.actions for case in self.cases.values())
        yield self.default.actions


type Action = ApiConnection | Response | Switch


class Concurrency(_Part, frozen=True):
    """How many runs there may be at a time."""

    runs: int


class RuntimeConfiguration(_Part, frozen=True):
    """Options of the trigger."""

    concurrency: Concurrency


class TriggerInputs(_Part, frozen=True):
    """What the trigger takes."""

    method: Literal["POST"]
    schema: dict[str, Any]


class Trigger(_Part, frozen=True):
    """When a request comes whose body fits the schema."""

    type: Literal["Request"]
    kind: Literal["Http"]
    inputs: TriggerInputs
    operation_options: Literal["EnableSchemaValidation"]
    runtime_configuration: RuntimeConfiguration


class Declared(_Part, frozen=True):
    """A parameter of the definition."""

    type: Literal["Object", "String"]
    default_value: Any = None


class Value(_Part, frozen=True):
    """What a parameter is deployed with."""

    value: Any


class Definition(_Part, frozen=True):
    """The workflow itself."""

    schema: str = msgspec.field(name="$schema")
    content_version: str
    parameters: dict[str, Declared]
    triggers: dict[str, Trigger]
    actions: dict[str, Action]
    outputs: dict[str, Any]


class Document(_Part, frozen=True):
    """The file."""

    definition: Definition
    parameters: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that can be run: `parameters` are the values that its expressions see."""

    name: str
    trigger_name: str
    trigger: Trigger
    actions: Mapping[str, Action]
    parameters: Mapping[str, Any]


def actions_in(actions: Mapping[str, Action]) -> Iterator[tuple[str, Action]]:
    """Give every action by name, those in switches too."""
    for name, action in actions.items():
        yield name, action
        if isinstance(action, Switch):
            for block in action.blocks():
                yield from actions_in(block)


def api_of(connection_id: str, parameters: Mapping[str, Any]) -> str:
    """Give the connector that a connection is of, such as `office365`; raises KeyError for an unknown connection."""
    apis: dict[str, str] = {
        one["connectionId"]: one["id"].rpartition("/")[2] for one in parameters[CONNECTIONS].values()
    }
    return apis[connection_id]
