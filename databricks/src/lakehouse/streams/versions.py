"""The versions of a stream's contract: which one checks an event, and how its records become the newest's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.streams.checking import checked, spark_schema
from lakehouse.streams.cleaning import cleaned
from lakehouse.streams.contract import Contract, ContractError, load_contracts
from lakehouse.streams.events import contract_of_event
from lakehouse.streams.packs import opened
from lakehouse.streams.text_lines import with_lines_read

type Upcast = Callable[[DataFrame], DataFrame]
"""Makes records of one version those of the next: pure, row by row.

It is given the older version's columns, all null for a record in quarantine, and others that it hands on.
"""


@dataclass(frozen=True, slots=True)
class Versions:
    """A stream's contracts.

    contracts: all that are known, the oldest first. default: the one that checks events that name none. upcasts: by the
    name of the version that they make, for what is more than new columns and other rules.
    """

    contracts: tuple[Contract, ...]
    default: str
    upcasts: Mapping[str, Upcast] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a default that is not among the contracts."""
        if self.default not in self.names:
            raise ContractError(f"Contract {self.default!r} is not known; there are {', '.join(self.names)}.")

    @property
    def newest(self) -> Contract:
        """Give the version whose columns silver has."""
        return self.contracts[-1]

    @property
    def stream(self) -> str:
        """Name the stream."""
        return self.newest.stream

    @property
    def names(self) -> tuple[str, ...]:
        """Name the contracts."""
        return tuple(contract.name for contract in self.contracts)

    def numbered(self, version: int) -> Contract | None:
        """Give one version; None where it is not known."""
        return next((contract for contract in self.contracts if contract.version == version), None)

    def after(self, version: int) -> tuple[Contract, ...]:
        """Give the later versions, the oldest first."""
        return tuple(contract for contract in self.contracts if contract.version > version)

    def to_newest(self, records: DataFrame, version: int) -> DataFrame:
        """Bring a version's records to the newest: by an upcast where there is one, else new columns are null."""
        for newer in self.after(version):
            upcast = self.upcasts.get(newer.name)
            records = upcast(records) if upcast else _with_new_columns(records, newer)
        return records


def versions_of(contract: str) -> Versions:
    """Read all versions of a stream's contract that the wheel carries; raises ContractError.

    contract: the version that checks events that name none, such as `trades/1`.
    """
    return Versions(load_contracts(contract.partition("/")[0]), default=contract)


def newest_of(stream: str) -> Versions:
    """Read all versions of a stream's contract, of which the newest checks events that name none."""
    contracts = load_contracts(stream)
    return Versions(contracts, default=contracts[-1].name)


def records(bronze: DataFrame, feed: str, versions: Versions) -> DataFrame:
    """Open and check events, each by its own version; clean records by the rules of the newest.

    Gives the newest version's typed columns, `cleaned` where it has rules, lineage, `rows`, `reason`, which is null for
    a good record, and `body`, which is null for a good one.
    """
    read = with_lines_read(bronze, versions.stream)
    parts = [_records(read, feed, versions, contract) for contract in versions.contracts]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    return cleaned(whole, versions.newest)


def breaking(older: Contract, newer: Contract) -> Iterator[str]:
    """Say what of a newer version silver can't take up by adding columns."""
    kinds = {column.name: column.kind for column in newer.fields}
    for column in older.fields:
        if column.name not in kinds:
            yield f"{newer.name} drops column {column.name}"
        elif kinds[column.name] != column.kind:
            yield f"{newer.name} makes column {column.name} a {kinds[column.name]}, which was a {column.kind}"
    if newer.key != older.key:
        yield f"{newer.name} has the key {', '.join(newer.key)}, which was {', '.join(older.key)}"


def refusals(versions: Versions) -> list[str]:
    """Say all that speaks against these versions beside one another: each change that no upcast is made for."""
    reasons = [
        reason
        for older, newer in pairwise(versions.contracts)
        if newer.name not in versions.upcasts
        for reason in breaking(older, newer)
    ]
    made = {newer.name for newer in versions.contracts[1:]}
    return reasons + [
        f"an upcast makes {name}, which is no later version" for name in sorted(set(versions.upcasts) - made)
    ]


def wrong_upcasts(versions: Versions, empty: Callable[[Contract], DataFrame]) -> list[str]:
    """Say which upcasts don't make their version's columns. empty: gives a frame of a version's columns, of no row."""
    return [
        reason
        for older, newer in pairwise(versions.contracts)
        if newer.name in versions.upcasts
        for reason in _differences(versions.upcasts[newer.name](empty(older)), newer)
    ]


def _differences(made: DataFrame, contract: Contract) -> Iterator[str]:
    types = {column.name: column.dataType for column in made.schema}
    for column in spark_schema(contract):
        if column.name not in types:
            yield f"the upcast to {contract.name} makes no column {column.name}"
        elif types[column.name] != column.dataType:
            found, right = types[column.name].simpleString(), column.dataType.simpleString()
            yield f"the upcast to {contract.name} makes column {column.name} a {found}, not a {right}"


def _records(bronze: DataFrame, feed: str, versions: Versions, contract: Contract) -> DataFrame:
    own = contract_of_event(versions.names, versions.default) == contract.name
    events = bronze.where(own) if len(versions.contracts) > 1 else bronze
    found = checked(opened(events, feed, versions.names), contract)
    later = versions.after(contract.version)
    if any(newer.name in versions.upcasts for newer in later):
        found = found.withColumns(_if_good(contract.columns))
    kept = [name for name in found.columns if name not in (*contract.columns, "body")]
    body = F.when(F.col("reason").isNotNull(), F.col("body")).alias("body")
    return versions.to_newest(found, contract.version).select(*versions.newest.columns, *kept, body)


def _if_good(names: Sequence[str]) -> dict[str, Column]:
    return {name: F.when(F.col("reason").isNull(), F.col(name)) for name in names}


def _with_new_columns(records: DataFrame, contract: Contract) -> DataFrame:
    there = set(records.columns)
    missing = [column for column in spark_schema(contract) if column.name not in there]
    return records.withColumns({column.name: F.lit(None).cast(column.dataType) for column in missing})
