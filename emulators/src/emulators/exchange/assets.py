"""The assets of CoinCap's REST interface, version 3: made once from a seed, served in pages to who has the key."""

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from emulators.exchange.faults import Fault
from emulators.exchange.instants import SECOND
from emulators.exchange.instruments import INSTRUMENTS

PATH = "/coincap/v3/assets"
DEFAULT_LIMIT, MOST = 100, 2_000

_MILLISECOND = SECOND // 1_000
_NAMESAKE_EVERY = 25
_CAPPED_SHARE = 0.6
_TOKEN_SHARE = 0.4
_UNKNOWN_SHARE = 0.1
_CHAINS = ("1", "10", "56", "137", "8453", "42161", "43114")
_SYLLABLES = (
    "ar",
    "be",
    "co",
    "da",
    "el",
    "fi",
    "go",
    "ha",
    "in",
    "ju",
    "ka",
    "lo",
    "mi",
    "no",
    "or",
    "pa",
    "qu",
    "ri",
)
_PAGE_OF_AN_ERROR = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

type FaultOf = Callable[[], Fault | None]


@dataclass(frozen=True, slots=True)
class Coin:
    """What is true of an asset whatever the seed: id, ticker, name and the supply that can't be exceeded, if any."""

    asset_id: str
    symbol: str
    name: str
    max_supply: int | None
    supply: int
    price: str


_COINS = (
    Coin("bitcoin", "BTC", "Bitcoin", 21_000_000, 19_950_000, "67250.25"),
    Coin("ethereum", "ETH", "Ethereum", None, 120_700_000, "3480.14"),
    Coin("solana", "SOL", "Solana", None, 540_000_000, "172.36"),
    Coin("curve-dao-token", "CRV", "Curve DAO Token", 3_030_303_031, 1_400_000_000, "0.52"),
    Coin("dash", "DASH", "Dash", 18_900_000, 12_500_000, "24.81"),
    Coin("yearn-finance", "YFI", "yearn.finance", 36_666, 33_800, "4890.5"),
    Coin("nucypher", "NU", "NuCypher", 3_885_390_082, 700_000_000, "0.31"),
    Coin("skale", "SKL", "SKALE", 7_000_000_000, 6_000_000_000, "0.0224"),
    Coin("band-protocol", "BAND", "Band Protocol", None, 160_000_000, "0.61"),
    Coin("numeraire", "NMR", "Numeraire", 11_000_000, 7_500_000, "9.14"),
)


