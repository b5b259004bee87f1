"""Writes views, stars, orders and items as lines of their contracts, all of one stream of the same width."""

import numpy as np
import pyarrow as pa

from shared.feeds.drawing.fixed_lines import Gaps, LineTemplate, table_of
from shared.feeds.drawing.hashing import below
from shared.feeds.drawing.lines import text_column
from shared.feeds.drawing.local_times import LocalTimes
from shared.feeds.drawing.numerals import money, numerals
from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.sampling import repeated
from shared.feeds.records import Records
from shared.feeds.shop import tables
from shared.feeds.shop.views import Orders, Views

_UTC = LocalTimes("UTC")
_WITHOUT_OFFSET = np.dtype({"names": ["time"], "formats": ["V23"], "offsets": [0], "itemsize": 29})
_ROWS = table_of(f"{number:2}" for number in range(tables.MOST_ITEMS + 1))
_STARS = table_of(str(number) for number in range(tables.MOST_STARS + 1))
_METHODS = table_of(f'"{method}"' for method in repeated(tables.METHODS))

_STAR = LineTemplate('{"star_id":"<id:36>","starred_at":"<time:23>Z","user_id":<user:8>,"stars":<stars:1>}\n')
_ORDER = LineTemplate('{"order_id":"<id:36>","user_id":<user:8>,"order_date":"<time:23>Z","order_value":<value:11>}\n')
_ITEM = LineTemplate(
    '{"order_id":"<id:36>","row_id":<row:2>,"product_id":<product:8>,"item_value":<value:11>,"order_date":"<time:23>Z"}\n'
)


NOTHING = Records(pa.nulls(0, pa.binary()), pa.nulls(0, pa.string()).dictionary_encode())


class Writer:
    """Writes records with the addresses, agents and pages of a pool."""

    def __init__(self, pool: Pool) -> None:
        """Make the tables of its texts."""
        self._addresses = table_of([*(f'"{one}"' for one in pool.columns["addresses"]), '""'])
        self._agents = table_of(f'"{one}"' for one in pool.columns["agents"])
        self._pages = table_of(f'"{tables.SHOP}{one}"' for one in pool.columns["pages"])
        self._view = LineTemplate(
            f'{{"view_id":"<id:36>","viewed_at":"<time:23>Z","user_id":<user:8>,"http_method":<method:{_width(_METHODS)}>,'
            f'"uri":<page:{_width(self._pages)}>,"client_ip":<address:{_width(self._addresses)}>,'
            f'"user_agent":<agent:{_width(self._agents)}>,"latency":<latency:8>}}\n'
        )

    def views(self, views: Views, users: np.ndarray, ids: np.ndarray) -> Records:
        """Write views; users: of each; ids: V36."""

        def columns(part: slice) -> Gaps:
            some = views.part(part)
            return {
                "id": ids[part],
                "time": _times(some.sessions.times),
                "user": numerals(users[part]),
                "method": _METHODS.take(below(len(_METHODS), some.chosen["method"])),
                "page": self._pages.take(below(len(self._pages), some.chosen["page"])),
                "address": self._addresses.take(some.addresses()),
                "agent": self._agents.take(below(len(self._agents), some.sessions.chosen["agent"])),
                "latency": numerals(some.latencies()),
            }

        return Records(self._view.lines_in_parts(len(users), columns), keys_of_numbers(users))


def write_stars(views: Views, starred: np.ndarray, users: np.ndarray, ids: np.ndarray) -> Records:
    """Write the stars that were given after the views at these places; users: of each of all views; ids: V36."""
    givers = users.take(starred)
    stars = 1 + below(tables.MOST_STARS, views.sessions.chosen["stars"][starred])
    times = views.later(starred, tables.STARRING)
    columns = {"id": ids, "time": _times(times), "user": numerals(givers), "stars": _STARS.take(stars)}
    return Records(_STAR.lines(len(ids), columns), keys_of_numbers(givers))


def write_orders(orders: Orders, times: np.ndarray, buyers: np.ndarray, ids: np.ndarray) -> Records:
    """Write orders; times, buyers and ids (V36): of each."""
    columns = {"id": ids, "time": _times(times), "user": numerals(buyers), "value": money(orders.values)}
    return Records(_ORDER.lines(len(ids), columns), keys_of_numbers(buyers))


def write_items(orders: Orders, times: np.ndarray, ids: np.ndarray) -> Records:
    """Write the items of orders; times and ids (V36): of each order."""
    columns = {
        "id": ids.take(orders.of_order),
        "time": _times(times).take(orders.of_order),
        "row": _ROWS.take(orders.rows),
        "product": numerals(orders.products),
        "value": money(orders.item_values),
    }
    keys = text_column(ids.view(np.uint8).reshape(len(ids), 36))
    of_order = pa.array(orders.of_order.astype(np.int32))
    return Records(_ITEM.lines(len(orders.rows), columns), pa.DictionaryArray.from_arrays(of_order, keys))


def keys_of_numbers(numbers: np.ndarray) -> pa.DictionaryArray:
    """Give numbers as partition keys, each different one written once."""
    coded = pa.array(numbers.astype(np.int32)).dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.cast(pa.string()))


def _times(millis: np.ndarray) -> np.ndarray:
    """Write times in UTC as V23[n], without their closing Z."""
    text: np.ndarray = _UTC.text(millis).view(_WITHOUT_OFFSET)["time"]
    return text


def _width(table: np.ndarray) -> int:
    return table.itemsize
