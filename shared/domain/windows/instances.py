"""The ids of a window's orchestrations, which each of a window's attempts has its own of, and how one may stand."""

from typing import Literal

Standing = Literal["alive", "completed", "failed", "gone"]
"""How an orchestration stands: one that was suspended is alive, one that was terminated failed, an unknown one gone."""


def window_instance(window_id: str, attempt: int) -> str:
    """Name a window's orchestration: the window's id, with `-a<n>` from the second attempt on."""
    return window_id if attempt == 1 else f"{window_id}-a{attempt}"


def opening_instance(window: str) -> str:
    """Name the orchestration that publishes the opening of the window whose orchestration is `window`."""
    return f"{window}-opening"


def leg_instance(window: str, number: int) -> str:
    """Name the orchestration of one leg of the window whose orchestration is `window`."""
    return f"{window}-leg{number}"


def slice_instance(leg: str, number: int) -> str:
    """Name the orchestration of one slice of the leg whose orchestration is `leg`."""
    return f"{leg}-slice{number}"
