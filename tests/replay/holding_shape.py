"""The shape that Azure's replay bears, kept small: one orchestration for each thing that waits and is tried again."""

from datetime import timedelta

from tests.replay.old_shape import begins, count, window_id


def ingest_window(context):
    plan = context.get_input()["plan"]
    children = [
        context.call_sub_orchestrator("opening", {"window_id": window_id(plan)}, f"{context.instance_id}-opening"),
        context.call_sub_orchestrator("ingest_leg", {"plan": plan, "leg": 0}, f"{context.instance_id}-leg0"),
    ]
    published, _ = yield context.task_all(children)
    closed = yield context.call_activity("close_window", {"plan": plan})
    return {"opening": published, **closed}


def ingest_leg(context):
    plan, window = context.get_input()["plan"], context.instance_id.removesuffix("-leg0")
    slices = [
        context.call_sub_orchestrator("slice_run", {"plan": plan, "slice": number}, f"{window}-s{number}")
        for number in range(count(plan))
    ]
    return (yield context.task_all(slices))


def slice_run(context):
    plan, number = context.get_input()["plan"], context.get_input()["slice"]
    timer, stop = context.create_timer(begins(plan, number)), context.wait_for_external_event("stop")
    winner = yield context.task_any([timer, stop])
    if winner is stop:
        if not timer.is_completed:
            timer.cancel()
        return {"slice": number, "state": "skipped"}
    return (yield from tried(context, "ingest_slice", {"plan": plan, "slice": number}, longest=15))


def opening(context):
    return (yield from tried(context, "publish", context.get_input(), longest=20))


def tried(context, activity, given, *, longest):
    for failures in range(1, 90):
        try:
            return (yield context.call_activity(activity, given))
        except Exception:
            again = context.current_utc_datetime + timedelta(seconds=min(2**failures, longest))
        yield context.create_timer(again)
    return {"state": "failed"}


ORCHESTRATORS = {"ingest_window": ingest_window, "ingest_leg": ingest_leg, "slice_run": slice_run, "opening": opening}
