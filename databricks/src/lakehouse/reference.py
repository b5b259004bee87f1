"""What the app wrote for the lakehouse, in containers of blob storage or in folders that Spark can read.

The container `reference` has lookups and windows' markers, `lake` reference data and exported rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


class StoreFailed(Exception):
    """Files that could not be listed; says why."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a store. changed: when it was last written, with its offset; blob storage says it to the second."""

    path: str
    changed: datetime


class ReferenceStore(Protocol):
    """Gives what the app wrote for the lakehouse."""

    def read(self, path: str) -> bytes | None:
        """Read a document, whole; None where there is none."""
        ...

    def files(self, folder: str) -> Sequence[StoredFile]:
        """List the files below a folder; raises StoreFailed."""
        ...


class BlobReference:
    """A container, by connection string."""

    def __init__(self, connection_string: str, container: str) -> None:
        self._container = ContainerClient.from_connection_string(connection_string, container)

    def read(self, path: str) -> bytes | None:
        """Read a blob; None where there is none."""
        try:
            return self._container.download_blob(path).readall()
        except ResourceNotFoundError:
            return None

    def files(self, folder: str) -> Sequence[StoredFile]:
        """List the blobs, without those by which storage with a hierarchy marks its folders."""
        with _listing(folder):
            found = self._container.list_blobs(name_starts_with=f"{folder}/", include=["metadata"])
            blobs = [blob for blob in found if (blob.metadata or {}).get("hdi_isfolder") != "true"]
            return [StoredFile(blob.name, blob.last_modified) for blob in blobs]


class FolderReference:
    """A folder or storage URL (abfss, a Unity Catalog volume), read by Spark with its own credentials."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        self._spark = spark
        self._root = root.rstrip("/")

    def read(self, path: str) -> bytes | None:
        """Read a file; None where there is none."""
        try:
            found = self._spark.read.format("binaryFile").load(f"{self._root}/{path}").select("content").collect()
        except AnalysisException as error:
            if error.getCondition() == "PATH_NOT_FOUND":
                return None
            raise
        return bytes(found[0].content) if found else None

    def files(self, folder: str) -> Sequence[StoredFile]:
        """List the files; their content is not read for it."""
        reader = self._spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        with _listing(folder):
            listed = reader.load(f"{self._root}/{folder}").select("path", F.unix_millis("modificationTime"))
            found = [(folder + path.rpartition(f"/{folder}")[2], changed) for path, changed in listed.collect()]
            return [StoredFile(path, datetime.fromtimestamp(changed / 1000, UTC)) for path, changed in found]


@contextmanager
def _listing(folder: str) -> Iterator[None]:
    try:
        yield
    except (AzureError, PySparkException) as error:
        raise StoreFailed(f"The folder {folder!r} can't be listed: {type(error).__name__} {error}") from error


def reference_store(spark: SparkSession, url: str, connection_string: str) -> ReferenceStore:
    """Choose by URL: `https://<account>/<container>` is blob storage, anything else a folder."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return BlobReference(connection_string, parts.path.rstrip("/").rpartition("/")[2])
    return FolderReference(spark, url)
