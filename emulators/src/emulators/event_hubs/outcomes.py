"""What the hub makes of a message or a link, as AMQP says it."""

from proton import Condition, Connection, Delivery, Link, Terminus

from emulators.event_hubs.errors import Refusal

_PYTHON = "azsdk-python"


def accept(delivery: Delivery) -> None:
    """Settle a message as taken."""
    delivery.update(Delivery.ACCEPTED)
    delivery.settle()


def reject(delivery: Delivery, refusal: Refusal) -> None:
    """Settle a message as refused, with the reason."""
    delivery.local.condition = condition_of(refusal)
    delivery.update(Delivery.REJECTED)
    delivery.settle()


def condition_of(refusal: Refusal) -> Condition:
    """Express a refusal as an AMQP error; pyamqp reads its third field, so the info map is never empty."""
    return Condition(refusal.condition, refusal.text, {"reference": "local"})


def copy_ends(link: Link, *, refused: bool) -> None:
    """Give a link the ends that its client asked for; a refused one has none on this side (AMQP 1.0, 2.6.3).

    Python's client gets both all the same: without them it tries a refused receiver again for ever and says nothing.
    C# and Java take a link with both ends for open, and tell its end without the reason.
    """
    link.source.copy(link.remote_source)
    link.target.copy(link.remote_target)
    if refused and not _is_python(link.connection):
        (link.target if link.is_receiver else link.source).type = Terminus.UNSPECIFIED


def _is_python(connection: Connection) -> bool:
    return _PYTHON in str((connection.remote_properties or {}).get("product"))
