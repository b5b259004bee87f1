# Databricks notebook source
# What a stream's bronze holds: events and records by window and slice, and the latest records by the contract.
from lakehouse.counting.counted import arrivals
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake
from lakehouse.streams.versions import records, versions_of

dbutils.widgets.text("catalog", "")  # noqa: F821 - Databricks gives it
dbutils.widgets.text("schema_prefix", "")  # noqa: F821
dbutils.widgets.text("feed", "trades")  # noqa: F821
dbutils.widgets.text("contract", "trades/1")  # noqa: F821
feed, versions = dbutils.widgets.get("feed"), versions_of(dbutils.widgets.get("contract"))  # noqa: F821
lake = Lake(spark, Names(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema_prefix")))  # noqa: F821

# COMMAND ----------
display(arrivals(lake.read(f"bronze.{versions.stream}"), feed))  # noqa: F821

# COMMAND ----------
# The latest events as their contracts read them; `reason` says why a record would be set aside.
latest = lake.read(f"bronze.{versions.stream}").orderBy("enqueued_at", ascending=False).limit(100)
display(records(latest, feed, versions))  # noqa: F821
