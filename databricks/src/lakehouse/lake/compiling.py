"""Whether Spark compiles code for a pass: for few rows that costs more than all the rest."""

from collections.abc import Mapping
from typing import Final

from pyspark.sql import SparkSession

FEW_BYTES: Final = 256 * 1024
"""Events of so many bytes are few: about 1,500 records as text, some 10,000 where packs are compressed."""

FEW_EVENTS: Final = 10_000
"""What came of so many events is counted before the code for it would be compiled."""

_INTERPRETED: Final = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


class Compiling:
    """Has a session interpret its plans while there are few rows, and do as it was set for many.

    A pass of 200 rows takes 5.2 CPU-seconds so, and 8.1 where code is compiled for it. A session that does not let this
    be set (serverless) is left as it is.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        settable = [name for name in _INTERPRETED if spark.conf.isModifiable(name)]
        self._as_set = {name: str(spark.conf.get(name)) for name in settable}

    def suit(self, size: int, few: int = FEW_BYTES) -> None:
        """Choose for events of that many bytes, or for so many of what `few` is said of."""
        self._choose(_INTERPRETED if size <= few else self._as_set)

    def as_set(self) -> None:
        """Do as the session was set, for work of unknown size."""
        self._choose(self._as_set)

    def _choose(self, values: Mapping[str, str]) -> None:
        for name in self._as_set:
            self._spark.conf.set(name, values[name])
