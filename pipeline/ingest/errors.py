"""Which of several errors decides when stages of the pipeline fail at the same time. Pure."""

from __future__ import annotations

from semantik.core.errors import LeaseLost, Unavailable


def most_severe(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """A lost lease, then a bug, then a store that is unavailable."""
    leaves: list[BaseException] = []
    stack: list[BaseException] = [group]
    while stack:
        error = stack.pop()
        if isinstance(error, BaseExceptionGroup):
            stack += error.exceptions
        else:
            leaves.append(error)
    return min(leaves, key=lambda e: (not isinstance(e, LeaseLost), isinstance(e, Unavailable)))
