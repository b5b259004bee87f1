"""Which source a configuration means, and how it logs in."""

import pytest

from lakehouse.sources.capture import CaptureSource
from lakehouse.sources.configuration import SourceConfig, SourceRefused
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.kafka import KafkaSource
from lakehouse.sources.port import source_from

LOGIN = {
    "namespace": "name.servicebus.windows.net",
    "tenant_id": "tenant",
    "client_id": "client",
    "client_secret": 'a "quoted" secret',
}


def test_each_kind_means_its_source():
    assert isinstance(source_from(SourceConfig("kafka", **LOGIN)), KafkaSource)
    assert isinstance(source_from(SourceConfig("eventhubs", **LOGIN)), EventHubsSource)
    assert source_from(SourceConfig("capture", capture_root="/captured/")) == CaptureSource("/captured")


def test_an_unknown_kind_is_refused_with_the_kinds_there_are():
    with pytest.raises(SourceRefused, match="'pigeon' is unknown: it must be one of kafka, capture, eventhubs"):
        source_from(SourceConfig("pigeon"))


@pytest.mark.parametrize("kind", ["kafka", "eventhubs"])
def test_a_login_that_lacks_fields_is_refused_with_their_names(kind):
    with pytest.raises(SourceRefused, match=f"'{kind}' needs tenant_id, client_secret"):
        source_from(SourceConfig(kind, namespace="n", client_id="c"))


def test_kafka_logs_in_to_event_hubs_with_client_credentials_over_tls():
    options = source_from(SourceConfig("kafka", **LOGIN)).options

    assert options["kafka.bootstrap.servers"] == "name.servicebus.windows.net:9093"
    assert options["kafka.security.protocol"] == "SASL_SSL"
    assert options["kafka.sasl.mechanism"] == "OAUTHBEARER"
    assert options["kafka.sasl.oauthbearer.token.endpoint.url"] == (
        "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"
    )
    assert options["kafka.sasl.jaas.config"] == (
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
        'clientId="client" clientSecret="a \\"quoted\\" secret" scope="https://name.servicebus.windows.net/.default";'
    )


def test_databricks_has_kafkas_classes_under_a_name_of_its_own():
    options = source_from(SourceConfig("kafka", on_databricks=True, **LOGIN)).options

    classes = [options["kafka.sasl.jaas.config"], options["kafka.sasl.login.callback.handler.class"]]
    assert all(name.startswith("kafkashaded.org.apache.kafka.") for name in classes)


def test_options_of_ones_own_replace_the_login():
    plain = {"kafka.bootstrap.servers": "127.0.0.1:1"}

    assert source_from(SourceConfig("kafka", kafka=plain)).options == plain


@pytest.mark.parametrize("kind", ["kafka", "eventhubs"])
def test_no_source_shows_its_secret(kind):
    config = SourceConfig(kind, **LOGIN)

    assert "quoted" not in repr(config) + repr(source_from(config))
