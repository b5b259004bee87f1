"""The two tables of payments: what they hold of silver, in whatever order and how often payments come."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gold_stage import DictStore, listed
from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.payments import PIPELINE
from lakehouse.pipelines.targets.fake import FakeTarget
from lakehouse.streams.contract import load_contract
from lakehouse.streams.silver_tables import columns_of

FIVE_MINUTES, SIGNALS = PIPELINE.tables
OWN, LATER = "payments-20261122T100000Z", "payments-20261122T110000Z"
TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
CONTRACT = load_contract("transactions/1")


class Till:
    """The pipeline of payments over a silver that the test fills."""

    def __init__(self, spark):
        self.spark, self.target = spark, FakeTarget()
        self.schema = columns_of(CONTRACT)
        Lake(spark).create("silver.transactions", self.schema)

    def gold(self):
        self.lake = Lake(self.spark)
        gold = Gold(self.lake, PIPELINE, Lookups(self.spark, DictStore(), {}), (self.target,))
        gold.prepare()
        return gold

    def frame(self, *payments):
        rows = [tuple(one.get(name) for name in self.schema.names) for one in payments]
        return self.spark.createDataFrame(rows, self.schema)

    def pay(self, *payments):
        self.lake.append("silver.transactions", self.frame(*payments))

    def change(self, *payments):
        """Put payments in the place of those of their ids, in one commit."""
        ids = ", ".join(f"'{one['transactionID']}'" for one in payments)
        self.lake.replace("silver.transactions", self.frame(*payments), f"transactionID IN ({ids})")

    def five_minutes(self):
        found = self.lake.read("gold.transactions_5min").collect()
        return sorted((_minutes(row[0]), *row[1:]) for row in found)

    def signals(self):
        found = self.lake.read("gold.fraud_signals").collect()
        return {(_minutes(row["hour_start"]), row["accountID"]): row for row in found}


def paid(number, minute=0, **changes):
    """A payment as silver has it. minute: after ten."""
    plain = {
        "transactionID": str(number),
        "accountID": "A1",
        "accountCountry": "JP",
        "ipCountryCode": "JP",
        "paymentBillingCountryCode": "JP",
        "transactionAmountUSD": Decimal("1.5"),
        "isProxyIP": False,
        "numPaymentRejects1dPerUser": 0,
        "cleaned": [],
        "window_id": OWN,
        "transactionDateTime": TEN + timedelta(minutes=minute),
    }
    return {**plain, **changes}


@pytest.fixture
def till(stages, spark):
    return Till(spark)


def test_payments_are_counted_and_summed_up_by_five_minutes_of_their_own_time(till):
    gold = till.gold()
    till.pay(paid(1), paid(2, 4), paid(3, 5), paid(4, 5, accountCountry="CH", transactionAmountUSD=Decimal(2)))

    gold.run_pass(OWN)

    assert till.five_minutes() == [(0, "JP", 2, Decimal(3)), (5, "CH", 1, Decimal(2)), (5, "JP", 1, Decimal("1.5"))]


def test_a_late_payment_changes_its_own_five_minutes_and_no_other(till):
    gold = till.gold()
    till.pay(paid(1), paid(2, 30))
    gold.run_pass(OWN)
    before = _files(till)

    till.pay(paid(3, 1, window_id=LATER, isProxyIP=True))
    gold.run_pass(LATER)

    assert till.five_minutes() == [(0, "JP", 2, Decimal(3)), (30, "JP", 1, Decimal("1.5"))]
    assert _files(till)[30] == before[30]
    assert till.signals()[0, "A1"]["transaction_count"] == 3


def test_a_payment_that_moves_leaves_no_row_behind(till):
    gold = till.gold()
    till.pay(paid(1, isProxyIP=True))
    gold.run_pass(OWN)

    till.change(paid(1, 70))
    gold.run_pass(OWN)

    assert till.five_minutes() == [(70, "JP", 1, Decimal("1.5"))]
    assert till.signals() == {}


def test_what_came_twice_or_is_made_anew_is_there_once(till):
    gold = till.gold()
    till.pay(paid(1, numPaymentRejects1dPerUser=2), paid(2, 7))
    gold.run_pass(OWN)
    before = (till.five_minutes(), till.signals())

    gold.run_pass(OWN)
    till.gold().rerun(OWN)

    assert (till.five_minutes(), till.signals()) == before


def test_sums_that_no_column_holds_are_null_and_stop_nobody(till):
    gold = till.gold()
    most = Decimal("99999999999999999999.999999999999999999")
    till.pay(paid(1, transactionAmountUSD=most), paid(2, transactionAmountUSD=most), paid(3, 5))

    gold.run_pass(OWN)

    assert till.five_minutes() == [(0, "JP", 2, None), (5, "JP", 1, Decimal("1.5"))]


BLANK_IP = {"ipCountryCode": "NA", "cleaned": ["ip_country_blank"]}
BLANK_BILLING = {"paymentBillingCountryCode": "NA", "cleaned": ["billing_country_blank"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"numPaymentRejects1dPerUser": 3}, {"rejected_count": 1, "most_rejects": 3}),
        ({"isProxyIP": True}, {"proxy_count": 1}),
        ({"ipCountryCode": "CH"}, {"ip_account_mismatch_count": 1, "ip_billing_mismatch_count": 1}),
        ({"ipCountryCode": "NA"}, {"ip_account_mismatch_count": 1, "ip_billing_mismatch_count": 1}),
        (BLANK_IP, None),
        (BLANK_BILLING, None),
        ({"ipCountryCode": "", "cleaned": None}, None),
        ({"ipCountryCode": "CH", "cleaned": None}, {"ip_account_mismatch_count": 1, "ip_billing_mismatch_count": 1}),
        (
            {"paymentBillingCountryCode": "CH"},
            {"billing_account_mismatch_count": 1, "ip_billing_mismatch_count": 1},
        ),
        ({**BLANK_BILLING, "ipCountryCode": "CH"}, {"ip_account_mismatch_count": 1}),
        (
            {**BLANK_IP, "paymentBillingCountryCode": "CH", "isProxyIP": True},
            {"billing_account_mismatch_count": 1, "proxy_count": 1},
        ),
    ],
)
def test_a_signal_is_what_is_known_to_be_wrong(till, changes, expected):
    found = SIGNALS.build(till.frame(paid(1, **changes))).collect()

    counts = {name: 0 for name in SIGNALS.schema.names if name.endswith("count") and "_" in name} | {"most_rejects": 0}
    counts |= {"transaction_count": 1, "signal_count": 1}
    assert [{name: row[name] for name in counts} for row in found] == ([counts | expected] if expected else [])


def test_an_account_has_one_row_an_hour_and_its_amounts_with_and_without_signals(till):
    gold = till.gold()
    till.pay(paid(1), paid(2, 59, isProxyIP=True), paid(3, 60), paid(4, 3, accountID="A2"))

    gold.run_pass(OWN)

    assert list(till.signals()) == [(0, "A1")]
    row = till.signals()[0, "A1"]
    assert (row["transaction_count"], row["signal_count"]) == (2, 1)
    assert (row["amount_usd"], row["signal_amount_usd"]) == (Decimal(3), Decimal("1.5"))


steps = st.lists(
    st.lists(
        st.builds(
            paid,
            st.integers(1, 5),
            st.integers(0, 70),
            accountID=st.sampled_from(["A1", "A2"]),
            isProxyIP=st.booleans(),
            accountCountry=st.sampled_from(["JP", "CH"]),
            window_id=st.sampled_from([OWN, LATER]),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda one: one["transactionID"],
    ),
    min_size=1,
    max_size=3,
)


@pytest.mark.timeout(600)
def test_both_tables_equal_one_build_over_all_of_silver(stages, spark):
    @settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
    @given(steps)
    def holds(batches):
        for name in ("silver.transactions", *(table.lake_name for table in PIPELINE.tables)):
            spark.sql(f"DROP TABLE IF EXISTS {name}")
        till = Till(spark)
        gold = till.gold()
        for batch in batches:
            till.change(*batch)
            gold.run_pass(OWN)

        silver = till.lake.read("silver.transactions")
        for table in PIPELINE.tables:
            assert listed(till.lake.read(table.lake_name), table) == listed(table.build(silver), table)
        assert sum(row[2] for row in till.five_minutes()) == silver.count()
        assert sorted(map(tuple, till.target.rows(FIVE_MINUTES)), key=str) == listed(
            FIVE_MINUTES.build(silver), FIVE_MINUTES
        )

    holds()


def _minutes(time):
    return round((time.timestamp() - TEN.timestamp()) / 60)


def _files(till):
    rows = till.lake.read("gold.transactions_5min").selectExpr("bucket_start", "_metadata.file_path")
    return {_minutes(row[0]): row[1] for row in rows.collect()}
