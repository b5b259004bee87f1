"""Tables with histories, tokens and clear text: what is wrong with them is refused, and the real ones are right."""

from dataclasses import replace

import pytest

from lakehouse.conformed import dim_assistentes, dim_clientes
from lakehouse.contract_files import contract_files
from lakehouse.lookups import lookup_contracts
from lakehouse.personal_data import KEY_VERSION, TOKEN_LENGTH
from lakehouse.pipelines.bounds import wheel_contracts
from lakehouse.pipelines.checks import faults
from lakehouse.pipelines.kinds.snapshot import Snapshot
from lakehouse.pipelines.kinds.type2 import Type2
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.renewing import tokens_of
from lakehouse.pipelines.table import Table
from lakehouse.streams.contract import ContractError, load_contracts, parse_contract

CLIENTS, CLEAR, AGENTS = dim_clientes.TABLE, dim_clientes.CLEAR_TABLE, dim_assistentes.TABLE
CONTRACTS = wheel_contracts()
PERSONAL = ["nome", "cpf", "email", "data_nascimento"]
VALIDITY = ["valid_from", "valid_to", "is_current"]


def faults_of(*tables: Table):
    return faults([Pipeline("call_centre", tables)], CONTRACTS)


def without(table, *names):
    return replace(table, columns=tuple(column for column in table.columns if column.name not in names))


def test_the_dimensions_of_the_call_centre_are_right():
    assert faults_of(CLIENTS, CLEAR, AGENTS) == []


@pytest.mark.parametrize(("table", "own"), [(CLIENTS, [KEY_VERSION, *VALIDITY]), (AGENTS, VALIDITY)])
def test_a_dimension_has_the_columns_of_its_contract_and_of_its_history(table, own):
    assert table.schema.names == [*lookup_contracts()[table.name].columns, *own]


def test_only_the_restricted_table_has_no_tokens():
    contracts = lookup_contracts()

    assert tokens_of(CLIENTS, contracts) == PERSONAL
    assert (tokens_of(CLEAR, contracts), tokens_of(AGENTS, contracts)) == ([], [])
    assert [column.name for column in CLEAR.columns] == ["id_cliente", *PERSONAL]


def test_a_token_is_as_long_as_sql_is_told():
    assert {CONTRACTS.bounds_of("dim_clientes")[name] for name in PERSONAL} == {TOKEN_LENGTH}


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (without(CLIENTS, KEY_VERSION), "no column 'pii_key_version', which says how they were made"),
        (without(CLIENTS, "valid_to"), "its kind needs a column 'valid_to' of the type date"),
        (replace(CLIENTS, key=("id_cliente",)), "by 'valid_from', which is no part of its key"),
        (replace(CLIENTS, kind=Type2("calls")), "its kind keeps versions of 'calls', which is no lookup"),
        (replace(CLEAR, sql="Clients"), "it is restricted, so it can't be published"),
        (replace(CLEAR, pushed=True), "it is restricted, so it can't be published"),
    ],
)
def test_a_table_that_would_lose_its_history_its_keys_or_its_protection_is_refused(table, fault):
    assert any(fault in one for one in faults_of(table))


def test_no_table_is_made_of_a_restricted_one():
    copy = replace(
        AGENTS, name="copy", kind=Snapshot(CLEAR.name), inputs=(CLEAR.name,), build=lambda dim_clientes_pii: None
    )

    assert "copy: its input 'dim_clientes_pii' is restricted, so no other table can be made of it." in faults_of(
        CLEAR, copy
    )


def test_no_stream_carries_personal_data_since_bronze_and_quarantine_keep_records_as_they_came():
    document = {"x-key": ["id"], "required": ["id"], "properties": {"id": {"type": "string", "x-pii": True}}}

    with pytest.raises(ContractError, match=r"id: \['x-pii'\] can't be checked here"):
        parse_contract("people", 1, document)
    for name in sorted({one.name for one in contract_files()}):
        assert not set(PERSONAL) & set(load_contracts(name)[-1].columns)
