"""The irrational steps by which the values of payments are assigned to their entities."""

from enum import Enum
from math import sqrt


class Step(float, Enum):
    """One step for each assigned column."""

    COUNTRY = sqrt(2)
    HOME = sqrt(3)
    LANGUAGE = sqrt(5)
    WALLET = sqrt(7)
    TENURE = sqrt(11)
    AGE = sqrt(13)
    INSTRUMENT_AGE = sqrt(17)
    REJECTS = sqrt(23)
    BLANK_BILLING = sqrt(29)
    BLANK_STATE = sqrt(31)
    BLANK_POSTCODE = sqrt(37)
    UNPLACED = sqrt(41)
