# Databricks notebook source
# What a stream's bronze holds: events and records by window and slice, and how far each partition is read.
from lakehouse.streams.contract import load_contract
from lakehouse.counting.counts import arrivals
from lakehouse.lake.tables import Lake
from lakehouse.streams.silver import records

dbutils.widgets.text("contract", "trades/1")  # noqa: F821 - Databricks gives it
contract = load_contract(dbutils.widgets.get("contract"))  # noqa: F821
lake = Lake(spark)  # noqa: F821

# COMMAND ----------
display(arrivals(lake, contract.stream))  # noqa: F821

# COMMAND ----------
# The latest events as the contract reads them; `reason` says why a record would be set aside.
latest = lake.read(f"bronze.{contract.stream}").orderBy("enqueued_at", ascending=False).limit(100)
display(records(latest, contract))  # noqa: F821
