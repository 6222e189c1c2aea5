"""The parts of a container: a file like an archive or a mailbox that holds files of its own. Pure; knows no format."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_NAME = 400  # characters


@dataclass(frozen=True)
class Part:
    """One file inside a container.

    name: unique in the container, and the same as long as the part is there, whatever else comes and goes.
    size: in bytes, unpacked.
    digest: the same as long as the content is the same.
    locator: finds the part in the container as it is now; it may change whenever the container changes.
    """

    name: str
    size: int
    digest: str
    locator: str


@dataclass(frozen=True)
class ContainerLimits:
    """How much of a container is read: the number of its parts, and their bytes together, unpacked.

    The parts that follow are left out, and the container has a warning. Whoever takes parts from a reader counts them;
    a reader needs the limits only where it would do work ahead. Files in archives are not listed if a glob of `exclude`
    matches them or a folder of theirs (see `semantik/core/globs.py`).
    """

    max_parts: int
    max_bytes: int
    exclude: tuple[str, ...] = ()


class UniqueNames:
    """Makes the names of a container's parts fit to be shown, and unique: a second "a.txt" becomes "a.txt (2)"."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def add(self, name: str) -> str:
        """`name` on one line, without control characters, bounded in length; numbered if it was there before."""
        if not name.isprintable():
            name = "".join(char if char.isprintable() else " " for char in name)
        clean = " ".join(name.split())
        while clean.startswith("./"):  # which tells the paths of parts apart that would be the same
            clean = clean[2:]
        clean = clean[:_MAX_NAME] or "unnamed"
        unique, number = clean, self._last.get(clean, 1)
        while unique in self._taken:
            number += 1
            unique = f"{clean} ({number})"
        self._last[clean] = number
        self._taken.add(unique)
        return unique


def shown_path(name: str) -> str:
    """The path of a file in an archive, with slashes, and never leading out of it."""
    steps = name.replace("\\", "/").split("/")
    return "/".join(step for step in steps if step not in ("", ".", ".."))
