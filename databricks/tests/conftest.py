"""What the lakehouse's tests share: one Spark session, one hub, one Kafka broker for the whole process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

from hub_stage import ROOT, Platform, platform
from kafka_broker import kafka_broker
from lakehouse.session import spark_session

HUBS = "trades:2,lost:2,anew:2,restarted:2,epochs:2,passes:2,empty:1,spread-a:2,spread.b:2"

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=100, database=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def jars() -> list[Path]:
    found = sorted((ROOT / ".cache/jars").glob("*.jar"))
    assert found, "the jars are missing: run scripts/setup-lakehouse"
    return found


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="session")
def spark(lake: Path, jars: list[Path]) -> Iterator[SparkSession]:
    session = spark_session("tests", lake_root=str(lake), jars=jars)
    session.sparkContext.setLogLevel("OFF")
    # For a few rows compiling takes longer than all the rest; jobs of the platform's tests do compile.
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with platform(tmp_path_factory.mktemp("platform"), HUBS) as serving:
        yield serving


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with kafka_broker(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture
def checkpoints(tmp_path: Path) -> str:
    return str(tmp_path / "checkpoints")
