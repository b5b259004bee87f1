"""Which source a configuration means, and how it logs in."""

import pytest

from lakehouse.request import Stream
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


def test_a_service_credential_takes_the_place_of_the_whole_login():
    config = SourceConfig("kafka", namespace=LOGIN["namespace"], service_credential="hub_reader", on_databricks=True)

    options = source_from(config).options

    assert options["databricks.serviceCredential"] == "hub_reader"
    assert options["kafka.bootstrap.servers"] == "name.servicebus.windows.net:9093"
    assert not [name for name in options if "sasl" in name or "security" in name]


def test_a_service_credential_still_needs_the_namespace():
    with pytest.raises(SourceRefused, match="'kafka' needs namespace"):
        source_from(SourceConfig("kafka", service_credential="hub_reader"))


def test_an_authority_of_ones_own_is_trusted_for_the_broker_and_for_the_login():
    options = source_from(SourceConfig("kafka", ca_bundle="/tls/ca.pem", **LOGIN)).options

    assert (options["kafka.ssl.truststore.type"], options["kafka.ssl.truststore.location"]) == ("PEM", "/tls/ca.pem")
    assert 'ssl.truststore.type="PEM" ssl.truststore.location="/tls/ca.pem"' in options["kafka.sasl.jaas.config"]


def test_kafka_reads_on_past_what_was_deleted_and_no_more_than_the_limit_at_once():
    topic = source_from(SourceConfig("kafka", max_events_a_batch=7, **LOGIN)).open(Stream("trades", "hub", "trades/1"))

    assert topic.options["failOnDataLoss"] == "false"
    assert topic.options["maxOffsetsPerTrigger"] == "7"
    assert topic.options["startingOffsets"] == "earliest"


@pytest.mark.parametrize(
    ("kind", "field"),
    [("kafka", "max_events_a_batch"), ("eventhubs", "max_events_a_batch"), ("capture", "max_files_a_batch")],
)
def test_a_limit_that_lets_nothing_through_is_refused(kind, field):
    with pytest.raises(SourceRefused, match=rf"{field} \(0\) must be at least 1"):
        source_from(SourceConfig(kind, capture_root="/captured", **LOGIN, **{field: 0}))


def test_a_capture_format_without_partition_is_refused():
    with pytest.raises(SourceRefused, match="capture_format"):
        source_from(SourceConfig("capture", capture_root="/captured", capture_format="{EventHub}/{Year}"))


def test_options_of_ones_own_replace_the_login():
    plain = {"kafka.bootstrap.servers": "127.0.0.1:1"}

    assert source_from(SourceConfig("kafka", kafka=plain)).options == plain


@pytest.mark.parametrize("kind", ["kafka", "eventhubs"])
def test_no_source_shows_its_secret(kind):
    config = SourceConfig(kind, **LOGIN)

    assert "quoted" not in repr(config) + repr(source_from(config))
