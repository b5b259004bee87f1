"""Where the partition stands in a captured file's path."""

import re

import pytest

from lakehouse.sources.capture_format import parse_capture_format
from lakehouse.sources.configuration import EVENT_HUBS_CAPTURE_FORMAT, SourceRefused

TIME = "{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"


def partition_of(path, layout, hub="trades"):
    found = re.search(parse_capture_format(layout).pattern(hub), path)
    return found and found[1]


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        (EVENT_HUBS_CAPTURE_FORMAT, "/c/local/trades/12/2026/11/22/10/05/00.avro"),
        (f"{{EventHub}}/{TIME}/{{Namespace}}/{{PartitionId}}", "/c/trades/2026/11/22/10/05/00/local/12.avro"),
        (f"raw/{{EventHub}}/{TIME}_p{{PartitionId}}-x", "/c/raw/trades/2026/11/22/10/05/00_p12-x.avro"),
        (f"{{PartitionId}}_{{EventHub}}/{TIME}/{{Namespace}}", "/c/12_trades/2026/11/22/10/05/00/local.avro"),
        (f"{{Namespace}}/{TIME}/{{PartitionId}}/{{EventHub}}", "/c/local/2026/11/22/10/05/00/12/trades.avro"),
        ("{EventHub}/{PartitionId}{Year}{Month}{Day}{Hour}{Minute}{Second}", "/c/trades/1220261122100500.avro"),
    ],
)
def test_the_partition_is_read_wherever_the_format_has_it(layout, path):
    assert partition_of(path, layout) == "12"


@pytest.mark.parametrize(
    "path",
    [
        "/c/local/mytrades/0/2026/11/22/10/05/00.avro",
        "/c/local/trades/zero/2026/11/22/10/05/00.avro",
        "/c/local/trades/0/2026/11/22/10/05/00.avro.tmp",
        "/c/local/trades/0/2026/11/22/10/05.avro",
    ],
)
def test_a_path_of_another_hub_or_shape_is_none_of_the_hubs(path):
    assert partition_of(path, EVENT_HUBS_CAPTURE_FORMAT) is None


@pytest.mark.parametrize(
    ("layout", "complaint"),
    [
        ("{Namespace}/{EventHub}/{Year}", r"lacks \{PartitionId\}"),
        ("{Namespace}/{PartitionId}/{Year}", r"lacks \{EventHub\}"),
        ("{EventHub}/{PartitionId}/{Week}", r"unknown placeholders \{Week\}"),
        ("{EventHub}/{PartitionId}/{PartitionId}", r"names twice \{PartitionId\}"),
        ("{EventHub}{PartitionId}", r"leaves open .* \{EventHub\}\{PartitionId\}"),
        ("{Namespace}-{EventHub}/{PartitionId}", r"leaves open .* \{Namespace\}-\{EventHub\}"),
        ("{EventHub}/p {PartitionId}", "has the characters ' '"),
    ],
)
def test_a_format_that_does_not_tell_hub_and_partition_is_refused_by_name(layout, complaint):
    with pytest.raises(SourceRefused, match=f"capture_format: .*{complaint}"):
        parse_capture_format(layout)


@pytest.mark.parametrize(
    ("layout", "glob"),
    [
        (EVENT_HUBS_CAPTURE_FORMAT, "*/trades"),
        (f"{TIME}/{{PartitionId}}/{{EventHub}}", "*/*/*/*/*/*/*/trades.avro"),
        (f"raw/{{EventHub}}/{{PartitionId}}/{TIME}", "raw/trades"),
    ],
)
def test_only_the_hubs_own_folders_are_listed(layout, glob):
    assert parse_capture_format(layout).glob("trades") == glob
