"""Writes what it costs into docs/deploy.md: the bill of what `azd up` makes by default, and of all feeds."""

from pathlib import Path
from typing import Final

from cost import assumed
from cost.bill import bill_of
from cost.case import Case
from cost.choices import best, savings
from cost.configuration import ROOT, Deployment, case_of, settings_of
from cost.prices import PriceList
from cost.tables import CHOICE_HEAD, HEAD, in_markdown, rows_of, rows_of_choices, sum_of, unused
from shared.feeds.catalogue import FEEDS

DOCUMENT: Final = ROOT / "docs/deploy.md"
CHAPTER: Final = Path(__file__).with_name("chapter.md")

_TITLE: Final = "\n## What it costs\n"
_NEXT: Final = "\n## "


def documented(document: str, prices: PriceList) -> str:
    """Put the chapter in the place of the one that is there; raises ValueError where there is none."""
    before, title, rest = document.partition(_TITLE)
    if not title:
        raise ValueError("docs/deploy.md has no chapter 'What it costs'")
    _, following, after = rest.partition(_NEXT)
    return before + title + "\n" + chapter(prices) + following + after


def chapter(prices: PriceList) -> str:
    """Write the chapter."""
    case = case_of(settings_of({}), Deployment())
    of_all = case_of(settings_of({"FEEDS": ",".join(feed.name for feed in FEEDS)}), Deployment())
    bill = bill_of(case, prices)
    return CHAPTER.read_text(encoding="utf-8").format(
        currency=prices.currency,
        region=prices.region,
        trades=assumed.TRADES_A_SECOND,
        bill=in_markdown(HEAD, rows_of(bill, prices)),
        sum=sum_of(bill, prices),
        unused=", ".join(unused(bill)),
        feeds=", ".join(feed.name for feed in of_all.feeds),
        sum_of_all=sum_of(bill_of(of_all, prices), prices),
        choices=in_markdown(("for", *CHOICE_HEAD), _labelled(case, of_all, prices)),
        absent=_not_there(of_all, prices),
    )


def _labelled(case: Case, of_all: Case, prices: PriceList) -> list[tuple[str, ...]]:
    pairs = (("trades", case), ("all feeds", of_all))
    return [(name, *row) for name, each in pairs for row in rows_of_choices(best(each, prices))]


def _not_there(case: Case, prices: PriceList) -> str:
    absent = [saving for saving in savings(case, prices) if not saving.choice.is_there]
    return "".join(
        f"With {one.choice.name}, all feeds would cost {one.amount:,.0f} less; there is no setting for that yet.\n"
        for one in absent
    )
