"""The pipelines by feed. A feed without one ends at silver."""

from lakehouse.pipelines import payments, trades
from lakehouse.pipelines.pipeline import Pipeline

PIPELINES = {pipeline.feed: pipeline for pipeline in (trades.PIPELINE, payments.PIPELINE)}


def pipeline_of(feed: str) -> Pipeline:
    """Give a feed's pipeline; one without tables where the feed ends at silver."""
    return PIPELINES.get(feed, Pipeline(feed, ()))
