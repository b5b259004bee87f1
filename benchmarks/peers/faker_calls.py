"""Calls, attendances and surveys in plain Faker, uuid and json: one call a value, the records that the app draws.

Faker draws every value, uuid4 every id, json.dumps writes. Where Faker's own word is slow a faster one is used:
`random_int` of milliseconds added to a time, for `date_time_between` costs 30 microseconds; agents are a sample of
numbers, and each one's area is looked up.
"""

import json
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from faker import Faker

from shared.feeds.call_centre import tables

ZONE = ZoneInfo(tables.ZONE)
AGENTS = range(1, tables.AGENTS + 1)
START = datetime(2026, 11, 22, 10, tzinfo=UTC)


def lines(fake: Faker, areas: dict[int, str], count: int) -> list[bytes]:
    """Draw `count` calls with all that belongs to them; areas: of each agent."""
    return [
        json.dumps(record, ensure_ascii=False).encode() + b"\n" for _ in range(count) for record in call(fake, areas)
    ]


def call(fake: Faker, areas: dict[int, str]) -> list[dict]:
    """Draw one call: its menu, its attendances and its survey."""
    menu, end = seen_by_menu(fake)
    if not menu["derivado_atendimento"]:
        return [menu]
    records = [menu]
    for agent in fake.random_sample(AGENTS, fake.random_int(1, tables.MOST_ATTENDANCES)):
        start, end = end, later(fake, end, tables.ATTENDANCE)
        records.append(
            {
                "id_chamada": menu["id_chamada"],
                "id_atendimento": str(uuid.uuid4()),
                "id_cliente": menu["id_cliente"],
                "id_assistente": agent,
                "data_hora_inicio": text(start),
                "data_hora_fim": text(end),
                "area_atendimento": areas[agent],
            }
        )
    if fake.boolean(tables.ANSWERED_PERCENT):
        records.append(
            {
                "id_chamada": menu["id_chamada"],
                "id_pesquisa": str(uuid.uuid4()),
                "data_envio": text(later(fake, end, tables.ANSWERING)),
                "nota": fake.random_int(1, tables.BEST_MARK),
            }
        )
    return records


def seen_by_menu(fake: Faker) -> tuple[dict, datetime]:
    """Draw what the menu saw, and when the caller left it."""
    start = later(fake, START, tables.RINGING)
    end = later(fake, start, tables.MENU)
    option = fake.random_element(tables.OPTIONS)
    record = {
        "id_chamada": str(uuid.uuid4()),
        "id_cliente": fake.random_int(1, tables.CLIENTS),
        "data_hora_inicio": text(start),
        "data_hora_fim": text(end),
        "autenticado": fake.boolean(tables.AUTHENTICATED_PERCENT),
        "opcoes_navegadas": fake.random_int(1, tables.MOST_OPTIONS),
        "codigo_opcao": option,
        "derivado_atendimento": fake.boolean(tables.PASSED_ON_PERCENT),
        "id_fila": f"URA_{option}",
    }
    return record, end


def later(fake: Faker, time: datetime, seconds: tuple[int, int]) -> datetime:
    return time + timedelta(milliseconds=fake.random_int(seconds[0] * 1000, seconds[1] * 1000))


def text(time: datetime) -> str:
    return time.astimezone(ZONE).isoformat(timespec="milliseconds")
