"""The pipelines by feed. A feed without one ends at silver."""

from lakehouse.pipelines import call_centre, gps, payments, shop, trades
from lakehouse.pipelines.options import Option
from lakehouse.pipelines.pipeline import Pipeline

_ALL = (trades.PIPELINE, call_centre.PIPELINE, payments.PIPELINE, gps.PIPELINE, shop.PIPELINE)

PIPELINES = {pipeline.feed: pipeline for pipeline in _ALL}


def known_options() -> tuple[Option, ...]:
    """Give the options of all pipelines' tables, each once."""
    found = (option for pipeline in PIPELINES.values() for table in pipeline.tables for option in table.options)
    return tuple({option.name: option for option in found}.values())


def pipeline_of(feed: str) -> Pipeline:
    """Give a feed's pipeline; one without tables where the feed ends at silver."""
    return PIPELINES.get(feed, Pipeline(feed, ()))
