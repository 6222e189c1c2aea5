"""What a file is: its MIME type, a name for people, and whether it can be read at all. Pure; knows no format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Condition(Enum):
    """Whether a file can be read at all, given a reader for its MIME type."""

    SOUND = 1
    DAMAGED = 2  # its name or first bytes promise the format, and the rest is something else
    LOCKED = 3  # behind a password


@dataclass(frozen=True)
class Format:
    """What a file is. `name` reads well after "This is": "a PDF document"."""

    mime: str
    name: str
    condition: Condition = Condition.SOUND

    @property
    def is_picture(self) -> bool:
        return self.mime.startswith("image/")
