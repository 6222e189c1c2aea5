"""One watched folder as this server knows it: how its watch stands, what has changed, whether a scan is due.

Tells the log once when something is wrong, and once when it is right again. Knows no store and no process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from pipeline.watching.folder_watches import WatchEvent
from pipeline.watching.rescan import Changes, is_rested, time_is_over
from semantik.config.settings import WatchSettings
from semantik.core.models import Operation, Source

log = logging.getLogger("semantik.folders")

_BACK_S = 5.0  # so often it is looked whether a folder that is gone is there again


class WatchedFolder:
    """`source` is the record as it was read last, `scan` the operation that it got last by itself.

    `limits()` gives the settings of the moment. `is_watched` while a watch was asked for and has not ended.
    """

    def __init__(self, source: Source, limits: Callable[[], WatchSettings]) -> None:
        self.source = source
        self.scan: Operation | None = None
        self.is_watched = False
        self._limits = limits
        self._changes = Changes()
        self._sign = ""  # the kind of what was told last of the watch, changes apart
        self._asked_at = source.created_at
        self._again_at = source.created_at
        self._in_trouble = False

    def is_to_be_watched(self, at: datetime) -> bool:
        return self.source.immediate and not self.is_watched and at >= self._again_at

    def asked(self, at: datetime) -> None:
        """A watch was asked for."""
        self.is_watched, self._asked_at = True, at

    def left(self) -> None:
        self.is_watched, self._sign = False, ""

    def hear(self, sign: WatchEvent, at: datetime) -> None:
        """Note what is told of the watch. Its beginning counts as a change: who knows what happened before."""
        path = self.source.path
        if sign.kind in ("ready", "changed"):
            self._changes.note(at)
        if sign.kind == "changed":
            return
        if sign.kind == "left":
            self.left()
            return
        self._sign = sign.kind
        if sign.kind == "ready":
            log.info("watched  %s", path)
            self._in_trouble = False
            return
        self.is_watched = False
        again_s = _BACK_S if sign.kind == "gone" else self._limits().poll_s
        self._again_at = at + timedelta(seconds=again_s)
        if sign.kind == "gone":
            self._wrong(f"{path} cannot be watched: {sign.reason} It is watched again when it is back.")
        else:
            self._wrong(
                f"Changes in {path} cannot be noticed: {sign.reason} It is scanned every {again_s:g} s meanwhile."
            )

    def read(self, scan: Operation | None) -> None:
        """Take note of the scan that it got last by itself, as it stands now."""
        news = (
            scan is not None
            and scan.ended
            and (self.scan is None or self.scan.id != scan.id or not self.scan.ended)
        )
        self.scan = scan
        if scan is None:
            return
        self._changes.seen_by(scan)
        if news and scan.status == "failed":
            self._wrong(f"The watched folder {self.source.path} could not be scanned: {scan.error_message}")
        elif news and scan.status == "completed" and self._sign not in ("gone", "lost"):
            if self._in_trouble:
                log.info("scanned  %s, again", self.source.path)
            self._in_trouble = False

    def is_due(self, at: datetime) -> bool:
        """Whether it is to be scanned now, provided that no scan of it waits or runs."""
        if not is_rested(self.scan, self._limits(), at):
            return False
        if self.source.immediate and self._changes.calm(self._limits(), at):
            return True
        every_s = self._every_s(at)
        return every_s is not None and time_is_over(self.source, self.scan, every_s, self._limits(), at)

    def _every_s(self, at: datetime) -> float | None:
        wished, poll_s = self.source.interval_s, self._limits().poll_s
        silent = self._sign == "" and at - self._asked_at >= timedelta(seconds=poll_s)
        if self.source.immediate and (self._sign == "lost" or (self.is_watched and silent)):
            return min(wished or poll_s, poll_s)
        return wished

    def _wrong(self, sentence: str) -> None:
        if not self._in_trouble:
            log.warning("%s", sentence)
        self._in_trouble = True
