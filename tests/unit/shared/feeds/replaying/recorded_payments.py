"""Lines of a recording of payments, for tests: plain ones, and what is changed in them."""

import csv
import io
from functools import cache

from shared.contracts import load_contract
from shared.feeds.replaying.header import header_of
from shared.feeds.replaying.reader import LineReader

CONTRACT = load_contract("transactions/1")
NAMES = [column.name for column in CONTRACT.columns]
VALUES = (
    "fa-1,A1,12.50,11.5,EUR,-1,89.211,new york,11743,us,False,en-US,CREDITCARD,VISA,11743,NY,US,M,0,1,11743,NY,US,"
    "370,TRUE,12.5,0,2013-04-09T10:29:58.000000Z"
)
GOOD = dict(zip(NAMES, VALUES.split(","), strict=True))
HEADER = ",".join(NAMES).encode()


def written(fields, end="\n", quoting=csv.QUOTE_MINIMAL):
    """Write one line as Python's csv module does."""
    line = io.StringIO()
    csv.writer(line, lineterminator=end, quoting=quoting).writerow(fields)
    return line.getvalue().encode()


def line_of(end="\n", **changes):
    """Write a good line but for some columns."""
    return written((GOOD | changes).values(), end)


@cache
def reader_of(header=HEADER):
    return LineReader(CONTRACT, header_of(header, CONTRACT.columns), "transactionDateTime", "unk")
