"""What all tests share: hypothesis draws the same examples on every run and has no deadline on a noisy machine."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("steady")
