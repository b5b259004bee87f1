"""Azure Tables, as ledgers need them: insert once, read, query, and change under a row's ETag."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient, UpdateMode

from shared.clients.identity.credentials import BlockingIdentity, Identity
from shared.errors import Unavailable

type Entity = Mapping[str, Any]
type Key = tuple[str, str]
"""Partition key and row key."""

_PRECONDITION_FAILED = 412
_MAX_RACES = 50


class Tables:
    """Tables of one account, made at first use; every verb raises Unavailable."""

    def __init__(self, service: Callable[[], TableServiceClient]) -> None:
        """Keep the way to the table service; nothing is dialled before the first verb."""
        self._service = service
        self._tables: dict[str, TableClient] = {}
        self._lock = threading.Lock()

    def insert(self, table: str, entity: Entity) -> bool:
        """Insert an entity if its key is free; say whether this call did."""
        try:
            _call(lambda: self._table(table).create_entity(dict(entity)))
        except ResourceExistsError:
            return False
        return True

    def read(self, table: str, key: Key) -> Entity | None:
        """Read an entity, None where there is none."""
        found = self._read(table, key)
        return found[0] if found else None

    def query(self, table: str, query: str, parameters: Mapping[str, Any]) -> list[Entity]:
        """List the entities that an OData filter finds, by their keys."""
        return _call(lambda: list(self._table(table).query_entities(query, parameters=dict(parameters))))

    def upsert(self, table: str, entity: Entity) -> None:
        """Write an entity, whatever was there."""
        _call(lambda: self._table(table).upsert_entity(dict(entity), mode=UpdateMode.REPLACE))

    def change(self, table: str, key: Key, change: Callable[[Entity], Entity | None]) -> Entity | None:
        """Replace an entity by what `change` makes of it, again on a race; None keeps it. Answer the entity now."""
        for _ in range(_MAX_RACES):
            found = self._read(table, key)
            changed = change(found[0]) if found else None
            if found is None or changed is None:
                return found[0] if found else None
            if self._replace(table, changed, found[1]):
                return changed
        raise Unavailable(f"Row {'/'.join(key)} of table {table} was changed by others {_MAX_RACES} times in a row.")

    def _read(self, table: str, key: Key) -> tuple[Entity, str] | None:
        try:
            entity = _call(lambda: self._table(table).get_entity(*key))
        except ResourceNotFoundError:
            return None
        return entity, str(entity.metadata["etag"])

    def _replace(self, table: str, entity: Entity, etag: str) -> bool:
        condition = MatchConditions.IfNotModified
        client = self._table(table)
        try:
            _call(
                lambda: client.update_entity(
                    dict(entity), mode=UpdateMode.REPLACE, etag=etag, match_condition=condition
                )
            )
        except HttpResponseError as error:
            if error.status_code == _PRECONDITION_FAILED:
                return False
            raise
        return True

    def _table(self, name: str) -> TableClient:
        with self._lock:
            if name not in self._tables:
                self._tables[name] = _call(lambda: self._service().create_table_if_not_exists(name))
            return self._tables[name]


def tables_of(connection: str | None, endpoint: str, identity: Identity, ca_bundle: str | None) -> Tables:
    """Give the tables of an account: by connection string, or at `endpoint` by identity.

    Nothing is dialled yet. Each call gives up after some seconds: a slice must not wait for its ledger.
    """
    patience = {"retry_total": 3, "retry_backoff_factor": 0.4, "connection_timeout": 5, "read_timeout": 10}
    options: dict[str, Any] = patience | ({"connection_verify": ca_bundle} if ca_bundle else {})
    if connection:
        return Tables(lambda: TableServiceClient.from_connection_string(connection, **options))
    return Tables(lambda: TableServiceClient(endpoint, credential=BlockingIdentity(identity), **options))


def _call[Answer](verb: Callable[[], Answer]) -> Answer:
    """Call the service; what is no answer about a row becomes Unavailable."""
    try:
        return verb()
    except (ResourceNotFoundError, ResourceExistsError):
        raise
    except HttpResponseError as error:
        if error.status_code == _PRECONDITION_FAILED:
            raise
        raise Unavailable(f"The ledger answered {error.status_code} ({error.reason}).") from error
    except AzureError as error:
        raise Unavailable(f"The ledger can't be reached: {type(error).__name__}.") from error
