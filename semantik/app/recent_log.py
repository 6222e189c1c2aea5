"""The last lines of the log, in memory, for administrators: the log itself goes where the machine keeps it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_LINES = 500
_CHARACTERS = 2000  # of one line, its traceback included: from the end, where the error stands


@dataclass(frozen=True)
class LogLine:
    at: datetime
    level: str
    logger: str
    message: str


class RecentLog(logging.Handler):
    """Keeps the last lines; any thread may log."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        message = self.format(record)
        if len(message) > _CHARACTERS:
            message = "…" + message[1 - _CHARACTERS :]
        at = datetime.fromtimestamp(record.created, UTC)
        self._lines.append(LogLine(at, record.levelname.lower(), record.name, message))

    @property
    def lines(self) -> list[LogLine]:
        """The oldest first."""
        return list(self._lines)


def recent_lines() -> Sequence[LogLine]:
    """Those of this process; none where its log was not configured."""
    handlers = logging.getLogger().handlers
    return next((each.lines for each in handlers if isinstance(each, RecentLog)), [])
