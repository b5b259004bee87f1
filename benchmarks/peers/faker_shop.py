"""Sessions of views and stars in plain Faker, uuid and json, and orders as the seed of this feed stores them.

Faker draws every value that is a text, `random` the numbers (its own words for these are slower), uuid4 every id,
json.dumps writes.
"""

import json
import random
import sqlite3
import uuid
from datetime import UTC, datetime, timedelta

from faker import Faker

from shared.feeds.shop import tables

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
_FIRST = datetime(2016, 11, 22, 10, tzinfo=UTC)


def lines(fake: Faker, sessions: int) -> list[bytes]:
    """Draw so many sessions: their views, and the stars of one in fifty."""
    return [
        json.dumps(record, ensure_ascii=False).encode() + b"\n" for _ in range(sessions) for record in session(fake)
    ]


def session(fake: Faker) -> list[dict]:
    """Draw a session's views, all of one user, address and agent."""
    user, address, agent = random.randint(1, tables.USERS), fake.ipv4_public(), fake.user_agent()
    time, records = START, []
    for _ in range(random.randint(1, tables.MOST_VIEWS)):
        time += timedelta(seconds=abs(random.gauss(*tables.GAP)))
        records.append(
            {
                "view_id": str(uuid.uuid4()),
                "viewed_at": text(time),
                "user_id": user,
                "http_method": fake.http_method(),
                "uri": fake.uri(),
                "client_ip": "" if random.random() < tables.BLANK_PERCENT / 100 else address,
                "user_agent": agent,
                "latency": latency(),
            }
        )
    if random.random() < tables.STARRED / 1000:
        stars = {"star_id": str(uuid.uuid4()), "starred_at": text(time), "user_id": user, "stars": random.randint(1, 5)}
        records.append(stars)
    return records


def latency() -> int:
    if random.random() < tables.SLOW_PERCENT / 100:
        return random.randint(*tables.SLOW)
    return round(abs(random.gauss(*tables.LATENCY)))


def text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE orders (order_id TEXT PRIMARY KEY, user_id INTEGER, order_date TEXT, order_value TEXT)"
    )
    connection.execute(
        "CREATE TABLE items (order_id TEXT, row_id INTEGER, product_id INTEGER, item_value TEXT, order_date TEXT,"
        " PRIMARY KEY (order_id, row_id))"
    )
    connection.commit()


def store(connection: sqlite3.Connection, fake: Faker, orders: int) -> int:
    """Draw so many orders and store them and their items row by row, a commit after them; gives the rows."""
    rows = 0
    for _ in range(orders):
        order, items = _order(fake)
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [order])
        for item in items:
            connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", [item])
        rows += 1 + len(items)
    connection.commit()
    return rows


def store_as_texts(connection: sqlite3.Connection, fake: Faker, orders: int) -> int:
    """Draw so many orders and store them by two texts with all values in them, as the seed does; gives the rows."""
    drawn = [_order(fake) for _ in range(orders)]
    items = [item for _, some in drawn for item in some]
    connection.execute("INSERT INTO orders VALUES " + ",".join(str(order) for order, _ in drawn))
    connection.execute("INSERT INTO items VALUES " + ",".join(map(str, items)))
    connection.commit()
    return len(drawn) + len(items)


def _order(fake: Faker) -> tuple[tuple, list[tuple]]:
    name, time = str(uuid.uuid4()), text(fake.date_time_between(_FIRST, START, tzinfo=UTC))
    values = [random.randint(*tables.ITEM_VALUE) for _ in range(random.randint(1, tables.MOST_ITEMS))]
    items = [
        (name, row, random.randint(1, tables.PRODUCTS), f"{value / 100:.2f}", time)
        for row, value in enumerate(values, 1)
    ]
    return (name, random.randint(1, tables.USERS), time, f"{sum(values) / 100:.2f}"), items
