"""Views, stars and VIPs as the alerting functions read them: what a contract refuses is refused here too."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from shared.domain.delivery import HubRecordRefused
from shared.domain.view_alerts import Star, View
from shared.feeds.shop.hub_lines import read_star, read_view, read_vips

CONTRACTS = Path(__file__).parents[5] / "contracts"
NOW = datetime(2026, 11, 27, 14, tzinfo=UTC)
HOURS = timedelta(hours=3)
ID = "00000001-0000-8000-8000-aaaaaaaaaaaa"
VIEW = {
    "view_id": ID, "viewed_at": "2026-11-27T13:00:00.250Z", "user_id": 7, "http_method": "GET", "uri": "/p",
    "client_ip": "", "user_agent": "Mozilla", "latency": 200,
}  # fmt: skip
STAR = {"star_id": ID, "starred_at": "2026-11-27T13:00:00.250Z", "user_id": 7, "stars": 2}
AT = datetime(2026, 11, 27, 13, 0, 0, 250_000, tzinfo=UTC)


def line(record):
    return json.dumps(record).encode()


def breaks_its_contract(stream, record):
    schema = json.loads((CONTRACTS / f"{stream}.v1.schema.json").read_text(encoding="utf-8"))
    return not jsonschema.Draft202012Validator(schema).is_valid(record)


def test_records_are_read_as_far_as_alerts_need_them():
    assert read_view(line(VIEW), NOW, HOURS) == View(ID, 7, AT, 200)
    assert read_star(line(STAR), NOW, HOURS) == Star(ID, 7, AT, 2)


@pytest.mark.parametrize(
    "changed",
    [
        *({"view_id": odd} for odd in ("1", ID.upper(), f"{ID}0", "a/b", None)),
        *({"user_id": odd} for odd in (0, -1, "7", None, 1.5)),
        *({"latency": odd} for odd in (-1, "200", None)),
        *({"http_method": "get"}, {"uri": "x" * 201}, {"client_ip": "x" * 46}, {"user_agent": "x" * 401}),
        *({"viewed_at": None}, {"one_more": 1}, {"uri": None}),
    ],
    ids=str,
)
def test_a_view_that_breaks_its_contract_is_refused(changed):
    assert breaks_its_contract("pageviews", VIEW | changed)
    assert not breaks_its_contract("pageviews", VIEW)

    with pytest.raises(HubRecordRefused, match=r"^record$"):
        read_view(line(VIEW | changed), NOW, HOURS)


@pytest.mark.parametrize(
    "changed", [{"stars": 0}, {"stars": 6}, {"stars": 2.5}, {"stars": "5"}, {"star_id": ""}, {"user_id": 0}], ids=str
)
def test_stars_that_break_their_contract_are_refused(changed):
    assert breaks_its_contract("stars", STAR | changed)
    assert not breaks_its_contract("stars", STAR)

    with pytest.raises(HubRecordRefused, match=r"^record$"):
        read_star(line(STAR | changed), NOW, HOURS)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"{", line(VIEW | {"viewed_at": "2026-11-27T13:00:00"})])
def test_what_is_no_record_is_refused(content):
    with pytest.raises(HubRecordRefused, match=r"^record$"):
        read_view(content, NOW, HOURS)


@pytest.mark.parametrize(("hours", "is_read"), [(-3, True), (3, True), (-3.001, False), (3.001, False)])
def test_a_record_of_another_time_is_refused(hours, is_read):
    now = AT + timedelta(hours=hours)

    if is_read:
        assert read_view(line(VIEW), now, HOURS).viewed_at == AT
        assert read_star(line(STAR), now, HOURS).starred_at == AT
        return
    for read, record in ((read_view, VIEW), (read_star, STAR)):
        with pytest.raises(HubRecordRefused, match=r"^time$"):
            read(line(record), now, HOURS)


def test_vips_are_read_by_their_ids_and_an_empty_file_lists_nobody():
    assert read_vips(b'{"id": 2}\n{"id": 5}\n') == {2, 5}
    assert read_vips(b"") == frozenset()


@pytest.mark.parametrize("content", [b'{"id": 2}\n{"id": "x"}\n', b'{"id": 2}\n{', b"{}\n", b"\xff"])
def test_a_file_with_a_line_that_is_no_vip_is_none(content):
    with pytest.raises(ValueError, match="no VIP"):
        read_vips(content)
