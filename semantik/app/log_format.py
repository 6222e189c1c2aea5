"""The format of the log: one line per event, in fixed columns for people or as a JSON object."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from semantik.app.recent_log import RecentLog
from semantik.config.settings import LogSettings


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        line = f"{moment} {record.levelname:<7} {record.name:<20} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False)


def configure_logging(settings: LogSettings) -> None:
    """Send the log of the whole process to standard error; standard output is for the line that reports readiness."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if settings.format == "json" else _TextFormatter())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler, RecentLog()], force=True)
    for noisy in ("asyncio", "httpx2", "pymongo", "tornado.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
