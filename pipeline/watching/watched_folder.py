"""One watched folder as this server sees it: the state of its watch, what has changed, and whether a scan is due.

Logs once when something is wrong, and once when it is right again. Knows neither stores nor processes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.watching.rescan import PendingChanges, interval_is_over, pause_is_over
from pipeline.watching.watcher_client import WatchEvent
from semantik.config.settings import WatchSettings
from semantik.core.models import Operation, Source

log = logging.getLogger("semantik.folders")

_GONE_RETRY_S = 5.0  # how often to look whether a folder that is gone exists again


class WatchedFolder:
    """`source` is the record as last read, `scan` the last scan that the servers queued by themselves.

    `settings()` returns the current settings. `is_watched` from the request for a watch until the watch ends.
    """

    def __init__(self, source: Source, settings: Callable[[], WatchSettings]) -> None:
        self.source = source
        self.scan: Operation | None = None
        self.is_watched = False
        self._settings = settings
        self._changes = PendingChanges()
        self._state = ""  # the kind of the last event that was no change; empty before the first one
        self._requested_at = source.created_at
        self._retry_at = source.created_at
        self._has_problem = False

    def needs_watch(self, at: datetime) -> bool:
        return self.source.immediate and not self.is_watched and at >= self._retry_at

    def set_watched(self, at: datetime) -> None:
        """A watch was requested."""
        self.is_watched, self._requested_at = True, at

    def set_unwatched(self) -> None:
        """The watch was ended on purpose."""
        self.is_watched, self._state = False, ""

    def on_event(self, event: WatchEvent, at: datetime) -> None:
        """Apply an event of the watch. Its start counts as a change, since changes before it went unnoticed."""
        path = self.source.path
        if event.kind in ("ready", "changed"):
            self._changes.add(at)
        if event.kind == "changed":
            return
        if event.kind == "left":
            self.set_unwatched()
            return
        self._state = event.kind
        if event.kind == "ready":
            log.info("watched  %s", path)
            self._has_problem = False
            return
        self.is_watched = False
        retry_s = _GONE_RETRY_S if event.kind == "gone" else self._settings().poll_s
        self._retry_at = at + timedelta(seconds=retry_s)
        if event.kind == "gone":
            self._warn(f"{path} cannot be watched: {event.reason} It is watched again when it is back.")
        else:
            self._warn(
                f"Changes in {path} cannot be noticed: {event.reason} It is scanned every {retry_s:g} s meanwhile."
            )

    def update_scan(self, scan: Operation | None) -> None:
        """Take over the present record of the last scan that the servers queued by themselves."""
        has_just_ended = (
            scan is not None
            and scan.ended
            and (self.scan is None or self.scan.id != scan.id or not self.scan.ended)
        )
        self.scan = scan
        if scan is None:
            return
        self._changes.remove_seen_by(scan)
        if has_just_ended and scan.status == "failed":
            self._warn(f"The watched folder {self.source.path} could not be scanned: {scan.error_message}")
        elif has_just_ended and scan.status == "completed" and self._state not in ("gone", "lost"):
            if self._has_problem:
                log.info("scanned  %s, again", self.source.path)
            self._has_problem = False

    def is_due(self, at: datetime) -> bool:
        """Whether it has to be scanned now, provided that no scan of it waits or runs."""
        if not pause_is_over(self.scan, self._settings(), at):
            return False
        if self.source.immediate and self._changes.are_due(self._settings(), at):
            return True
        interval_s = self._interval_s(at)
        return interval_s is not None and interval_is_over(
            self.source, self.scan, interval_s, self._settings(), at
        )

    def _interval_s(self, at: datetime) -> float | None:
        """The source's own interval, or a shorter one while its watch does not work."""
        interval_s, poll_s = self.source.interval_s, self._settings().poll_s
        is_silent = self._state == "" and at - self._requested_at >= timedelta(seconds=poll_s)
        if self.source.immediate and (self._state == "lost" or (self.is_watched and is_silent)):
            return min(interval_s or poll_s, poll_s)
        return interval_s

    def _warn(self, sentence: str) -> None:
        if not self._has_problem:
            log.warning("%s", sentence)
        self._has_problem = True
