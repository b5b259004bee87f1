"""Azure Tables, as ledgers need them: insert once, read, query, and change under a row's ETag."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.data.tables import TableClient, TableServiceClient, UpdateMode

from shared.clients.failures import call
from shared.clients.identity.credentials import BlockingIdentity, Identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts, connect_seconds
from shared.clients.storage.answers import BY_CODE
from shared.errors import Denied, LoginRefused, Unavailable

type Entity = Mapping[str, Any]
type Key = tuple[str, str]
"""Partition key and row key."""

_TIMEOUTS: Final = Timeouts(total=10.0, attempt=5.0, ordinary=Backoff(0.4, 2.0), throttled=Backoff(1.0, 4.0))
"""Short, as a slice must not wait for its ledger."""

_PLACE: Final = "The ledger"
_ANSWERS: Final = (ResourceNotFoundError, ResourceExistsError, ResourceModifiedError)
"""What the service says about a row, which is no failure."""

_MAX_RACES = 50


class Tables:
    """Tables of one account, made at first use; every verb raises Unavailable."""

    def __init__(
        self,
        service: Callable[[], TableServiceClient],
        client: str = "the connection string",
        retry: RetryPolicy | None = None,
    ) -> None:
        """Keep the way to the table service and the name of who asks; nothing is dialled before the first verb."""
        self._service = service
        self._client = client
        self._retry = retry or RetryPolicy(_TIMEOUTS)
        self._tables: dict[str, TableClient] = {}
        self._lock = threading.Lock()

    def insert(self, table: str, entity: Entity) -> bool:
        """Insert an entity if its key is free; say whether this call did.

        Not tried again where the answer was lost: the row may be there by then, and nobody would know whose it is.
        """
        try:
            self._call(lambda limits: self._table(table).create_entity(dict(entity), **limits), ServiceResponseError)
        except ResourceExistsError:
            return False
        except ServiceResponseError as lost:
            raise Unavailable(f"{_PLACE} did not say whether it took a row: {type(lost).__name__}.") from None
        return True

    def read(self, table: str, key: Key) -> Entity | None:
        """Read an entity, None where there is none."""
        found = self._read(table, key)
        return found[0] if found else None

    def query(self, table: str, query: str, parameters: Mapping[str, Any]) -> list[Entity]:
        """List the entities that an OData filter finds, by their keys."""
        return self._call(
            lambda limits: list(self._table(table).query_entities(query, parameters=dict(parameters), **limits))
        )

    def upsert(self, table: str, entity: Entity) -> None:
        """Write an entity, whatever was there."""
        self._call(lambda limits: self._table(table).upsert_entity(dict(entity), mode=UpdateMode.REPLACE, **limits))

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
            entity = self._call(lambda limits: self._table(table).get_entity(*key, **limits))
        except ResourceNotFoundError:
            return None
        return entity, str(entity.metadata["etag"])

    def _replace(self, table: str, entity: Entity, etag: str) -> bool:
        """Say whether the row was still as it was read; where an answer was lost the second try says that it is not."""
        options: dict[str, Any] = {
            "mode": UpdateMode.REPLACE,
            "etag": etag,
            "match_condition": MatchConditions.IfNotModified,
        }
        try:
            self._call(lambda limits: self._table(table).update_entity(dict(entity), **options, **limits))
        except ResourceModifiedError:
            return False
        return True

    def _table(self, name: str) -> TableClient:
        with self._lock:
            if name not in self._tables:
                self._tables[name] = self._service().create_table_if_not_exists(name)
            return self._tables[name]

    def _call[Answer](self, verb: Callable[[dict[str, Any]], Answer], *keep: type[ServiceResponseError]) -> Answer:
        """Call the service; what is no answer about a row becomes Unavailable, a refused login Denied."""
        try:
            return self._retry.call(
                lambda seconds: call(
                    lambda: verb(_limits(seconds)),
                    place=_PLACE,
                    client=self._client,
                    keep=(*_ANSWERS, *keep),
                    words=BY_CODE,
                )
            )
        except LoginRefused as refused:
            raise Denied(str(refused)) from refused


def tables_of(connection: str | None, endpoint: str, identity: Identity, ca_bundle: str | None) -> Tables:
    """Give the tables of an account: by connection string, or at `endpoint` by identity.

    Nothing is dialled yet.
    """
    options: dict[str, Any] = {"retry_total": 0} | ({"connection_verify": ca_bundle} if ca_bundle else {})
    if connection:
        return Tables(lambda: TableServiceClient.from_connection_string(connection, **options))
    who = f"client id {identity.client_id}"
    return Tables(lambda: TableServiceClient(endpoint, credential=BlockingIdentity(identity), **options), who)


def _limits(seconds: float) -> dict[str, Any]:
    return {"connection_timeout": connect_seconds(seconds), "read_timeout": seconds}
