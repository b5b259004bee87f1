# Databricks notebook source
# A window from bronze to gold: rows by stage, what was set aside and why.
from lakehouse.counting.counts import count_windows
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake
from lakehouse.streams.silver import quarantine_reasons

dbutils.widgets.text("catalog", "")  # noqa: F821 - Databricks gives it
dbutils.widgets.text("schema_prefix", "")  # noqa: F821
dbutils.widgets.text("window_id", "")  # noqa: F821
dbutils.widgets.text("stream", "trades")  # noqa: F821
window_id, stream = dbutils.widgets.get("window_id"), dbutils.widgets.get("stream")  # noqa: F821
lake = Lake(spark, Names(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema_prefix")))  # noqa: F821

# COMMAND ----------
print(count_windows(lake, stream, [window_id], with_gold=stream == "trades")[window_id])

# COMMAND ----------
display(quarantine_reasons(lake, stream, window_id))  # noqa: F821
