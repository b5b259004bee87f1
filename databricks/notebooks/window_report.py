# Databricks notebook source
# A window from bronze to gold: rows by stage of each stream, the verdict where it is closed, what was set aside.
from lakehouse.counting.report import window_report
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake
from lakehouse.streams.silver import quarantine_reasons

dbutils.widgets.text("catalog", "")  # noqa: F821 - Databricks gives it
dbutils.widgets.text("schema_prefix", "")  # noqa: F821
dbutils.widgets.text("window_id", "")  # noqa: F821
dbutils.widgets.text("streams", "trades")  # noqa: F821
dbutils.widgets.text("reference_url", "")  # noqa: F821
window_id, streams = dbutils.widgets.get("window_id"), dbutils.widgets.get("streams").split(",")  # noqa: F821
lake = Lake(spark, Names(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema_prefix")))  # noqa: F821

# COMMAND ----------
feed = window_id.rpartition("-")[0]
display(window_report(lake, feed, streams, window_id, dbutils.widgets.get("reference_url")))  # noqa: F821

# COMMAND ----------
display(quarantine_reasons(lake, streams[0], window_id))  # noqa: F821
