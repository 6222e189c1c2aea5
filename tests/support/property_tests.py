"""Property tests that are the same in every run: an error that they find can be repeated, and none comes by chance."""

from __future__ import annotations

from hypothesis import settings


def examples(number: int) -> settings:
    """So many examples for each test, without a deadline, and without files that remember them."""
    return settings(max_examples=number, deadline=None, database=None, derandomize=True)
