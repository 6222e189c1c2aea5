"""When a folder is to be scanned again by itself: what has changed, when it was scanned, how long to rest. Pure.

Moments are wall-clock times: servers that watch one folder share the machine, and with it the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from semantik.config.settings import WatchSettings
from semantik.core.models import Operation, Source

_LONGEST = 5  # so many times debounce_s a scan waits at most, while changes go on
_REST = 5  # so many times as long as a scan took nothing is scanned after it


@dataclass
class Changes:
    """The first and the last change that no scan has seen yet; None when there is none."""

    first: datetime | None = None
    last: datetime | None = None

    def note(self, at: datetime) -> None:
        self.first, self.last = self.first or at, at

    def seen_by(self, scan: Operation) -> None:
        """Forget what happened before the scan began. One that was cancelled in the line counts as well."""
        begun = scan.started_at or scan.completed_at
        if begun is None or self.first is None or self.last is None:
            return
        if begun > self.last:
            self.first = self.last = None
        else:
            self.first = max(self.first, begun)

    def calm(self, limits: WatchSettings, at: datetime) -> bool:
        """Whether there are changes, and they have come to rest or last too long already."""
        if self.first is None or self.last is None:
            return False
        quiet = timedelta(seconds=limits.debounce_s)
        return at - self.last >= quiet or at - self.first >= _LONGEST * quiet


def time_is_over(
    source: Source, last: Operation | None, every_s: float, limits: WatchSettings, at: datetime
) -> bool:
    """Whether the source was last scanned `every_s` ago, `last` being the scan that it got last by itself."""
    since = source.scanned_at or source.created_at
    if last is not None and last.completed_at is not None:
        since = max(since, last.completed_at)
        if last.status == "failed":
            every_s = max(every_s, limits.poll_s)
    return at - since >= timedelta(seconds=every_s)


def is_rested(last: Operation | None, limits: WatchSettings, at: datetime) -> bool:
    """Whether the pause after the last scan is over."""
    if last is None or last.completed_at is None:
        return True
    pause = max(timedelta(seconds=limits.pause_s), _REST * _scanning(last))
    return at - last.completed_at >= pause


def _scanning(scan: Operation) -> timedelta:
    """How long it looked for files; what it read afterwards is not done again."""
    reached = {stage.name: stage.at for stage in scan.stages}
    begun, done = reached.get("scanning_documents"), reached.get("scanning_completed")
    return done - begun if begun and done else timedelta()
