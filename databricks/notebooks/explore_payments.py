# Databricks notebook source
# The history of payments: how many, what is blank or invalid, amounts by currency, and their course by country.
from lakehouse.exploring import amounts_by, blanks, rules_met, values_of
from lakehouse.lake.naming import Names
from lakehouse.lake.tables import Lake

dbutils.widgets.text("catalog", "")  # noqa: F821 - Databricks gives it
dbutils.widgets.text("schema_prefix", "")  # noqa: F821
lake = Lake(spark, Names(dbutils.widgets.get("catalog"), dbutils.widgets.get("schema_prefix")))  # noqa: F821
payments = lake.read("silver.transactions")

# COMMAND ----------
display(values_of(payments, "window_id"))  # noqa: F821

# COMMAND ----------
# What is blank or null, and which cleaning rules met how many payments.
display(blanks(payments))  # noqa: F821
display(rules_met(payments))  # noqa: F821

# COMMAND ----------
# Codes as they came: X and Y are no valid result of a check of the card's security code.
display(values_of(payments, "cvvVerifyResult", "cardType"))  # noqa: F821

# COMMAND ----------
display(amounts_by(payments, "transactionCurrencyCode", "transactionAmount"))  # noqa: F821

# COMMAND ----------
# US dollars of five minutes, by the accounts' country.
course = lake.read("gold.transactions_5min").toPandas().astype({"amount_usd": float})
by_country = course.pivot_table(index="bucket_start", columns="accountCountry", values="amount_usd", aggfunc="sum")
by_country.plot(title="US dollars in five minutes", figsize=(12, 4))
