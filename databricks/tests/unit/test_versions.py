"""What a newer version of a contract may change, and what is told of the rest."""

import pytest

from lakehouse.streams.contract import ContractError, parse_contract
from lakehouse.streams.versions import Versions, refusals

TEXT, NUMBER = {"type": "string"}, {"type": "number"}


def contract(version, key=("id",), **properties):
    return parse_contract(
        "s", version, {"x-key": list(key), "required": list(key), "properties": {"id": TEXT, **properties}}
    )


def versions(*contracts, **upcasts):
    made = {name.replace("_", "/"): upcast for name, upcast in upcasts.items()}
    return Versions(contracts, contracts[-1].name, made)


@pytest.mark.parametrize(
    "newer",
    [
        contract(2, a=NUMBER, b=TEXT),
        contract(2, a={"type": "number", "minimum": 3}),
        contract(2, a={"type": ["number", "null"]}),
    ],
)
def test_new_columns_and_other_rules_are_taken_up(newer):
    assert refusals(versions(contract(1, a=NUMBER), newer)) == []


def test_all_that_can_not_be_taken_up_is_told_by_name():
    newer = contract(3, key=("id", "c"), b=NUMBER, c=TEXT)

    told = refusals(versions(contract(1, a=NUMBER, b=TEXT), contract(2, a=NUMBER, b=TEXT, c=TEXT), newer))

    assert told == [
        "s/3 drops column a",
        "s/3 makes column b a number, which was a string",
        "s/3 has the key id, c, which was id",
    ]


def test_an_upcast_stands_for_a_change_and_must_make_a_later_version():
    changed = versions(contract(1, a=NUMBER), contract(2), s_2=lambda rows: rows, s_7=lambda rows: rows)

    assert refusals(changed) == ["an upcast makes s/7, which is no later version"]


def test_a_default_that_is_not_known_is_refused():
    with pytest.raises(ContractError, match="Contract 's/9' is not known; there are s/1"):
        Versions((contract(1),), "s/9")
