"""What the settings say about the content of files, for every reader. Runs in the worker processes.

A reader that has a choice asks `current()`; most have none, so the options are not an argument of each reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadingOptions:
    """`documents.…` of the settings, under the same names. Crosses from the server to the workers."""

    hidden_sheets: bool = False


DEFAULTS = ReadingOptions()
_options: ContextVar[ReadingOptions] = ContextVar("reading_options", default=DEFAULTS)


def current() -> ReadingOptions:
    """The options of the file that is being read; the defaults outside `using`."""
    return _options.get()


@contextmanager
def using(options: ReadingOptions) -> Iterator[None]:
    """While the block runs, `current()` returns `options`."""
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)
