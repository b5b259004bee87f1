"""The rows of SQL tables as Parquet files of the lake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.lake_encoding import parquet_of
from shared.clients.storage.lake_files import CONTAINER
from shared.clients.storage.reference import Reference, blob_reference
from shared.contracts import Contract


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """Files in a container that is written as `reference` is: readers see all of a file or none."""

    blobs: Reference

    def write(self, path: str, rows: Sequence[Sequence[Any]], contract: Contract) -> None:
        """Write rows, one at least, in the place of the file; raises Unavailable or LoginRefused.

        Values are in the order of the contract's columns: numbers become decimals with 18 places, times UTC with
        microseconds.
        """
        self.blobs.write(path, parquet_of(rows, contract))


def exported_files(account: Account, retry: RetryPolicy | None = None) -> ExportedFiles:
    """Give the lake of an account."""
    return ExportedFiles(blob_reference(account, retry, CONTAINER))
