"""The columns that every table of the kind Type2 has beside what its lookup says."""

from lakehouse.personal_data import KEY_VERSION
from lakehouse.pipelines.kinds.type2 import IS_CURRENT, VALID_FROM, VALID_TO
from lakehouse.pipelines.table import Column

VALIDITY = (
    Column(VALID_FROM, "date", "the first day that this holds", required=True),
    Column(VALID_TO, "date", "the first day that it holds no longer; null while it does"),
    Column(IS_CURRENT, "boolean", "whether it holds still"),
)

PII_KEY_VERSION = Column(KEY_VERSION, "string", "up to which key the tokens are made", length=32)
