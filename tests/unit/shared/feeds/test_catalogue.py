from dataclasses import replace

import pytest

from shared import contracts
from shared.contracts import parse_contract
from shared.feeds.catalogue import FEEDS, checked
from shared.feeds.feed import Dimension, Exchanges, Feed, Stream
from tests.unit.shared.flows import helpdesk

KEYLESS = {"x-partition-key": "page", "required": ["page"], "properties": {"page": {"type": "string"}}}
GOOD, BAD = FEEDS[1], Exchanges(())


def feed(*streams, name="visits"):
    return Feed(name, tuple(map(Stream, streams)), BAD)


def test_every_feed_of_the_app_can_run():
    catalogue = checked(FEEDS)

    assert list(catalogue.feeds) == [each.name for each in FEEDS]
    assert catalogue.problems == {}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (feed("transactions/1"), "stream transactions is a stream of feed payments, too"),
        (feed("trades/1", "trades/1"), "two streams named trades"),
        (feed("visits/1"), "Contract visits/1 has no file contracts/visits.v1.schema.json"),
        (feed("visits"), "'visits' is no contract's name"),
        (feed(), "it has no stream"),
        (replace(feed("trades/1"), name="payments"), "another feed has this name"),
    ],
)
def test_a_feed_that_is_declared_wrongly_is_named_and_the_others_run(broken, words):
    catalogue = checked([GOOD, broken])

    assert list(catalogue.feeds) == ["payments"]
    assert catalogue.feeds["payments"] is GOOD
    (problem,) = catalogue.problems.values()
    assert problem.startswith(f"Feed {broken.name} can't run: ")
    assert words in problem


def test_a_contract_without_a_key_stops_its_feed_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    (tmp_path / "visits.v1.schema.json").write_text(
        '{"properties": {"page": {"type": "string"}}, "required": ["page"]}'
    )

    problem = checked([feed("visits/1")]).problems["visits"]

    assert problem == (
        "Feed visits can't run: stream visits: Contract visits/1 has no x-key: name the columns that identify a record."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "visits/1 has no x-key"),
        ({"x-key": ["id"]}, "must name required columns, not 'id'"),
        ({"x-key": ["page"], "x-partition-key": "country"}, "must name required columns, not 'country'"),
        ({"x-key": ["page"], "properties": {"page": {"type": "object"}}}, "the type of 'page' is 'object'"),
    ],
)
def test_a_contract_that_lacks_what_a_stream_needs_is_named(changes, words):
    with pytest.raises(contracts.ContractError, match=words):
        parse_contract("visits", 1, KEYLESS | changes)


def test_key_and_partition_key_are_the_contracts():
    contract = contracts.load_contract("trades/1")

    assert (contract.key, contract.partition_key) == (("venue", "symbol", "trade_id"), "symbol")
    assert contract.columns[-1].name == "origin"


def test_a_feed_with_a_dimension_can_run():
    assert checked([helpdesk.feed()]).problems == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"zone": "America/Sao_Paolo"}, "there is no time zone 'America/Sao_Paolo'."),
        ({"zone": "../etc/passwd"}, "there is no time zone '../etc/passwd'."),
        ({"zone": ""}, "there is no time zone ''."),
        ({"lookups": ()}, "its dimension dim_clientes is none of its lookups."),
        ({"source": BAD}, "its dimension dim_clientes is made from a pool, and only a drawn feed has one."),
        (
            {"lookups": ("pages",), "dimensions": (Dimension("pages", helpdesk.clients),)},
            "dimension pages: Contract lookups/pages has no file contracts/lookups/pages.v1.schema.json.",
        ),
    ],
)
def test_a_feed_whose_days_are_declared_wrongly_is_named(changes, words):
    broken = replace(helpdesk.feed(), **changes)

    assert checked([broken]).problems == {"helpdesk": f"Feed helpdesk can't run: {words}"}


def test_of_two_feeds_with_one_dimension_the_first_keeps_it():
    second = replace(helpdesk.feed(), name="sales", streams=(Stream("calls/1"),))

    catalogue = checked([helpdesk.feed(), second])

    assert list(catalogue.feeds) == ["helpdesk"]
    assert catalogue.problems == {
        "sales": "Feed sales can't run: its dimension dim_clientes is one of feed helpdesk, too."
    }
