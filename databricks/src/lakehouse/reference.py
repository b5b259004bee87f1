"""The reference store: lookups and windows' markers, in blob storage or in a folder that Spark can read."""

from typing import Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession


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