def make_assets(count: int, seed: int, tickers: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Make `count` assets by rank, numbers as strings; what the markets trade and `tickers` are among them.

    Where `count` is too small for those, there are more. Some have no max supply, and the lower ranks repeat symbols
    of higher ones, as the real list does.
    """
    chance = random.Random(f"assets/{seed}")
    coins = _coins(tickers)
    coins += _invented(count - len(coins), chance, coins)
    drawn = sorted((_drawn(coin, chance) for coin in coins), key=lambda asset: -Decimal(asset["marketCapUsd"]))
    return [{"id": asset["id"], "rank": str(rank), **asset} for rank, asset in enumerate(drawn, 1)]


@functools.cache
def asset_documents(count: int, seed: int, tickers: frozenset[str]) -> Sequence[msgspec.Raw]:
    """Make the assets and write each down as JSON, so that a page is only put together; once a process."""
    return tuple(msgspec.Raw(msgspec.json.encode(asset)) for asset in make_assets(count, seed, tickers))


def _coins(tickers: Iterable[str]) -> list[Coin]:
    known = {coin.symbol for coin in _COINS}
    traded = {instrument.base for instrument in INSTRUMENTS} | set(tickers)
    return [*_COINS, *(Coin(one.lower(), one, one.title(), 10**9, 10**8, "1.5") for one in sorted(traded - known))]


def _invented(count: int, chance: random.Random, known: Sequence[Coin]) -> list[Coin]:
    taken = {coin.asset_id for coin in known}
    made: list[Coin] = []
    while len(made) < count:
        name = "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).title()
        asset_id = name.lower() if name.lower() not in taken else f"{name.lower()}-{len(made)}"
        namesake = len(made) % _NAMESAKE_EVERY == 0
        symbol = chance.choice(known).symbol if namesake else name[:5].upper()
        taken.add(asset_id)
        made.append(_invented_coin(asset_id, symbol, name, chance))
    return made


def _invented_coin(asset_id: str, symbol: str, name: str, chance: random.Random) -> Coin:
    supply = round(10 ** chance.uniform(5, 9))
    capped = round(supply * chance.uniform(1, 3)) if chance.random() < _CAPPED_SHARE else None
    return Coin(asset_id, symbol, name, capped, supply, f"{10 ** chance.uniform(-6, -2):.12f}")


def _drawn(coin: Coin, chance: random.Random) -> dict[str, Any]:
    price = Decimal(coin.price) * Decimal(repr(round(chance.uniform(0.98, 1.02), 16)))
    cap = coin.supply * price
    return {
        "id": coin.asset_id,
        "symbol": coin.symbol,
        "name": coin.name,
        "supply": _digits(Decimal(coin.supply)),
        "maxSupply": None if coin.max_supply is None else _digits(Decimal(coin.max_supply)),
        "marketCapUsd": _digits(cap),
        "volumeUsd24Hr": _digits(cap * Decimal(repr(round(chance.uniform(0.001, 0.2), 12)))),
        "priceUsd": _digits(price),
        "changePercent24Hr": _digits(Decimal(repr(chance.uniform(-9, 9)))),
        "vwap24Hr": None if chance.random() < _UNKNOWN_SHARE else _digits(price * Decimal("1.0021")),
        "explorer": None if chance.random() < _UNKNOWN_SHARE else f"https://explorer.example/{coin.asset_id}",
        "tokens": dict(_tokens(chance)),
    }


def _digits(number: Decimal) -> str:
    return f"{number:.16f}"


def _tokens(chance: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Draw the contracts of an asset by chain id; most have none."""
    if chance.random() < _TOKEN_SHARE:
        for chain in sorted(chance.sample(_CHAINS, chance.randint(1, len(_CHAINS)))):
            yield chain, [f"0x{chance.getrandbits(160):040x}"]


@dataclass(frozen=True, slots=True)
class AssetsHandler:
    """Answers `GET /coincap/v3/assets`. `clock` gives microseconds; without a `key` any key is right."""

    assets: Sequence[msgspec.Raw]
    clock: Callable[[], int]
    key: str | None = field(default=None, repr=False)

    def answer(self, query: Mapping[str, str], headers: Mapping[str, str], *, empty: bool = False) -> web.Response:
        """Answer a request that nothing happens to: 401 without a key, 403 with a wrong one, 400 for a bad page."""
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            return self._refused(401, "API key is required: send it as Authorization: Bearer <key>")
        if self.key not in {None, given}:
            return self._refused(403, "API key is not valid")
        try:
            limit, offset = _page(query)
        except ValueError as error:
            return self._refused(400, str(error))
        return self._json({"timestamp": self._now(), "data": [] if empty else self.assets[offset : offset + limit]})

    def _refused(self, status: int, message: str) -> web.Response:
        return self._json({"error": message, "timestamp": self._now()}, status)

    def _now(self) -> int:
        return self.clock() // _MILLISECOND

    @staticmethod
    def _json(body: object, status: int = 200) -> web.Response:
        return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def assets_handler(
    handler: AssetsHandler, next_fault: FaultOf
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Serve the assets; `next_fault` gives the fault that this request meets."""

    async def handle(request: web.Request) -> web.StreamResponse:
        fault = next_fault()
        kind = fault.kind if fault else ""
        if fault and kind == "assets_slow":
            await asyncio.sleep(fault.microseconds / SECOND)
        if kind == "assets_down":
            return web.json_response({"error": "Internal Server Error"}, status=500)
        if kind == "assets_not_json":
            return web.Response(body=_PAGE_OF_AN_ERROR, content_type="text/html")
        headers = {"Authorization": "Bearer -"} if kind == "assets_refused" else request.headers
        answer = handler.answer(request.query, headers, empty=kind == "assets_empty")
        return await _cut(request, answer) if kind == "assets_half" else answer

    return handle


async def _cut(request: web.Request, answer: web.Response) -> web.StreamResponse:
    """Promise the whole body, send half of it and hang up."""
    body = answer.body
    whole = body if isinstance(body, bytes) else b""
    begun = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    begun.content_length = len(whole)
    await begun.prepare(request)
    await begun.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()
    return begun


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    limit, offset = (_whole_number(query, name, usual) for name, usual in (("limit", DEFAULT_LIMIT), ("offset", 0)))
    if limit > MOST:
        raise ValueError(f"limit exceeds {MOST}")
    return limit, offset


def _whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise ValueError(f"{name} must be a whole number of at least 0")
    return int(text)
