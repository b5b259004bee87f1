"""Runs several things at once, and lets the one error that ended them through as itself."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def side_by_side(*main: Coroutine[Any, Any, None], meanwhile: Iterable[Coroutine[Any, Any, None]] = ()) -> None:
    """Wait for all of `main`, then cancel what ran meanwhile; the first error of any of them cancels the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            company = [group.create_task(one) for one in meanwhile]
            await _all(group, main)
            for task in company:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors


async def _all(group: asyncio.TaskGroup, main: Iterable[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*(group.create_task(one) for one in main))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
