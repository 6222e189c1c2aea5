"""`semantik-audit`: shows the audit trail on the command line; with or without a server running."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from semantik.auth.audit import with_user
from semantik.commands.cli_common import (
    EXIT_STATUS,
    format_table,
    load_settings,
    print_output,
    report_error,
    run_command,
    store_flags,
)
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import SemantikError
from semantik.core.models import AUDIT_OUTCOMES, AuditEvent, AuditFilter, now
from semantik.storage.mongo import Store

_PROG = "semantik-audit"
_PAGE = 1000
_MAX_LIMIT = 10_000_000
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_HEAD = ("TIME", "ACTION", "OUTCOME", "USER", "ADDRESS", "TARGET", "DETAILS")


def main(argv: list[str]) -> int:
    """Show events, the oldest first, and return the exit status: 0 done, 1 failed, 2 usage error."""
    arguments = parser().parse_args(argv)
    try:
        settings = load_settings(arguments)
    except SemantikError as error:
        return report_error(_PROG, error)
    return run_command(_PROG, _show(settings, arguments))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        epilog=EXIT_STATUS,
        description="Show who did what: the newest events of the audit trail, the oldest of them first.",
        parents=[store_flags()],
    )
    made.add_argument("--user", metavar="NAME", help="only what this user did: a name, address or id")
    made.add_argument("--action", metavar="ACTION", help="only this action, or all of one noun (collection)")
    made.add_argument("--outcome", choices=AUDIT_OUTCOMES, help="only events with this outcome")
    made.add_argument("--address", metavar="IP", help="only from this address")
    made.add_argument("--target", metavar="PATH", help="only on this, as collections/ID")
    made.add_argument("--request-id", metavar="ID", help="only of this request")
    when = "an ISO 8601 time, or how long ago: 90m, 12h, 7d"
    made.add_argument("--since", type=_moment, metavar="TIME", help=f"not before: {when}")
    made.add_argument("--until", type=_moment, metavar="TIME", help=f"before: {when}")
    made.add_argument("--limit", type=_limit, default=100, metavar="N", help="events at most (%(default)s)")
    made.add_argument("--json", action="store_true", help="print one JSON object a line")
    return made


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MAX_LIMIT}")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
            return now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T12:00 or 7d") from error


async def _show(settings: Settings, arguments: argparse.Namespace) -> int:
    names = ("action", "outcome", "address", "target", "request_id", "since", "until")
    only = AuditFilter(**{name: getattr(arguments, name) for name in names})
    async with open_stores(settings) as stores:
        only = await with_user(stores.store, only, arguments.user)
        found = [event async for event in _newest(stores.store, only, arguments.limit)]
    found.reverse()
    if arguments.json:
        if found:
            print_output("\n".join(json.dumps(_json(event), ensure_ascii=False) for event in found))
    else:
        print_output(format_table(_HEAD, [_row(event) for event in found]) if found else "No such events.")
    return 0


async def _newest(store: Store, only: AuditFilter, limit: int) -> AsyncIterator[AuditEvent]:
    before: str | None = None
    while limit > 0:
        page = await store.audit.page(only, before, min(limit, _PAGE))
        for event in page:
            yield event
        if len(page) < min(limit, _PAGE):
            return
        limit -= len(page)
        before = page[-1].id


def _row(event: AuditEvent) -> tuple[str, ...]:
    details = " ".join(f"{name}={value}" for name, value in event.details.items())
    cells = (
        f"{event.at:%Y-%m-%d %H:%M:%S}",
        event.action,
        event.outcome,
        event.username or "-",
        event.address or "-",
        event.target or "-",
        details,
    )
    return tuple(_printable(cell) for cell in cells)


def _printable(text: str) -> str:
    """Without control characters: a name in the trail must not move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _json(event: AuditEvent) -> dict[str, Any]:
    at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**vars(event), "at": at, "details": dict(event.details)}
