"""docs/add-a-feed.md is followed step by step, as somebody would who adds a feed."""

import json
import re
import types

import pytest

from shared import contracts
from shared.feeds import catalogue
from shared.settings.keys import settings_of
from tests.architecture.app_on_fakes import App
from tests.architecture.tree import text

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
    module = types.ModuleType("museum")
    exec(FILES["shared/feeds/museum.py"], module.__dict__)
    yield module.FEED
    contracts.load_contract.cache_clear()


def test_the_document_names_two_contracts_and_a_module():
    assert list(FILES) == [
        "contracts/visits.v1.schema.json",
        "contracts/marks.v1.schema.json",
        "shared/feeds/museum.py",
    ]


async def test_who_follows_the_document_has_a_feed_whose_streams_arrive(feed, tmp_path):
    app = App(feed, tmp_path / "pools")
    plan = app.claim()

    state = await app.run(plan)

    assert state == "closed"
    assert app.counts(plan) == {"visits": (200, 200), "marks": (40, 40)}


async def test_what_arrives_keeps_its_contracts(feed, tmp_path):
    app = App(feed, tmp_path / "pools")

    await app.run(app.claim())

    for stream in ("visits", "marks"):
        required = json.loads(FILES[f"contracts/{stream}.v1.schema.json"])["required"]
        assert {tuple(record) for record in app.records(stream)} == {tuple(required)}


def test_the_catalogues_line_is_written_as_the_catalogue_is(feed):
    source = text("shared/feeds/catalogue.py")
    declared = source[source.index("FEEDS: tuple") : source.index(")\n", source.index("FEEDS: tuple")) + 2]

    assert declared.replace("    shop.FEED,\n", "    shop.FEED,\n    museum.FEED,\n") == CATALOGUE
    assert list(catalogue.checked([*catalogue.FEEDS, feed]).problems) == [
        "trades",
        "payments",
        "call_centre",
        "shop",
    ]  # whose contracts lie elsewhere


def test_the_settings_that_the_document_promises_exist(feed):
    promised = [
        *(
            f"MUSEUM_{suffix}"
            for suffix in re.findall(r"`(?:MUSEUM)?_(\w+)`", DOCUMENT)
            if suffix not in {"HUB", "HUBS", "PACKING", "ENCODING"}
        ),
        *(f"{stream}_{suffix}" for stream in ("VISITS", "MARKS") for suffix in ("HUB", "HUBS", "PACKING", "ENCODING")),
    ]

    assert set(promised) <= set(settings_of([feed]))
    assert len(promised) >= 13
