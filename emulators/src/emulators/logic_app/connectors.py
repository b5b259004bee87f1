"""The managed connectors that workflows call: entities of Azure Tables, and mail that goes to the outbox."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from emulators.logic_app.outbox import Outbox
from emulators.logic_app.tables import Tables

_ACCOUNT_AND_TABLE: Final = r"/v2/storageAccounts/([^/]+)/tables/([^/]+)/entities"
_KEYS: Final = r"\(PartitionKey='([^']*)',RowKey='([^']*)'\)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a connector says."""

    status: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Connectors:
    """All that a workflow may reach."""

    tables: Tables
    outbox: Outbox

    def call(self, api: str, method: str, path: str, body: Any) -> Answer:  # noqa: ANN401 - any JSON value
        """Do what is asked; a path that fits no operation is 404."""
        for operation, pattern in _OPERATIONS.get((api, method), {}).items():
            if match := re.fullmatch(pattern, path):
                return operation(self, match.groups(), body)
        return Answer(404, {"error": {"code": "NotFound", "message": "There is no such operation."}})

    def find_entity(self, keys: tuple[str, ...], _body: object) -> Answer:
        """Get an entity by its keys."""
        account, table, partition_key, row_key = _decoded(keys)
        found = self.tables.find(account, table, partition_key, row_key)
        return Answer(404, {"odata.error": {"code": "ResourceNotFound"}}) if found is None else Answer(200, found)

    def insert_entity(self, keys: tuple[str, ...], body: Mapping[str, Any]) -> Answer:
        """Insert an entity; 409 where its keys are taken."""
        account, table = _decoded(keys)
        inserted = self.tables.insert(account, table, body)
        return Answer(201, body) if inserted else Answer(409, {"odata.error": {"code": "EntityAlreadyExists"}})

    def send_mail(self, _keys: tuple[str, ...], body: Mapping[str, Any]) -> Answer:
        """Put a mail into the outbox; one that can't be written is 400."""
        try:
            self.outbox.put(body["To"], body["Subject"], body["Body"])
        except (KeyError, ValueError) as error:
            return Answer(400, {"error": {"code": "BadRequest", "message": f"The mail can't be sent: {error}."}})
        return Answer(200)


_OPERATIONS: Final[Mapping[tuple[str, str], Mapping[Callable[[Connectors, tuple[str, ...], Any], Answer], str]]] = {
    ("azuretables", "get"): {Connectors.find_entity: _ACCOUNT_AND_TABLE + _KEYS},
    ("azuretables", "post"): {Connectors.insert_entity: _ACCOUNT_AND_TABLE},
    ("office365", "post"): {Connectors.send_mail: "/v2/Mail"},
}


def understands(api: str, method: str, path: str) -> bool:
    """Say whether an operation is at this path."""
    return any(re.fullmatch(pattern, path) for pattern in _OPERATIONS.get((api, method), {}).values())


def _decoded(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Undo the encoding of path segments; the account's name is encoded twice, as the designer writes it."""
    account, *rest = keys
    return (unquote(unquote(account)), *map(unquote, rest))
