"""When a folder is due for a scan by itself: after changes, after an interval, never within the pause. Pure.

Times are wall-clock times: servers that watch the same folder share the machine, and with it the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from semantik.config.settings import WatchSettings
from semantik.core.models import Operation, Source

_MAX_DEBOUNCES = 5  # while changes go on, a scan waits at most this many times debounce_s
_PAUSE_PER_SCAN = 5  # the pause after a scan is at least this many times the time that it took to find files


@dataclass
class PendingChanges:
    """The first and the last change that no scan has seen yet; None when there is none."""

    first: datetime | None = None
    last: datetime | None = None

    def add(self, at: datetime) -> None:
        self.first, self.last = self.first or at, at

    def remove_seen_by(self, scan: Operation) -> None:
        """Remove what happened before a scan started. One that was cancelled in the queue counts as well."""
        started = scan.started_at or scan.completed_at
        if started is None or self.first is None or self.last is None:
            return
        if started > self.last:
            self.first = self.last = None
        else:
            self.first = max(self.first, started)

    def are_due(self, settings: WatchSettings, at: datetime) -> bool:
        """Whether there are changes, and they have stopped for a while or go on for too long already."""
        if self.first is None or self.last is None:
            return False
        debounce = timedelta(seconds=settings.debounce_s)
        return at - self.last >= debounce or at - self.first >= _MAX_DEBOUNCES * debounce


def interval_is_over(
    source: Source, last: Operation | None, interval_s: float, settings: WatchSettings, at: datetime
) -> bool:
    """Whether the source was last scanned `interval_s` ago; `last` is its last scan that nobody asked for."""
    since = source.scanned_at or source.created_at
    if last is not None and last.completed_at is not None:
        since = max(since, last.completed_at)
        if last.status == "failed":
            interval_s = max(interval_s, settings.poll_s)
    return at - since >= timedelta(seconds=interval_s)


def pause_is_over(last: Operation | None, settings: WatchSettings, at: datetime) -> bool:
    """Whether the pause after the last scan is over."""
    if last is None or last.completed_at is None:
        return True
    pause = max(timedelta(seconds=settings.pause_s), _PAUSE_PER_SCAN * _time_to_find_files(last))
    return at - last.completed_at >= pause


def _time_to_find_files(scan: Operation) -> timedelta:
    """How long a scan looked for files. The time to read them does not count: the next scan need not read them."""
    reached = {stage.name: stage.at for stage in scan.stages}
    started, completed = reached.get("scanning_documents"), reached.get("scanning_completed")
    return completed - started if started and completed else timedelta()
