"""What the hub makes of a message or a link, as AMQP says it."""

from proton import Condition, Delivery

from emulators.event_hubs.errors import Refusal


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
