"""How a worker speaks to its supervisor: the word it writes when it serves, and the codes it ends with."""

READY = b"ready\n"
REFUSED = 3
TIMED_OUT = 4

_MEANING = {
    0: "it stopped by itself",
    REFUSED: "the app can't be hosted, see above",
    TIMED_OUT: "a function exceeded functionTimeout",
}


def explain(code: int) -> str:
    """Say why a worker ended, from the code that its process returned (negative: the signal that killed it)."""
    if code < 0:
        return f"it was killed by signal {-code}"
    return _MEANING.get(code, f"it ended with code {code}")
