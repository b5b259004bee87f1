"""The lookup of assets: pages of CoinCap's API (v3) become one typed, sorted table.

It has of each symbol the asset of the best rank, where that has a max supply: a namesake must not take its place.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from itertools import batched
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

AMOUNT: Final = pa.decimal128(38, 18)
SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("rank", pa.int32()),
        ("symbol", pa.string()),
        ("name", pa.string()),
        ("supply", AMOUNT),
        ("maxSupply", AMOUNT),
        ("marketCapUsd", AMOUNT),
        ("volumeUsd24Hr", AMOUNT),
        ("priceUsd", AMOUNT),
        ("changePercent24Hr", AMOUNT),
        ("vwap24Hr", AMOUNT),
        ("explorer", pa.string()),
    ]
)
"""The columns of the lookup, as CoinCap names them; a field of another name is left out."""

COINCAP: Final[Mapping[str, str]] = {name: name for name in SCHEMA.names}
"""Where CoinCap's assets have the columns: all of them at the top."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The table (`SCHEMA`, sorted by id, one row a symbol) and what became of the assets that were read.

    read = rows + without_max_supply + unreadable + of_a_symbol_again. without_max_supply: the best of their symbols;
    unmatched: the first of those symbols by rank, which no trade will find.
    """

    table: pa.Table
    read: int
    without_max_supply: int
    unreadable: int
    unmatched: tuple[str, ...] = ()

    @property
    def of_a_symbol_again(self) -> int:
        """Count the assets that gave way to one of a better rank with the same symbol."""
        return self.read - self.without_max_supply - self.unreadable - len(self.table)


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


def count(page: bytes) -> int:
    """Count the assets of a page; raises ValueError where it is not `{"data": [...]}`, or only a part of that."""
    return len(_assets(page))


def prepare(pages: Iterable[bytes], layout: Mapping[str, str] = COINCAP) -> Lookup:
    """Make the lookup of all pages; raises ValueError for a page that is none.

    layout: where an asset has each column of `SCHEMA`, as a path of at most three names joined by dots, so that nested
    objects are flattened by two levels. Memory is bounded by the largest page and by the assets that are kept.
    An asset counts as unreadable where it is no object or has no id or symbol; a column that is no number or no text
    where it should be is null in it. Amounts are kept exactly to 18 decimals, half to even beyond.
    """
    reading = _Reading(layout)
    for page in pages:
        reading.take(page)
    return reading.lookup()


type _Texts = Sequence[str | None]


class _Reading:
    """Keeps, of the assets read so far, the best of each symbol.

    A piece of some hundred assets at a time is spread out into objects: they stay in the processor's cache, and in
    memory there is never more of them.
    """

    def __init__(self, layout: Mapping[str, str]) -> None:
        self._paths = [layout[name] for name in SCHEMA.names]
        self._tree = _tree(self._paths)
        self._decode: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(_shape(self._tree)).decode
        self._texts: list[pa.RecordBatch] = []
        self._waiting = 0
        self._best = SCHEMA.empty_table()
        self._read = self._unreadable = 0

    def take(self, page: bytes) -> None:
        """Read a page, piece by piece."""
        assets = _assets(page)
        self._read += len(assets)
        most = max(1, len(assets) * _PIECE // max(1, len(page)))
        for piece in batched(assets, most, strict=False):
            columns = self._decode_batch(piece) or self._decode_each(piece)
            self._texts.append(pa.record_batch([pa.array(column, pa.string()) for column in columns], _TEXTS))
            self._waiting += len(columns[0])
            if self._waiting > max(_MOST_WAITING, len(self._best)):
                self._settle()

    def lookup(self) -> Lookup:
        """Give what was kept, sorted."""
        self._settle()
        supplied = _having(self._best, "maxSupply")
        without = len(self._best) - len(supplied)
        lacking = self._best.filter(pc.is_null(self._best["maxSupply"])).sort_by("rank")
        unmatched = tuple(lacking["symbol"].slice(0, _MOST_NAMED).to_pylist())
        return Lookup(supplied.sort_by("id"), self._read, without, self._unreadable, unmatched)

    def _settle(self) -> None:
        """Type what waits as texts, and keep the best of it."""
        texts = pa.Table.from_batches(self._texts, _TEXTS).combine_chunks()
        table = pa.table([_typed(column, field.type) for column, field in zip(texts, SCHEMA, strict=True)], SCHEMA)
        named = _having(_having(table, "id"), "symbol")
        self._unreadable += len(table) - len(named)
        self._best = _best_of_each_symbol(pa.concat_tables([self._best, named]))
        self._texts, self._waiting = [], 0

    def _decode_batch(self, piece: Sequence[msgspec.Raw]) -> list[_Texts] | None:
        """Give the columns of a piece; None where a value is no text."""
        try:
            columns = dict(_columns(self._tree, list(map(self._decode, piece))))
        except (msgspec.MsgspecError, RecursionError):
            return None
        return [columns.get(path, ()) for path in self._paths]

    def _decode_each(self, piece: Sequence[msgspec.Raw]) -> list[_Texts]:
        """Give the columns of a piece asset by asset: what can't be read in one is null in it."""
        rows = [_row(asset, self._paths) for asset in piece]
        readable = [row for row in rows if row is not None]
        self._unreadable += len(rows) - len(readable)
        return list(zip(*readable, strict=True)) or [() for _ in self._paths]


