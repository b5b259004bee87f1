"""docs/add-a-feed.md is followed step by step, as somebody would who adds a feed."""

import json
import re
import types
from dataclasses import replace

import pytest

from shared import contracts
from shared.feeds import catalogue
from shared.feeds import feed as feeds
from shared.settings.keys import settings_of
from tests.architecture.app_on_fakes import App
from tests.architecture.tree import ROOT, text

DOCUMENT = text("docs/add-a-feed.md")
NAMED_BLOCK = re.compile(r"^`(?P<path>[^`]+)`:\n\n```\w+\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {match["path"]: match["content"] for match in NAMED_BLOCK.finditer(DOCUMENT)}
CATALOGUE = re.search(r"^In `shared/feeds/catalogue.py`:\n\n```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)[
    1
]


@pytest.fixture
def feed(tmp_path, monkeypatch):
    """The feed of the document, its contracts in a folder of contracts and its module loaded."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    for path, content in FILES.items():
        if path.startswith("contracts/"):
            (folder / path.removeprefix("contracts/")).write_text(content)
    monkeypatch.setattr(contracts, "FOLDER", folder)
    contracts.load_contract.cache_clear()
    module = types.ModuleType("parking")
    exec(FILES["shared/feeds/parking.py"], module.__dict__)
    yield module.FEED
    contracts.load_contract.cache_clear()


def test_the_document_names_two_contracts_and_a_module():
    assert list(FILES) == [
        "contracts/entries.v1.schema.json",
        "contracts/fees.v1.schema.json",
        "shared/feeds/parking.py",
    ]


async def test_who_follows_the_document_has_a_feed_whose_streams_arrive(feed, tmp_path):
    app = App(feed, tmp_path / "pools")
    plan = app.claim()

    state = await app.run(plan)

    assert state == "closed"
    assert app.counts(plan) == {"entries": (200, 200), "fees": (40, 40)}


async def test_what_arrives_keeps_its_contracts(feed, tmp_path):
    app = App(feed, tmp_path / "pools")

    await app.run(app.claim())

    for stream in ("entries", "fees"):
        required = json.loads(FILES[f"contracts/{stream}.v1.schema.json"])["required"]
        assert {tuple(record) for record in app.records(stream)} == {tuple(required)}


def test_the_catalogues_line_is_written_as_the_catalogue_is(feed):
    source = text("shared/feeds/catalogue.py")
    declared = source[source.index("FEEDS: tuple") : source.index(")\n", source.index("FEEDS: tuple")) + 2]

    assert declared.replace("    shop.FEED,\n", "    shop.FEED,\n    parking.FEED,\n") == CATALOGUE
    assert list(catalogue.checked([*catalogue.FEEDS, feed]).problems) == [
        "trades",
        "payments",
        "gps",
        "call_centre",
        "shop",
    ]  # whose contracts lie elsewhere


def test_the_settings_that_the_document_promises_exist(feed):
    promised = [
        *(
            f"PARKING_{suffix}"
            for suffix in re.findall(r"`(?:PARKING)?_(\w+)`", DOCUMENT)
            if suffix not in {"HUB", "HUBS", "PACKING", "ENCODING"}
        ),
        *(f"{stream}_{suffix}" for stream in ("ENTRIES", "FEES") for suffix in ("HUB", "HUBS", "PACKING", "ENCODING")),
    ]

    assert set(promised) <= set(settings_of([feed]))
    assert len(promised) >= 13


def test_the_settings_of_a_feed_that_does_all_that_the_document_says_exist(feed):
    snippet = "\n".join(re.findall(r"`(replay=[^`]+|lookups=[^`]+|dimensions=[^`]+|daily_gold=[^`]+)`", DOCUMENT))
    (beside,) = re.findall(r"`(Stream\([^`]+beside_cosmos[^`]+)`", DOCUMENT)
    names = {one: getattr(feeds, one) for one in ("Dimension", "EventHub", "Replayed", "Stream")} | {"make": None}
    given = eval(
        f"dict({','.join(snippet.splitlines())}, streams=({beside}, *rest))", names | {"rest": feed.streams[1:]}
    )

    known = set(settings_of([replace(feed, **given)]))

    assert {f"PARKING_{suffix}" for suffix in re.findall(r"`<FEED>_(\w+)`", DOCUMENT)} <= known
    assert {f"ENTRIES_{suffix}" for suffix in re.findall(r"`<STREAM>_(\w+)", DOCUMENT)} <= known


def test_the_files_that_the_document_names_exist():
    named = set(re.findall(r"`((?:contracts|databricks|shared|tests)/[\w./]+)`", DOCUMENT)) - set(FILES)

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    assert len(named) >= 10
