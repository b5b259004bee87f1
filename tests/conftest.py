"""What all tests share: hypothesis draws the same examples on every run and has no deadline on a noisy machine.

`--long` is the fault tests' alone, but an option must be known before they are found.
"""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("steady")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the fault tests' long form, which writes docs/reliability.md")
