"""A container's change feed into silver over real Spark and Delta, and how it compares with what the hub brought."""

import pytest

from lakehouse.cosmos_beside import CosmosBeside, beside
from lakehouse.counting.beside import Beside
from lakehouse.lake.tables import Lake
from lakehouse.request import Container
from lakehouse.sources.cosmos.fake import FakeChangeFeed
from lakehouse.sources.cosmos.feed import ChangeFeedFailed
from lakehouse.streams import cosmos as cosmos_streams
from lakehouse.streams.cosmos import CosmosSilver
from lakehouse.streams.versions import versions_of
from payment_records import CLEANED_OF_PAYMENT, payment, payment_id
from silver_house import Killed, SilverHouse, event, with_properties

WINDOW, LATER = "payments-20261122T100000Z", "payments-20261122T101000Z"
VERSIONS = versions_of("transactions/1")
CONTRACT = VERSIONS.newest
ROWS, BAD = "silver.transactions_cosmos", "silver.transactions_cosmos_quarantine"


class Shop:
    """A container and the lakehouse that follows it. Each process has a lake of its own."""

    def __init__(self, spark):
        self.spark, self.feed = spark, FakeChangeFeed(page=2)
        self.lake = Lake(spark)

    def follow(self, on_commit=lambda table: None, container="transactions"):
        self.lake = Lake(self.spark)
        silver = CosmosSilver(self.lake, VERSIONS, Container("ingestion", container), self.feed, on_commit)
        silver.prepare()
        return silver

    def put(self, record, window=WINDOW, **changes):
        key = record["ipCountryCode"] or "unk"
        of_item = {"id": record["transactionID"], "ttl": 5184000, "collectionType": "Transaction", "windowId": window}
        self.feed.upsert(key, {**record, "ipCountryCode": key, **of_item, **changes})

    def rows(self, *columns):
        return sorted(map(tuple, self.lake.read(ROWS).select(*columns).collect()))


@pytest.fixture
def shop(spark):
    for name in (ROWS, BAD):
        spark.sql(f"DROP TABLE IF EXISTS {name}")
    yield Shop(spark)
    for name in (ROWS, BAD):
        spark.sql(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def hub(spark):
    house = SilverHouse(spark, "transactions", "payments")
    house.drop()
    yield house
    house.drop()


def sent(record, window=WINDOW):
    return with_properties(event(record, window=window), contract="transactions/1")


def test_items_become_rows_of_the_contract_without_what_is_the_services_own(shop):
    shop.put(payment(1))
    shop.put(payment(2, ipCountryCode=""), LATER)

    touched = shop.follow().run_pass()

    assert touched == {WINDOW, LATER}
    assert shop.lake.read(ROWS).columns == [*CONTRACT.columns, "cleaned", "window_id"]
    assert shop.rows("transactionID", "window_id", "ipCountryCode") == [
        (payment_id(1), WINDOW, "JP"),
        (payment_id(2), LATER, "NA"),
    ]
    (_, plain), (_, blank) = shop.rows("transactionID", "cleaned")
    assert (plain, set(blank) - set(plain)) == (CLEANED_OF_PAYMENT, {"ip_country_blank"})


def test_only_what_changed_is_read_on_and_a_later_version_takes_the_rows_place(shop):
    silver = shop.follow()
    shop.put(payment(1))
    shop.put(payment(2))
    silver.run_pass()

    shop.put(payment(2, accountAge=99))
    shop.put(payment(3))
    touched = shop.follow().run_pass()
    nothing = shop.follow().run_pass()

    assert (touched, nothing) == ({WINDOW}, frozenset())
    assert shop.rows("transactionID", "accountAge") == [(payment_id(1), 10), (payment_id(2), 99), (payment_id(3), 10)]


def test_two_items_of_one_key_are_one_row_the_later_one(shop):
    shop.put(payment(1))
    shop.put(payment(1, ipCountryCode="CH"))

    shop.follow().run_pass()

    assert shop.rows("transactionID", "ipCountryCode") == [(payment_id(1), "CH")]


@pytest.mark.parametrize("table", [BAD, ROWS])
def test_a_kill_after_any_commit_loses_and_doubles_nothing(shop, table, monkeypatch):
    monkeypatch.setattr(cosmos_streams, "_MOST_ITEMS", 2)
    for number in range(5):
        shop.put(payment(number, transactionAmountUSD=-1 if number == 1 else 1))

    def dying(done):
        if done == table:
            raise Killed(done)

    with pytest.raises(Killed):
        shop.follow(dying).run_pass()
    shop.follow().run_pass()

    assert shop.rows("transactionID") == [(payment_id(number),) for number in (0, 2, 3, 4)]
    assert [tuple(row) for row in shop.lake.read(BAD).select("window_id", "id", "reason").collect()] == [
        (WINDOW, payment_id(1), "transactionAmountUSD: below 0")
    ]


def test_where_the_feed_goes_on_stands_in_the_commit_of_the_rows_before_it(shop, monkeypatch):
    monkeypatch.setattr(cosmos_streams, "_MOST_ITEMS", 2)
    for number in range(4):
        shop.put(payment(number))
    shop.feed.fails = True

    with pytest.raises(ChangeFeedFailed):
        shop.follow().run_pass()
    first = shop.rows("transactionID")
    shop.feed.page, asked = 3, []
    pages = shop.feed.pages
    monkeypatch.setattr(FakeChangeFeed, "pages", lambda self, place: asked.append(place) or pages(place))
    shop.follow().run_pass()

    assert first == [(payment_id(0),), (payment_id(1),)]
    assert asked == ["2"]
    assert len(shop.rows("transactionID")) == 4


def test_another_container_and_one_that_was_made_anew_are_read_from_their_beginning(shop):
    shop.put(payment(1))
    shop.follow().run_pass()
    shop.feed = FakeChangeFeed()
    shop.follow().run_pass()
    shop.put(payment(2))
    shop.follow(container="other").run_pass()

    assert shop.rows("transactionID") == [(payment_id(1),), (payment_id(2),)]


def test_an_item_without_a_window_is_of_an_unknown_one(shop):
    shop.put(payment(1), None)

    assert shop.follow().run_pass() == {"unknown"}


def test_a_window_is_compared_row_by_row_and_column_by_column(shop, hub):
    both, only_hub, other = payment(1), payment(2), payment(3)
    hub.send(*map(sent, (both, only_hub, other, payment(9, ipCountryCode=""))), sent(payment(8), LATER))
    hub.started().run_pass()
    for record in (both, payment(3, transactionAmountUSD=13), payment(4), payment(9, ipCountryCode="")):
        shop.put(record)
    shop.put(payment(5, transactionAmountUSD=-1))
    shop.follow().run_pass()

    found = [beside(Lake(shop.spark), CONTRACT, window) for window in (WINDOW, LATER)]

    assert found == [
        Beside(both=3, only_in_hub=1, only_in_cosmos=1, different=1, quarantined=1),
        Beside(only_in_hub=1),
    ]


def test_a_feed_that_is_away_is_told_of_and_holds_nobody_up(shop, hub):
    hub.started().run_pass()
    shop.put(payment(1))
    side = CosmosBeside(shop.lake, {"transactions": shop.follow()})
    shop.feed.fails = True

    first, failures = side.run_pass(), dict(side.failures)
    then = side.run_pass()

    assert (first, then) == (frozenset(), {WINDOW})
    assert failures == {"transactions": "the change feed of shop/orders at fake could not be read: it was cut"}
    assert side.failures == {}
