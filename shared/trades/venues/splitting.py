"""Splits the symbol of a venue that writes base and quote together, where it can be read in one way alone."""

from collections.abc import Collection
from typing import Final

KNOWN_ASSETS: Final = frozenset(
    (
        *("AAVE", "ADA", "AGIX", "ALGO", "APE", "APT", "AR", "ARB", "ATOM", "AVAX", "AXS", "BAT", "BCH", "BNB"),
        *("BONK", "BTC", "BTT", "CAKE", "CELO", "CHZ", "COMP", "CRV", "DAI", "DASH", "DOGE", "DOT", "DYDX", "EGLD"),
        *("ENJ", "ENS", "EOS", "ETC", "ETH", "EUR", "EURC", "FET", "FIL", "FLOKI", "FLOW", "FTM", "GALA", "GMT"),
        *("GRT", "HBAR", "HOT", "ICP", "ICX", "IMX", "INJ", "IOTA", "JASMY", "KAVA", "KSM", "LDO", "LINK", "LPT"),
        *("LRC", "LTC", "LUNA", "LUNC", "MANA", "MASK", "MATIC", "MINA", "MKR", "NEAR", "NEO", "OMG", "ONE", "ONT"),
        *("OP", "ORDI", "PAXG", "PENDLE", "PEPE", "POL", "QNT", "QTUM", "RENDER", "RNDR", "RUNE", "RVN", "SAND"),
        *("SEI", "SHIB", "SNX", "SOL", "STX", "SUI", "SUSHI", "TAO", "THETA", "TIA", "TON", "TRX", "UNI", "USDC"),
        *("USDT", "VET", "WAVES", "WIF", "WLD", "XEC", "XLM", "XMR", "XRP", "XTZ", "YFI", "ZEC", "ZIL", "ZRX"),
    )
)
"""Assets that these venues have long traded; they only choose between two ways to read one symbol."""


def split(symbol: str, quotes: Collection[str]) -> tuple[str, str]:
    """Split `ADAEUR` in base and quote, both in capitals, by the known quotes.

    Where more than one fits (ADA/EUR, AD/AEUR), the one whose base alone is a known asset holds. Raises ValueError
    where none fits, or none is to be preferred.
    """
    name = symbol.upper()
    pairs = [(name.removesuffix(quote), quote) for quote in quotes if name.endswith(quote) and name != quote]
    likely = pairs if len(pairs) == 1 else [pair for pair in pairs if pair[0] in KNOWN_ASSETS]
    if len(likely) == 1:
        return likely[0]
    if not pairs:
        raise ValueError(f"the market {symbol!r} ends in no known quote")
    readings = " or ".join("/".join(pair) for pair in pairs)
    raise ValueError(f"the market {symbol!r} can be read as {readings}")
