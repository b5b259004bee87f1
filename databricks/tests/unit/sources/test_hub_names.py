"""Every source reads the hub that it is asked for, whatever the stream is called."""

import pytest

from lakehouse.streams.bronze import BronzeProgress, run_bronze_pass
from lakehouse.request import Stream
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.port import source_from

LOGIN = {"namespace": "name.servicebus.windows.net", "tenant_id": "t", "client_id": "c", "client_secret": "s"}
HUB = "market-trades"


class Loading(Exception):
    """Ends a reading where Spark would begin one."""


class ReadingSpark:
    """Stands for a session and its stream reader, and remembers what it was to load."""

    def __init__(self):
        self.given = {}

    @property
    def dataSource(self):  # noqa: N802 - Spark's own name
        return self

    @property
    def readStream(self):  # noqa: N802 - Spark's own name
        return self

    def register(self, source):
        self.given["registered"] = source

    def format(self, name):
        return self.options(format=name)

    def schema(self, text):
        return self.options(schema=text)

    def option(self, name, value):
        return self.options(**{name: value})

    def options(self, **given):
        self.given |= given
        return self

    def load(self, path=None):
        self.given["path"] = path
        raise Loading

    def sql(self, statement):
        """Take a statement that makes a table."""


@pytest.mark.parametrize(
    ("config", "option"),
    [
        (SourceConfig("kafka", **LOGIN), "subscribe"),
        (SourceConfig("eventhubs", **LOGIN), "name"),
        (SourceConfig("capture", capture_root="/captured"), "path"),
    ],
)
def test_a_pass_over_a_renamed_hub_asks_for_the_hub_and_never_for_the_stream(config, option):
    spark = ReadingSpark()
    known = BronzeProgress({})

    with pytest.raises(Loading):
        run_bronze_pass(spark, source_from(config), Stream("trades", HUB, "trades/1"), "/c", known=known)

    assert spark.given[option].endswith(HUB)
    assert "trades" not in {str(value) for value in spark.given.values()}
