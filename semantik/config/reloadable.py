"""The settings of a server that runs: those that can be taken anew without a restart, and those that cannot.

Rooms that keep a state get a callable that gives their section of the moment; the settings themselves stay frozen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from semantik.config.loader import entries
from semantik.config.settings import Settings


@dataclass(frozen=True)
class ReloadResult:
    """What a reload did: the names of the settings that changed, and of those that wait for a restart."""

    changed: tuple[str, ...]
    waiting: tuple[str, ...]


class SettingsHolder:
    """Call it for the settings of the moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self) -> Settings:
        return self._settings

    def reload(self, fresh: Settings) -> ReloadResult:
        """Take what can be taken from `fresh`; all else stays as it was when the server started."""
        differing = [e for e in entries() if _value(fresh, e.name) != _value(self._settings, e.name)]
        changed = tuple(entry.name for entry in differing if entry.live)
        for name in changed:
            self._settings = _with(self._settings, name.split("."), _value(fresh, name))
        return ReloadResult(changed, tuple(entry.name for entry in differing if not entry.live))


def _value(settings: Settings, name: str) -> Any:
    return reduce(getattr, name.split("."), settings)


def _with(part: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    return replace(part, **{name: _with(getattr(part, name), rest, value) if rest else value})
