"""Azure Tables, as ledgers need them: insert once, read, query, and change under a row's ETag."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched, islice
from typing import Any, Final, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.data.tables import TableClient, TableErrorCode, TableServiceClient, TableTransactionError, UpdateMode

from shared.clients.failures import call
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts, connect_seconds
from shared.clients.storage.account import Account
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


MOST_IN_A_PAGE: Final = 1000
"""As many rows Azure Tables answers at the most; it asks again for more."""

MOST_TOGETHER: Final = 100
"""So many rows of one partition Azure Tables changes at once."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows are asked for: those of a partition (None: of all), with row keys in `[first, before)`.

    columns: what some of their columns must hold, one of the values given; below: a text that some of them must be
    less than. A row without such a column is not found.
    """

    partition: str | None = None
    first: str = ""
    before: str = ""
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    below: Mapping[str, str] = field(default_factory=dict)


class TableStore(Protocol):
    """Tables of rows with a primary key of two texts, safe against any number of writers."""

    def insert(self, table: str, entity: Entity) -> bool:
        """Insert an entity if its key is free; say whether this call did."""

    def insert_together(self, table: str, entities: Sequence[Entity]) -> bool:
        """Insert entities of one partition, at most `MOST_TOGETHER` with a key each, all of them or none.

        Says False where one of them was there: of another writer, or of a try before whose answer was lost.
        """

    def read(self, table: str, key: Key) -> Entity | None:
        """Read an entity, None where there is none."""

    def query(self, table: str, query: Query, most: int | None = None) -> list[Entity]:
        """List the entities that a query finds, by their keys; the first `most` of them."""

    def upsert(self, table: str, entity: Entity) -> None:
        """Write an entity, whatever was there."""

    def change(self, table: str, key: Key, change: Callable[[Entity], Entity | None]) -> Entity | None:
        """Replace an entity by what `change` makes of it, again on a race; None keeps it. Answer the entity now."""

    def delete(self, table: str, keys: Iterable[Key]) -> None:
        """Delete entities of one partition; those that are not there are passed over."""

    def remove(self, table: str, key: Key, when: Callable[[Entity], bool]) -> bool:
        """Delete an entity that is as `when` wants it, unless somebody changes it meanwhile; say whether it did."""


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

    def insert_together(self, table: str, entities: Sequence[Entity]) -> bool:
        """Insert entities by one transaction of the service; say whether all were new."""
        operations = [("create", dict(entity)) for entity in entities]

        def inserted(limits: dict[str, Any]) -> None:
            try:
                self._table(table).submit_transaction(operations, **limits)
            except TableTransactionError as error:
                raise _cause_of(error) from error

        try:
            self._call(inserted)
        except ResourceExistsError:
            return False
        return True

    def read(self, table: str, key: Key) -> Entity | None:
        """Read an entity, None where there is none."""
        found = self._read(table, key)
        return found[0] if found else None

    def query(self, table: str, query: Query, most: int | None = None) -> list[Entity]:
        """List the entities that a query finds, by their keys; the filter runs in the service."""
        odata, parameters = _odata(query)
        page = min(most or MOST_IN_A_PAGE, MOST_IN_A_PAGE)

        def found(limits: dict[str, Any]) -> list[Entity]:
            client, options = self._table(table), {"results_per_page": page, **limits}
            if not odata:
                return list(islice(client.list_entities(**options), most))
            return list(islice(client.query_entities(odata, parameters=parameters, **options), most))

        return self._call(found)

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

    def delete(self, table: str, keys: Iterable[Key]) -> None:
        """Delete by transactions, one by one where a row of one was deleted by somebody else."""
        for some in batched(keys, MOST_TOGETHER, strict=False):
            rows = [{"PartitionKey": partition, "RowKey": row} for partition, row in some]
            try:
                self._delete_all(table, rows)
            except TableTransactionError:
                for row in rows:
                    self._delete_one(table, row)

    def remove(self, table: str, key: Key, when: Callable[[Entity], bool]) -> bool:
        """Delete an entity that is as `when` wants it, under its ETag; say whether this call did."""
        found = self._read(table, key)
        if found is None or not when(found[0]):
            return False
        options: dict[str, Any] = {"etag": found[1], "match_condition": MatchConditions.IfNotModified}
        try:
            self._call(lambda limits: self._table(table).delete_entity(dict(found[0]), **options, **limits))
        except ResourceModifiedError:
            return False
        return True

    def _delete_all(self, table: str, rows: Sequence[Entity]) -> None:
        operations = [("delete", row) for row in rows]
        self._call(lambda limits: self._table(table).submit_transaction(operations, **limits), TableTransactionError)

    def _delete_one(self, table: str, row: Entity) -> None:
        self._call(lambda limits: self._table(table).delete_entity(dict(row), **limits))

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

    def _call[Answer](self, verb: Callable[[dict[str, Any]], Answer], *keep: type[AzureError]) -> Answer:
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


def tables_of(account: Account) -> Tables:
    """Give the tables of an account; nothing is dialled yet."""
    return Tables(lambda: account.service(TableServiceClient), account.who)


def _odata(query: Query) -> tuple[str, dict[str, str]]:
    """Write a query's filter; the SDK puts in the parameters, which must stand between blanks, and quotes them."""
    parameters: dict[str, str] = {}

    def compared(column: str, operator: str, value: str) -> str:
        name = f"p{len(parameters)}"
        parameters[name] = value
        return f"{column} {operator} @{name}"

    clauses = [compared("PartitionKey", "eq", query.partition)] if query.partition is not None else []
    clauses += [compared("RowKey", "ge", query.first)] if query.first else []
    clauses += [compared("RowKey", "lt", query.before)] if query.before else []
    clauses += [compared(column, "lt", value) for column, value in query.below.items()]
    for column, values in query.columns.items():
        clauses.append(f"( {' or '.join(compared(column, 'eq', value) for value in values)} )")
    return " and ".join(clauses), parameters


def _cause_of(error: TableTransactionError) -> AzureError:
    """Give the failure of the row that a transaction failed by."""
    exists = getattr(error, "error_code", None) == TableErrorCode.ENTITY_ALREADY_EXISTS
    return ResourceExistsError(error.message, response=error.response) if exists else error


def _limits(seconds: float) -> dict[str, Any]:
    return {"connection_timeout": connect_seconds(seconds), "read_timeout": seconds}
