"""Which secrets a run reads: those that its pipeline needs, and no others."""

from dataclasses import MISSING, fields

import pytest

from clients import TABLES, pii_keys, secret
from lakehouse.building import lookups_of, pii_keys_of
from lakehouse.config import Parameters
from lakehouse.conformed import dim_assistentes
from lakehouse.pipelines import shop, trades
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.secrets import SecretMissing

PARAMETERS = Parameters(**{one.name: "" for one in fields(Parameters) if one.default is MISSING})


@pytest.mark.parametrize(
    "pipeline", [trades.PIPELINE, shop.PIPELINE, Pipeline("call_centre", (dim_assistentes.TABLE,))]
)
def test_the_keys_of_personal_data_are_not_asked_for_where_there_is_none(pipeline, monkeypatch):
    monkeypatch.delenv("LAKEHOUSE_SECRET_PII_KEYS", raising=False)

    assert pii_keys_of(PARAMETERS, pipeline) is None


def test_a_pipeline_with_personal_data_has_its_keys_from_the_secret_that_a_parameter_names(monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_SECRET_PII_KEYS", secret("v1", "v2"))

    assert pii_keys_of(PARAMETERS, Pipeline("call_centre", TABLES)) == pii_keys("v1", "v2")


def test_of_users_the_shops_tables_take_nothing_that_is_personal():
    found = lookups_of(shop.PIPELINE)["users"]

    assert found.columns == ("id", "city", "user_name", "administrative_unit", "jobs")
    assert found.personal == ()


def test_a_pipeline_with_personal_data_does_not_start_without_them(monkeypatch):
    monkeypatch.delenv("LAKEHOUSE_SECRET_PII_KEYS", raising=False)

    with pytest.raises(SecretMissing, match="LAKEHOUSE_SECRET_PII_KEYS is not set"):
        pii_keys_of(PARAMETERS, Pipeline("call_centre", TABLES))
