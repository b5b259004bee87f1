import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from shared.feeds.call_centre import tables
from shared.feeds.call_centre.building import build
from shared.feeds.call_centre.dimensions import AGENTS, CLIENTS, dimension

LOOKUPS = Path(__file__).parents[5] / "contracts/lookups"
DAY = date(2026, 11, 27)
STATES = {state: set(cities) for state, _, cities in tables.PLACES}


@pytest.fixture(scope="module")
def clients(pool):
    return dimension(CLIENTS, pool, DAY).to_pylist()


@pytest.fixture(scope="module")
def agents(pool):
    return dimension(AGENTS, pool, DAY).to_pylist()


def changed(pool, name, columns, day=DAY):
    """Count the rows of which any of these columns differs from the day before."""
    before, after = (dimension(name, pool, one).select(columns).to_pylist() for one in (day - timedelta(days=1), day))
    return sum(old != new for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("name", [CLIENTS, AGENTS])
def test_columns_and_types_are_those_of_the_contract(pool, name):
    properties = json.loads((LOOKUPS / f"{name}.v1.schema.json").read_text(encoding="utf-8"))["properties"]

    schema = dimension(name, pool, DAY).schema

    assert {field.name: str(field.type) for field in schema} == {
        column: rule["x-type"] for column, rule in properties.items()
    }
    assert schema.names == list(properties)


@pytest.mark.parametrize("name", [CLIENTS, AGENTS])
def test_every_row_is_of_the_contract(pool, name):
    contract = json.loads((LOOKUPS / f"{name}.v1.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(contract)
    rows = json.loads(json.dumps(dimension(name, pool, DAY).to_pylist(), default=str))

    breaches = [error.message for row in rows for error in validator.iter_errors(row)]

    assert breaches == []


def test_there_are_as_many_as_the_tables_say_and_each_once(clients, agents):
    assert [row["id_cliente"] for row in clients] == list(range(1, 10_001))
    assert [row["id_assistente"] for row in agents] == list(range(1, 1_001))
    assert len({row["matricula"] for row in agents}) == 1_000


def test_the_check_digits_of_every_taxpayers_number_are_valid(clients):
    assert is_cpf("529.982.247-25")
    assert not is_cpf("529.982.247-24")
    assert all(is_cpf(row["cpf"]) for row in clients)
    assert len({row["cpf"] for row in clients}) == len(clients)


def is_cpf(text):
    """Check both digits: the sum of those before, weighted down to 2, times ten, modulo eleven (ten counts as 0)."""
    digits = [int(character) for character in text if character.isdigit()]
    return len(digits) == 11 and all(digits[n] == check_digit(digits[:n]) for n in (9, 10))


def check_digit(digits):
    weighted = sum(digit * weight for digit, weight in zip(digits, range(len(digits) + 1, 1, -1), strict=True))
    return weighted * 10 % 11 % 10


def test_no_address_is_given_twice(clients):
    addresses = {row["email"] for row in clients}

    assert len(addresses) == len(clients)
    assert {address.partition("@")[2] for address in addresses} == set(tables.MAIL_DOMAINS)
    assert all(address.isascii() and " " not in address for address in addresses)


def test_clients_are_18_to_80_on_the_pools_first_day(clients):
    ages = [age(row["data_nascimento"], tables.FIRST_DAY) for row in clients]

    assert (min(ages), max(ages)) == (18, 80)
    assert sum(one < 35 for one in ages) / len(ages) == pytest.approx(0.38, abs=0.02)


def age(born, day):
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def test_nobody_became_a_client_as_a_child(clients):
    assert all(age(row["data_nascimento"], row["dt_cadastro"]) >= 18 for row in clients)
    assert max(row["dt_cadastro"] for row in clients) <= tables.FIRST_DAY


def test_a_city_lies_in_its_state(clients):
    assert {row["estado"] for row in clients} == set(STATES)
    assert all(row["cidade"] in STATES[row["estado"]] for row in clients)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [("estado", "SP", 0.22), ("segmento", "Varejo", 0.68), ("segmento", "Private", 0.03), ("sexo", "F", 0.50)],
)
@pytest.mark.parametrize("day", [tables.FIRST_DAY, DAY, date(2018, 11, 4), date(2040, 1, 1)])
def test_shares_are_those_of_the_tables_on_any_day(pool, day, column, value, expected):
    column = dimension(CLIENTS, pool, day)[column]

    assert pc.sum(pc.equal(column, value)).as_py() / len(column) == pytest.approx(expected, abs=0.012)


def test_shares_of_each_table_make_a_whole():
    assert sum(share for _, share, _ in tables.PLACES) == 1000
    assert sum(share for _, share in tables.SEGMENTS) == 100
    assert sum(share for _, share in tables.AGES) == 100


def test_each_leader_has_one_leader_above(agents):
    for below, above, ratio in (
        ("id_supervisor", "id_coordenador", 4), ("id_coordenador", "id_gerente", 4), ("id_gerente", "id_diretor", 2),
    ):  # fmt: skip
        assert all(row[above] == (row[below] - 1) // ratio + 1 for row in agents)
    counts = [
        len({row[leader] for row in agents})
        for leader in ("id_supervisor", "id_coordenador", "id_gerente", "id_diretor")
    ]
    assert counts == [64, 16, 4, 2]


def test_a_manager_has_one_area(agents):
    assert {(row["id_gerente"], row["area_atendimento"]) for row in agents} == set(enumerate(tables.AREAS, start=1))


@pytest.mark.parametrize("name", [CLIENTS, AGENTS])
def test_a_day_always_has_the_same_rows(pool, name):
    assert dimension(name, pool, DAY).equals(dimension(name, build(7), DAY))


@pytest.mark.parametrize("day", [DAY, date(2026, 1, 2), date(2018, 11, 4), date(2030, 2, 28)])
@pytest.mark.parametrize(
    ("name", "columns", "low", "high"),
    [
        (CLIENTS, ["estado", "cidade"], 3, 5),
        (CLIENTS, ["segmento"], 1, 8),
        (CLIENTS, ["email"], 5, 5),
        (AGENTS, ["id_supervisor"], 4, 6),
        (AGENTS, ["area_atendimento"], 1, 1),
    ],
    ids=["places", "segments", "addresses", "supervisors", "areas"],
)
def test_a_few_change_every_day(pool, name, columns, low, high, day):
    assert low <= changed(pool, name, columns, day) <= high


def test_who_a_client_is_never_changes(pool):
    first, later = (
        dimension(CLIENTS, pool, day).drop_columns(["estado", "cidade", "segmento", "email"])
        for day in (tables.FIRST_DAY, date(2030, 1, 1))
    )

    assert first.equals(later)


def test_the_pool_is_the_seeds(pool):
    same, other = build(7), build(8)

    assert same.fingerprint == pool.fingerprint != other.fingerprint
    assert type(pool).from_buffer(pa.py_buffer(pool.to_bytes())).fingerprint == pool.fingerprint


def test_the_builder_says_what_it_draws():
    heard = []

    build(1, heard.append)

    assert heard == ["clients", "agents"]


def test_drawing_needs_no_faker():
    code = "import sys; import shared.feeds.call_centre.feed; sys.exit('faker' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
