"""What arguments and results of calls may be besides JSON."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, TypedDict
from urllib.parse import quote


class _Unset(Enum):
    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


Unset = Literal[_Unset.UNSET]
UNSET: Final = _Unset.UNSET  # an argument that is not sent; None is sent, as null

FileContent = bytes | Path  # the bytes, or the file that has them


class ServerEvent(TypedDict):
    """One of the Server-Sent Events: `event` is "message" if it has no name, `id` the last one that was sent."""

    event: str
    id: str
    data: Any


def fill(template: str, *values: object) -> str:
    """A path with these values in place of its `{}`, quoted."""
    return template.format(*(quote(str(value), safe="") for value in values))
