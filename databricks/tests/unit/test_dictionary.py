"""The data dictionary in the documents is what contracts and tables say now."""

from hub_stage import ROOT
from lakehouse.dictionary import dictionary, newest_contracts
from lakehouse.pipelines.catalogue import PIPELINES

WRITTEN = ROOT / "docs" / "lakehouse-tables.md"


def test_the_document_is_written_anew_where_a_contract_or_a_table_changes():
    made = dictionary(newest_contracts(), PIPELINES.values())

    assert WRITTEN.read_text() == made, "run `make dictionary`"


def test_every_column_has_a_meaning():
    lines = dictionary(newest_contracts(), PIPELINES.values()).splitlines()

    without = [line for line in lines if line.startswith("| `") and line.endswith("|  |")]

    assert without == []
