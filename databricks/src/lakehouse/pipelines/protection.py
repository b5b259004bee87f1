"""What is wrong with tables that keep histories, hold tokens, or hold personal data in clear text."""

from collections.abc import Iterable, Iterator

from lakehouse.personal_data import KEY_VERSION
from lakehouse.pipelines.bounds import Contracts
from lakehouse.pipelines.kinds.type2 import IS_CURRENT, VALID_FROM, VALID_TO, Type2
from lakehouse.pipelines.table import Table

_VALIDITY = {VALID_FROM: "date", VALID_TO: "date", IS_CURRENT: "boolean"}


def of_history(table: Table, contracts: Contracts) -> Iterator[str]:
    """Say what a table lacks for its kind to keep versions in it."""
    if not isinstance(table.kind, Type2):
        return
    if table.kind.lookup not in contracts.lookups:
        yield f"its kind keeps versions of {table.kind.lookup!r}, which is no lookup"
    types = {column.name: column.type for column in table.columns}
    for name, wanted in _VALIDITY.items():
        if types.get(name) != wanted:
            yield f"its kind needs a column {name!r} of the type {wanted}"
    if VALID_FROM not in table.key:
        yield f"its kind tells versions of a key apart by {VALID_FROM!r}, which is no part of its key"


def of_tokens(table: Table, contracts: Contracts) -> Iterator[str]:
    """Say where nobody could tell how a table's tokens were made."""
    personal = [set(of.values()) & contracts.personal.get(name, frozenset()) for name, of in table.repeats.items()]
    repeated = sorted(set[str]().union(*personal))
    if repeated and not table.is_restricted and KEY_VERSION not in {column.name for column in table.columns}:
        yield f"it has tokens of {', '.join(repeated)} and no column {KEY_VERSION!r}, which says how they were made"


def of_restricted(tables: Iterable[Table]) -> Iterator[str]:
    """Say where what few may read could be read by another way."""
    there = list(tables)
    restricted = {table.name for table in there if table.is_restricted}
    for table in there:
        if table.is_restricted and (table.sql or table.pushed):
            yield f"{table.name}: it is restricted, so it can't be published."
        for name in sorted(restricted & set(table.inputs)):
            yield f"{table.name}: its input {name!r} is restricted, so no other table can be made of it."
