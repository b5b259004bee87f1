"""A recording of payments as somebody may have it: zipped, its columns in an order of its own, some lines bad."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.clone import ROOT

LINES = 4_000
"""Of the file, its header among them: more than a window takes."""

BAD = {
    9: "it has 27 fields, not 28",
    1_501: "transactionAmountUSD is no number",
    1_502: "it is not UTF-8: byte 1 is 0xE9",
    2_500: "transactionDateTime is no date and time",
    LINES: "transactionDateTime is no date and time",
}
"""The lines that are no records, by their numbers, and why; the last one is behind the end of every window."""

_COUNTRIES = ("us", "BR", "", "DE")
_BEGIN = datetime(2013, 4, 9, 10, 29, 58, tzinfo=UTC)


def payment(line: int) -> dict[str, str]:
    """Give what a line of the file holds, by column: blanks, commas and unknown hours are among it."""
    country = _COUNTRIES[line % len(_COUNTRIES)]
    instant = _BEGIN + timedelta(milliseconds=100 * line)
    known = {
        "transactionID": f"replayed-{line}",
        "accountID": f"A{line % 97}",
        "transactionAmountUSD": f"{line}.25",
        "transactionAmount": f"{line}.5",
        "transactionCurrencyCode": "EUR",
        "localHour": "-1" if line % 10 == 0 else str(line % 24),
        "ipState": "New York, NY",
        "ipCountryCode": country,
        "isProxyIP": "False",
        "accountCountry": country,
        "cvvVerifyResult": "M",
        "transactionDateTime": f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    return dict.fromkeys(columns(), "") | known


def good(lines: Iterable[int]) -> list[int]:
    """Leave out the bad ones of some lines."""
    return [line for line in lines if line not in BAD]


def columns() -> list[str]:
    """Name the columns as the contract has them."""
    contract = (ROOT / "contracts" / "transactions.v1.schema.json").read_text(encoding="utf-8")
    return list(json.loads(contract)["properties"])


def write_recording(path: Path) -> None:
    """Write the file: with the mark of UTF-8 and the line ends of Windows."""
    names = sorted(columns())
    lines = [_line(dict(zip(names, names, strict=True)), names), *(_written(line, names) for line in _numbers())]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("payments.csv", b"\xef\xbb\xbf" + b"".join(lines))


def _numbers() -> range:
    return range(2, LINES + 1)


def _written(line: int, names: list[str]) -> bytes:
    fields = payment(line)
    match BAD.get(line, ""):
        case "":
            return _line(fields, names)
        case reason if "27 fields" in reason:
            return _line(fields, names[1:])
        case reason if "UTF-8" in reason:
            return b"\xe9" + _line(fields, names)
        case reason:
            return _line(fields | {reason.partition(" ")[0]: "never"}, names)


def _line(fields: Mapping[str, str], names: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([fields[name] for name in names])
    return text.getvalue().encode()