def _assets(page: bytes) -> list[msgspec.Raw]:
    """Cut a page into its assets without reading them."""
    try:
        return _PAGE(page).data
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"no page of assets: {error}") from error


def _having(table: pa.Table, name: str) -> pa.Table:
    """Keep the rows that have a value of this column; where all have one nothing is copied."""
    column = table[name]
    return table.filter(pc.is_valid(column)) if column.null_count else table


def _best_of_each_symbol(table: pa.Table) -> pa.Table:
    """Keep one row a symbol: of the lowest rank (none is last), then the first by id, then one with a max supply."""
    order = pc.sort_indices(table, [(name, "ascending") for name in ("symbol", "rank", "id", "maxSupply")])
    symbols = table["symbol"].take(order).combine_chunks()
    changes = pc.not_equal(symbols[1:], symbols[:-1])
    firsts = pa.concat_arrays([pa.array([True] * min(1, len(symbols)), pa.bool_()), changes])
    return table.take(order.filter(firsts))


type _Tree = dict[str, "_Tree"]


def _tree(paths: Iterable[str]) -> _Tree:
    """Spread `["id", "quote.usd.price"]` to `{"id": {}, "quote": {"usd": {"price": {}}}}`."""
    tree: _Tree = {}
    for path in paths:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
    return tree


def _shape(tree: _Tree) -> type[msgspec.Struct]:
    """Make the class of an object with these members, texts or objects; absent ones are None, or empty objects."""
    members = [(name, *_member(below)) for name, below in tree.items()]
    return msgspec.defstruct("Shape", members, gc=False)


def _member(below: _Tree) -> tuple[Any, Any]:
    if not below:
        return str | None, None
    shape = _shape(below)
    return shape, msgspec.field(default_factory=shape)


def _columns(tree: _Tree, objects: Sequence[Any], above: str = "") -> Iterator[tuple[str, _Texts]]:
    """Spread objects of `_shape(tree)` into columns by path; as whole tuples, which is faster than value by value."""
    for (name, below), column in zip(tree.items(), zip(*map(astuple, objects), strict=True), strict=True):
        if below:
            yield from _columns(below, column, f"{above}{name}.")
        else:
            yield above + name, column


def _row(asset: msgspec.Raw, paths: Sequence[str]) -> _Texts | None:
    try:
        found = _ASSET(asset)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return [_text(_at(found, path)) for path in paths]


def _at(found: object, path: str) -> object:
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _text(value: object) -> str | None:
    """Give a text as it is and a number as its digits."""
    if isinstance(value, bool):
        return None
    return str(value) if isinstance(value, str | int | Decimal) else None


def _typed(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Read a column's texts at once; one by one where something else is among them."""
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:
        read = _rank if kind == SCHEMA.field("rank").type else _amount
        return pa.chunked_array([[None if text is None else read(text) for text in texts.to_pylist()]], kind)


def _amount(text: str) -> Decimal | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return _EXACTLY.quantize(Decimal(text), _STEP)
    except InvalidOperation:  # more than 38 digits
        return None


def _rank(text: str) -> int | None:
    number = _amount(text)
    return int(number) if number is not None and number == int(number) and abs(number) <= _MOST_RANK else None


_PAGE = msgspec.json.Decoder(_Page).decode
_ASSET = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_EXACTLY: Final = Context(prec=38, rounding=ROUND_HALF_EVEN)
_STEP: Final = Decimal("1e-18")
_MOST_RANK: Final = 2**31 - 1
_MOST_NAMED: Final = 20
_PIECE: Final = 1 << 18
_MOST_WAITING: Final = 20_000
_TEXTS: Final = pa.schema([(name, pa.string()) for name in SCHEMA.names])
