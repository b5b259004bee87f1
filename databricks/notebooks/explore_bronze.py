# Databricks notebook source
# What a stream's bronze holds: events and records by window and slice, and the latest records by the contract.
from lakehouse.counting.counts import arrivals
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake
from lakehouse.streams.contract import load_contract
from lakehouse.streams.silver import records

dbutils.widgets.text("catalog", "")  # noqa: F821 - Databricks gives it
dbutils.widgets.text("schema_prefix", "")  # noqa: F821
dbutils.widgets.text("contract", "trades/1")  # noqa: F821
contract = load_contract(dbutils.widgets.get("contract"))  # noqa: F821
lake = Lake(spark, Names(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema_prefix")))  # noqa: F821

# COMMAND ----------
display(arrivals(lake, contract.stream))  # noqa: F821

# COMMAND ----------
# The latest events as the contract reads them; `reason` says why a record would be set aside.
latest = lake.read(f"bronze.{contract.stream}").orderBy("enqueued_at", ascending=False).limit(100)
display(records(latest, contract))  # noqa: F821
