# Databricks notebook source
# The history of a table: its commits, the rows that they wrote, and how many files it has, over time.
from lakehouse.lake.history import history_of
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake

dbutils.widgets.text("catalog", "")  # noqa: F821 - Databricks gives it
dbutils.widgets.text("schema_prefix", "")  # noqa: F821
dbutils.widgets.text("table", "silver.trades")  # noqa: F821
names = Names(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema_prefix"))  # noqa: F821
history = history_of(Lake(spark, names), dbutils.widgets.get("table")).cache()  # noqa: F821

# COMMAND ----------
display(history)  # noqa: F821

# COMMAND ----------
# Rows over time, by operation.
rows = history.toPandas().pivot_table(index="timestamp", columns="operation", values="rows_written", aggfunc="sum")
rows.plot(kind="area", title="rows written", figsize=(12, 4))

# COMMAND ----------
# Files over time: they grow with each pass until maintenance gathers them.
history.toPandas().plot(x="timestamp", y="files", drawstyle="steps-post", title="files", figsize=(12, 4))
