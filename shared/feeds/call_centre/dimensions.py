"""The call centre's clients and agents on a day: those of the pool, of whom a few change every day.

What an entity is on a day follows from the pool and the day alone: one counts how often the entity has had its turn
since the pool's first day, and goes as many steps on in a table. No day needs the day before it.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.feeds.call_centre import tables
from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.sampling import repeated

CLIENTS: Final = "dim_clientes"
AGENTS: Final = "dim_assistentes"

_EPOCH = date(1970, 1, 1)
# An entity has its turn every so many days; so every day one in so many entities has it.
_MOVES, _NEW_SEGMENT, _NEW_DOMAIN = 2500, 1250, 2000
_NEW_TEAM, _NEW_AREA = 250, 1000
_SPREAD = 677  # has no divisor in common with any of these: entities side by side have their turns on different days
# How far a turn goes in its table; that of places is longer than the largest state, so whoever moves leaves theirs.
_PLACE_STEP, _SEGMENT_STEP, _TEAM_STEP = 389, 37, 5
_TEAMS = tables.SUPERVISORS // tables.MANAGERS  # of one area
_PLACES = [
    (state, (cities[0], *cities)[number % (len(cities) + 1)])
    for state, share, cities in tables.PLACES
    for number in range(share)
]
_SEGMENTS = repeated(tables.SEGMENTS)


def dimension(name: str, pool: Pool, day: date) -> pa.Table:
    """Give the rows of a dimension on a day, in the columns of the contract `lookups/<name>`; raises KeyError."""
    return _MAKERS[name](pool, (day - _EPOCH).days)


def areas_on(pool: Pool, day: int) -> np.ndarray:
    """Give the area of each agent, a number into `tables.AREAS`, on a day since 1970-01-01."""
    areas: np.ndarray = _supervisors_on(pool, day) // _TEAMS
    return areas


def _clients_on(pool: Pool, day: int) -> pa.Table:
    columns, size = pool.columns, len(pool.columns["client_name"])
    places = (columns["client_place"] + _turns(size, day, _MOVES) * _PLACE_STEP) % len(_PLACES)
    segments = (columns["client_segment"] + _turns(size, day, _NEW_SEGMENT) * _SEGMENT_STEP) % len(_SEGMENTS)
    domains = (columns["client_domain"] + _turns(size, day, _NEW_DOMAIN)) % len(tables.MAIL_DOMAINS)
    return pa.table(
        {
            "id_cliente": _numbers(size),
            "nome": columns["client_name"],
            "cpf": columns["client_cpf"],
            "email": _joined(columns["client_mailbox"], _taken(tables.MAIL_DOMAINS, domains)),
            "data_nascimento": _dates(columns["client_born"]),
            "sexo": _taken(("M", "F"), columns["client_female"]),
            "estado": _taken([state for state, _ in _PLACES], places),
            "cidade": _taken([city for _, city in _PLACES], places),
            "segmento": _taken(_SEGMENTS, segments),
            "dt_cadastro": _dates(columns["client_since"]),
        }
    )


def _agents_on(pool: Pool, day: int) -> pa.Table:
    supervisors = _supervisors_on(pool, day)
    return pa.table(
        {
            "id_assistente": _numbers(len(supervisors)),
            "matricula": pool.columns["agent_code"],
            "area_atendimento": _taken(tables.AREAS, supervisors // _TEAMS),
            "id_supervisor": _one_of(tables.SUPERVISORS, supervisors),
            "id_coordenador": _one_of(tables.COORDINATORS, supervisors),
            "id_gerente": _one_of(tables.MANAGERS, supervisors),
            "id_diretor": _one_of(tables.DIRECTORS, supervisors),
            "dt_admissao": _dates(pool.columns["agent_hired"]),
        }
    )


def _supervisors_on(pool: Pool, day: int) -> np.ndarray:
    """Give the supervisor of each agent, 0 to 63; those of one area have numbers side by side."""
    first = np.asarray(pool.columns["agent_supervisor"], np.int64)
    area = (first // _TEAMS + _turns(len(first), day, _NEW_AREA)) % tables.MANAGERS
    team = (first + _turns(len(first), day, _NEW_TEAM) * _TEAM_STEP) % _TEAMS
    supervisors: np.ndarray = area * _TEAMS + team
    return supervisors


def _turns(size: int, day: int, every: int) -> np.ndarray:
    """Count each entity's turns from the pool's first day up to a day; before that day they are negative."""
    phases = np.arange(size) * _SPREAD % every
    turns: np.ndarray = (day - (tables.FIRST_DAY - _EPOCH).days + phases) // every
    return turns


def _numbers(size: int) -> pa.Array:
    return pa.array(np.arange(1, size + 1))


def _one_of(leaders: int, supervisors: np.ndarray) -> pa.Array:
    """Number, from 1, who of so many leaders is above each supervisor."""
    return pa.array(supervisors // (tables.SUPERVISORS // leaders) + 1)


def _dates(days: np.ndarray) -> pa.Array:
    return pa.array(days).cast(pa.date32())


def _taken(texts: list[str] | tuple[str, ...], numbers: np.ndarray) -> pa.Array:
    return pa.array(texts).take(pa.array(numbers))


def _joined(mailboxes: pa.Array, domains: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(mailboxes, domains, "@")


_MAKERS: Mapping[str, Callable[[Pool, int], pa.Table]] = {CLIENTS: _clients_on, AGENTS: _agents_on}
