"""The settings of the audit trail. Part of `Settings`; see `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import at_least, between, reloadable


@dataclass(frozen=True)
class AuditSettings:
    """The record of who did what, kept in MongoDB."""

    keep_days: int = reloadable(365, between(1, 36_500), "Days that an event is kept.")
    queue_events: int = reloadable(
        10_000, at_least(100), "Events that wait for MongoDB at most; further ones are counted only."
    )
    refusals_per_minute: int = reloadable(
        120, between(1, 100_000), "Different refusals recorded in a minute; further ones are counted only."
    )
