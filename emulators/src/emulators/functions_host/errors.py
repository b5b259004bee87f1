"""The errors that the host raises on purpose.

FunctionsHostError
├── AppRefused: the app can't be hosted; the message says by which rule, and the host ends with code 1.
└── TimerScheduleError: a schedule expression isn't NCRONTAB or hh:mm:ss.
"""


class FunctionsHostError(Exception):
    """The root of this room's errors."""


class AppRefused(FunctionsHostError):
    """The app or its configuration can't be hosted."""


class TimerScheduleError(FunctionsHostError):
    """A timer's schedule expression is not one that Azure Functions accepts."""
