"""The shape that Azure's replay does not bear, kept small: whatever is due is awaited by one `task_any`, over and over.

A window runs its legs beside the publishing of its opening, a leg its slices, each from its own time on; what may be
tried again stands in the same list as the next timer and the stop.
"""

from datetime import datetime, timedelta
from functools import partial

import azure.durable_functions as df

SLICE_RETRY = df.RetryOptions(5_000, 4)
LEDGER_RETRY = df.RetryOptions(10_000, 60)


def ingest_window(context):
    plan = context.get_input()["plan"]
    named = {"window_id": window_id(plan)}
    begun = yield context.call_activity_with_retry("begin_window", LEDGER_RETRY, named)
    if begun["proceed"]:
        opening = partial(context.call_activity_with_retry, "publish_opening", LEDGER_RETRY, named)
        leg = partial(
            context.call_sub_orchestrator, "ingest_leg", {"plan": plan, "leg": 0}, f"{context.instance_id}-leg0"
        )
        yield from run_staggered(
            context, [(context.current_utc_datetime, opening), (begins(plan, 0), leg)], limit=overlap(plan) + 1
        )
        begun = yield context.call_activity_with_retry("close_window", LEDGER_RETRY, {"plan": plan})
        yield context.call_activity_with_retry("write_marker", LEDGER_RETRY, named)
        yield context.call_activity_with_retry("publish_closing", LEDGER_RETRY, named)
    return dict(begun)


def ingest_leg(context):
    plan = context.get_input()["plan"]
    slices = [
        (
            begins(plan, number),
            partial(context.call_activity_with_retry, "ingest_slice", SLICE_RETRY, {"plan": plan, "slice": number}),
        )
        for number in range(count(plan))
    ]
    results = yield from run_staggered(context, slices, limit=overlap(plan))
    return [outcome(result) for result in results.values()]


def run_staggered(context, children, *, limit):
    stop, running, results, timer, ended = context.wait_for_external_event("stop"), {}, {}, None, False
    while True:
        following = len(running) + len(results)
        waiting = not ended and following < len(children) and len(running) < limit
        if waiting and children[following][0] <= context.current_utc_datetime:
            running[following] = children[following][1]()
            continue
        if not running and not waiting:
            return results
        if waiting:
            timer = timer or context.create_timer(children[following][0])
        winner = yield context.task_any([*running.values(), *([timer] if waiting else []), *([] if ended else [stop])])
        if winner is timer:
            timer = None
        elif winner is stop:
            ended = True
            cancel(timer)
        else:
            position = next(position for position, task in running.items() if task is winner)
            results[position] = running.pop(position).result


def cancel(timer):
    if timer:
        timer.cancel()


def outcome(result):
    return {"state": "failed", "reason": str(result)[:200]} if isinstance(result, Exception) else result


def window_id(plan):
    return f"{plan['feed']}-{datetime.fromisoformat(plan['start']):%Y%m%dT%H%M%SZ}"


def count(plan):
    length = datetime.fromisoformat(plan["end"]) - datetime.fromisoformat(plan["start"])
    return round(length.total_seconds() / plan["slice_length"])


def begins(plan, number):
    offset = timedelta(seconds=number * plan["slice_length"] - plan["lead"])
    return datetime.fromisoformat(plan["start"]) + offset


def overlap(plan):
    return int(-(-(plan["lead"] + plan["slice_length"] + plan["grace"]) // plan["slice_length"]) + 1)


ORCHESTRATORS = {"ingest_window": ingest_window, "ingest_leg": ingest_leg}
