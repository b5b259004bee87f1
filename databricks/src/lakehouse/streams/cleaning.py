"""Cleans good records by the rules of their contract (`x-clean`), and says of each which rules met it."""

from functools import lru_cache
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.streams.checking import COLUMN_TYPES
from lakehouse.streams.contract import CLEANED, CleaningRule, Contract, Field

CLEANED_TYPE = T.ArrayType(T.StringType())


def cleaned(records: DataFrame, contract: Contract) -> DataFrame:
    """Put the columns of a contract in order by its rules, and add `cleaned`; without rules nothing is done.

    records: the contract's typed columns, and others that are kept.
    """
    return records.withColumns(_expressions(contract)) if contract.cleaning else records


def cleaned_column(contract: Contract) -> list[T.StructField]:
    """Give the column that says which rules met a row; none where the contract has no rules."""
    if not contract.cleaning:
        return []
    rules = "; ".join(f"{rule.name} ({_description(of, rule)})" for of, rule in contract.cleaning)
    comment = f"The rules that met the record, null in rows of before there were rules: {rules}."
    return [T.StructField(CLEANED, CLEANED_TYPE, metadata={"comment": comment})]


@lru_cache(maxsize=64)
def _expressions(contract: Contract) -> dict[str, Column]:
    """Build a contract's expressions once a process; they all look at the values as they came."""
    met = [F.when(_meets(of, rule), F.lit(rule.name)) for of, rule in contract.cleaning]
    values = {of.name: _value(of) for of in contract.fields if any(rule.replaces for rule in of.cleaning)}
    return {**values, CLEANED: F.array_compact(F.array(*met))}


def _value(of: Field) -> Column:
    replacing = [(_meets(of, rule), _literal(of, rule.becomes)) for rule in of.cleaning if rule.replaces]
    value = F.col(of.name)
    for is_met, becomes in replacing:
        value = F.when(is_met, becomes).otherwise(value)
    return value


def _meets(of: Field, rule: CleaningRule) -> Column:
    value = F.trim(of.name) if of.kind == "string" else F.col(of.name)
    return value.isin([_literal(of, one) for one in rule.values])


def _literal(of: Field, value: Any) -> Column:  # noqa: ANN401 - as JSON has it
    text = value if value is None or isinstance(value, str | bool) else str(value)
    return F.lit(text).cast(COLUMN_TYPES[of.kind])


def _description(of: Field, rule: CleaningRule) -> str:
    values = " or ".join(_as_text(value) for value in rule.values)
    return f"{of.name} {values} {f'becomes {_as_text(rule.becomes)}' if rule.replaces else 'stays as it is'}"


def _as_text(value: Any) -> str:  # noqa: ANN401 - as JSON has it
    return "blank" if value == "" else "null" if value is None else str(value)
