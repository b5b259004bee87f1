"""Event Hubs' error conditions, and the refusal that carries one to a client."""

UNAUTHORIZED = "amqp:unauthorized-access"
NOT_FOUND = "amqp:not-found"
NOT_ALLOWED = "amqp:not-allowed"
STOLEN = "amqp:link:stolen"
TOO_LARGE = "amqp:link:message-size-exceeded"
LIMIT_EXCEEDED = "amqp:resource-limit-exceeded"
NOT_IMPLEMENTED = "amqp:not-implemented"
MALFORMED = "amqp:decode-error"
BUSY = "com.microsoft:server-busy"
OUT_OF_RANGE = "com.microsoft:argument-out-of-range"
ARGUMENT = "com.microsoft:argument-error"
BUSY_TEXT = "The request was terminated because the entity is being throttled. Error code: 50002. Try again in 4 s."


class Refusal(Exception):
    """What the client did cannot be; `condition` is the AMQP symbol and `text` what its log will say."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(f"{condition}: {text}")
        self.condition = condition
        self.text = text
