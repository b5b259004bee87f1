"""Dimensions by day: what was valid when, tokens that stay comparable whatever becomes of keys, clear text apart."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients import CLIENTS, TABLES, Days, agent, client, parquet, pii_keys
from lakehouse.conformed import dim_assistentes, dim_clientes
from lakehouse.lookups import BadLookup
from lakehouse.personal_data import BadKeys

FIRST, SECOND, THIRD, FOURTH = "20261127", "20261128", "20261201", "20261202"
HISTORY = ("id_cliente", "segmento", "valid_from", "valid_to", "is_current")


def day(text):
    return date.fromisoformat(text)


@pytest.fixture
def days(stages, spark):
    stages()
    return Days(spark)


def history(days):
    return days.rows(dim_clientes.TABLE, *HISTORY)


def test_a_client_that_changes_leaves_and_comes_back_has_a_version_for_each_time(days):
    days.come(FIRST, [client(1), client(2), client(3)])
    days.come(SECOND, [client(1), client(2, segmento="Prime")])
    days.come(THIRD, [client(1), client(2, segmento="Prime"), client(3)])

    assert history(days) == [
        (1, "Varejo", day(FIRST), None, True),
        (2, "Prime", day(SECOND), None, True),
        (2, "Varejo", day(FIRST), day(SECOND), False),
        (3, "Varejo", day(FIRST), day(SECOND), False),
        (3, "Varejo", day(THIRD), None, True),
    ]


def test_only_versions_that_open_or_close_are_written(days):
    days.come(FIRST, [client(number) for number in range(20)])
    days.come(SECOND, [client(number, segmento="Prime" if number == 7 else "Varejo") for number in range(20)])

    first, second = days.writes(dim_clientes.TABLE)

    assert first["numOutputRows"] == "20"
    assert (second["numTargetRowsInserted"], second["numTargetRowsUpdated"]) == ("1", "1")


@pytest.mark.parametrize("again", ["run", "rerun"])
def test_the_same_days_file_changes_nothing(days, again):
    days.come(FIRST, [client(1)])
    days.come(SECOND, [client(1, segmento="Prime")])
    before = history(days), len(days.writes(dim_clientes.TABLE))

    getattr(days, again)(SECOND)

    assert (history(days), len(days.writes(dim_clientes.TABLE))) == before


@pytest.mark.parametrize("again", ["run", "rerun"])
def test_a_day_before_the_newest_is_left_alone(days, again):
    days.come(SECOND, [client(1)])
    days.put("dim_clientes", FIRST, parquet([client(1, segmento="PJ"), client(2)], CLIENTS))

    getattr(days, again)(FIRST)

    assert history(days) == [(1, "Varejo", day(SECOND), None, True)]


def test_a_days_file_that_was_put_right_replaces_what_that_day_opened(days):
    days.come(FIRST, [client(1)])
    days.come(SECOND, [client(1, segmento="PJ"), client(2)])
    days.put("dim_clientes", SECOND, parquet([client(1, segmento="Prime")], CLIENTS))

    days.rerun(SECOND)

    assert history(days) == [
        (1, "Prime", day(SECOND), None, True),
        (1, "Varejo", day(FIRST), day(SECOND), False),
    ]


files = st.dictionaries(st.integers(1, 4), st.sampled_from(["Varejo", "Prime"]))


def test_whatever_files_come_the_versions_of_each_day_are_what_its_file_said(stages, spark):
    @settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(files, min_size=3, max_size=3))
    def holds(said):
        spark.sql("DROP TABLE IF EXISTS silver.dim_clientes")
        days, dates = Days(spark), [f"202611{10 + number}" for number in range(len(said))]
        for when, file in zip(dates, said, strict=True):
            days.come(when, [client(number, segmento=segment) for number, segment in file.items()])

        found = history(days)

        for when, file in zip(dates, said, strict=True):
            valid = {row[0]: row[1] for row in found if row[2] <= day(when) and (row[3] is None or day(when) < row[3])}
            assert valid == file
        assert {row[0] for row in found if row[4]} == set(said[-1])
        assert all(row[4] == (row[3] is None) for row in found)

    stages()
    holds()


def test_a_file_of_no_day_is_refused_by_name(days):
    days.put("dim_clientes", "latest", parquet([client(1)], CLIENTS))

    with pytest.raises(BadLookup, match=r"'dim_clientes' is kept by day, and the run was given a file of no day"):
        days.run("latest")


def test_agents_are_kept_by_their_place_in_the_house(days):
    days.tables = [dim_assistentes.TABLE]
    days.come(FIRST, [], [agent(1), agent(2)])
    days.come(SECOND, [], [agent(1, id_supervisor=2), agent(2)])

    found = days.rows(dim_assistentes.TABLE, "id_assistente", "id_supervisor", "valid_from", "valid_to")

    assert found == [
        (1, 1, day(FIRST), day(SECOND)),
        (1, 2, day(SECOND), None),
        (2, 1, day(FIRST), None),
    ]


def test_silver_has_tokens_and_the_restricted_table_the_clear_text_of_current_clients(days):
    days.tables = TABLES
    days.come(FIRST, [client(1), client(2)])
    days.come(SECOND, [client(1, email="new@example.com")])

    tokens = days.rows(dim_clientes.TABLE, "id_cliente", "cpf", "email", "nome", "data_nascimento", "pii_key_version")
    clear = days.rows(dim_clientes.CLEAR_TABLE, "id_cliente", "nome", "cpf", "email", "data_nascimento")

    token = pii_keys("v1").token
    assert tokens[0][1:3] == (token("cpf", "529.982.247-01"), token("email", "ana1@example.com"))
    assert [row[2] for row in tokens if row[0] == 1].count(token("email", "new@example.com")) == 1
    assert {row[5] for row in tokens} == {"v1"}
    assert clear == [(1, "Ana 1", "529.982.247-01", "new@example.com", date(1990, 2, 1))]


def test_a_new_key_renews_all_tokens_and_makes_no_version(days):
    days.come(FIRST, [client(1), client(2)])
    days.come(SECOND, [client(1, segmento="Prime")])
    before = history(days)
    days.keys = pii_keys("v1", "v2")

    days.come(THIRD, [client(1, segmento="Prime"), client(3)])

    found = days.rows(dim_clientes.TABLE, "id_cliente", "cpf", "pii_key_version")
    assert history(days) == [*before, (3, "Varejo", day(THIRD), None, True)]
    assert set(found) == {(n, days.keys.token("cpf", f"529.982.247-0{n}"), "v2") for n in (1, 2, 3)}


def test_joins_by_token_hold_whenever_each_row_came(days, spark):
    days.come(FIRST, [client(1, cpf="52998224725")])
    days.keys = pii_keys("v1", "v2")
    days.come(SECOND, [client(1, cpf="52998224725"), client(2, cpf="529.982.247-25")])

    cpfs = [cpf for _, cpf in days.rows(dim_clientes.TABLE, "id_cliente", "cpf")]

    assert len(cpfs) == 2
    assert cpfs[0] == cpfs[1]


def test_keys_that_lack_one_of_before_stop_the_run_and_change_nothing(days):
    days.keys = pii_keys("v1", "v2")
    days.come(FIRST, [client(1)])
    before = days.rows(dim_clientes.TABLE, "*")
    days.keys = pii_keys("v1")

    with pytest.raises(BadKeys, match=r"made with the keys \['v2'\], and the secret has only \['v1'\]"):
        days.come(SECOND, [client(1, segmento="Prime")])

    assert days.rows(dim_clientes.TABLE, "*") == before
