"""Which reader makes passages of files: as long as it is the same, so are they. Knows the readers by name only."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

# Goes up when the extractor, the chunker or what they use makes other chunks of a file.
_OUR_OWN = 1
_PACKAGES = ("kreuzberg", "semantic-text-splitter")


@cache
def reader_version() -> str:
    """The version of all that lies between a file's bytes and its passages."""
    return " ".join([str(_OUR_OWN), *(f"{name}-{version(name)}" for name in _PACKAGES)])
