"""Settings of a session for small batches on one machine, where Spark's preparations cost more than its work."""

from pyspark.sql import SparkSession

_SETTINGS = {
    # A pass runs some sixty short jobs. Compiling code for each took longer than all rows: 25 s a pass, 10 s without.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def prefer_small_data(spark: SparkSession) -> None:
    """Interpret plans instead of compiling them, from here on."""
    for key, value in _SETTINGS.items():
        spark.conf.set(key, value)
