"""The reference store: lookups and windows' markers, in blob storage or in a folder that Spark can read."""

from io import BytesIO
from typing import Protocol
from urllib.parse import urlsplit

import pyarrow.parquet as pq
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession


class LookupMissing(Exception):
    """The lookup that the run was given is not there; the text names its path."""


class ReferenceStore(Protocol):
    """Gives what the app wrote for the lakehouse."""

    def read(self, path: str) -> bytes | None:
        """Read a document, whole; None where there is none."""
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


def reference_store(spark: SparkSession, url: str, connection_string: str) -> ReferenceStore:
    """Choose by URL: `https://<account>/<container>` is blob storage, anything else a folder."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return BlobReference(connection_string, parts.path.rstrip("/").rpartition("/")[2])
    return FolderReference(spark, url)


def read_lookup(spark: SparkSession, store: ReferenceStore, path: str) -> DataFrame:
    """Read a Parquet lookup (some thousands of rows); raises LookupMissing."""
    document = store.read(path)
    if document is None:
        raise LookupMissing(f"the lookup {path!r} is not in the reference store: was prepare_lookup's step skipped?")
    return as_frame(spark, document)


def as_frame(spark: SparkSession, parquet: bytes) -> DataFrame:
    """Read a small Parquet document on the driver."""
    return spark.createDataFrame(pq.read_table(BytesIO(parquet)))
