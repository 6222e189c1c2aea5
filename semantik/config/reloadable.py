"""The settings of a running server: which of them a reload applies, and which need a restart.

Parts that keep state get a callable that returns the current settings; a `Settings` itself stays frozen. Runs on the
loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

from semantik.config.loader import entries, replaced
from semantik.config.settings import Settings


@dataclass(frozen=True)
class ReloadResult:
    """What a reload did: the names of the settings that changed, and of those that need a restart to change."""

    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


class SettingsHolder:
    """Call it for the current settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self) -> Settings:
        return self._settings

    def reload(self, fresh: Settings) -> ReloadResult:
        """Apply what is reloadable of `fresh`; all other settings stay as they were at the start."""
        differing = [e for e in entries() if _value(fresh, e.name) != _value(self._settings, e.name)]
        changed = tuple(entry.name for entry in differing if entry.reloadable)
        for name in changed:
            self._settings = replaced(self._settings, name.split("."), _value(fresh, name))
        return ReloadResult(changed, tuple(entry.name for entry in differing if not entry.reloadable))


def _value(settings: Settings, name: str) -> Any:
    return reduce(getattr, name.split("."), settings)
