"""`semantik-status`: shows the servers, the queue, the stores and the collections, as text or JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semantik.app.instances import InstanceState
from semantik.commands.cli_common import (
    FAILED,
    format_table,
    load_settings,
    print_output,
    report_error,
    run_command,
    store_flags,
)
from semantik.commands.status_snapshot import (
    QueuedState,
    StatusSnapshot,
    StoreContents,
    collect,
)
from semantik.commands.status_warnings import warned_documents, warnings_json, warnings_text
from semantik.config.settings import Settings
from semantik.core.errors import SemantikError

_PROG = "semantik-status"
_MIB = 1 << 20
_MAX_LIMIT = 1000


def main(argv: list[str]) -> int:
    """Show it, and return the exit status: 0 all well, 1 a store does not answer or no server runs, 2 usage error."""
    arguments = parser().parse_args(argv)
    try:
        settings = load_settings(arguments)
    except SemantikError as error:
        return report_error(_PROG, error)
    if arguments.warnings is not None:
        return run_command(_PROG, _show_warnings(settings, arguments))
    return run_command(_PROG, _show(settings, arguments.json))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Show the servers, the queue, the stores and the collections. "
        "Exit status 0: all is well; 1: a store does not answer, or no server runs; 2: usage error.",
        parents=[store_flags()],
    )
    made.add_argument("--json", action="store_true", help="print JSON")
    group = made.add_argument_group("documents with warnings")
    group.add_argument(
        "--warnings",
        nargs="?",
        const="",
        metavar="COLLECTION",
        help="list them with their quality instead: of all collections, or of one by its name or id",
    )
    group.add_argument(
        "--limit",
        type=_limit,
        default=50,
        metavar="N",
        help="documents of a collection, 1 to 1000 (%(default)s)",
    )
    group.add_argument(
        "--after", default="", metavar="PATH", help="only those whose path comes after this one"
    )
    return made


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MAX_LIMIT}")
    return int(text)


async def _show_warnings(settings: Settings, arguments: argparse.Namespace) -> int:
    found = await warned_documents(settings, arguments.warnings, arguments.limit, arguments.after)
    print_output(json.dumps(warnings_json(found), indent=2) if arguments.json else warnings_text(found))
    return 0


async def _show(settings: Settings, as_json: bool) -> int:
    snapshot = await collect(settings)
    print_output(json.dumps(_json(snapshot), indent=2) if as_json else _text(snapshot))
    return 0 if snapshot.is_well else FAILED


def _text(snapshot: StatusSnapshot) -> str:
    contents = snapshot.contents
    parts = [_verdict(snapshot)]
    if contents:
        rows = [_instance_row(each) for each in contents.instances]
        head = ("HOST", "PID", "URL", "VERSION", "STATE", "UP", "SEEN", "POOL", "LABEL")
        parts.append(_section("Instances", head, rows, "none"))
        parts.append(
            _section(
                "Queue",
                ("COLLECTION", "TYPE", "STATUS", "DONE", "SINCE", "WAITS"),
                [_queue_row(each) for each in contents.queue],
                "nothing is queued or running",
            )
        )
    parts.append(_section("Stores", ("STORE", "WHERE", "STATE", "HOLDS"), _store_rows(snapshot), ""))
    if contents:
        found = [
            (c.name, c.owner, c.documents, c.failed, c.warned, c.chunks, c.status)
            for c in contents.collections
        ]
        columns = ("NAME", "OWNER", "DOCUMENTS", "FAILED", "WARNED", "CHUNKS", "STATUS")
        parts.append(_section("Collections", columns, found, "none"))
    return "\n\n".join(parts)


def _verdict(snapshot: StatusSnapshot) -> str:
    wrong = []
    if snapshot.contents and not snapshot.alive:
        wrong.append("No server runs.")
    if not snapshot.mongo.answers:
        wrong.append("MongoDB does not answer, so servers, queue and collections are unknown.")
    if not snapshot.redis.answers:
        wrong.append("Redis does not answer.")
    return " ".join(wrong) or "All is well."


def _section(title: str, head: tuple[str, ...], rows: Sequence[tuple[object, ...]], empty: str) -> str:
    while rows and not any(row[-1] != "" for row in rows):  # such as labels, which few servers have
        head, rows = head[:-1], [row[:-1] for row in rows]
    body = format_table(head, rows) if rows else empty
    return "\n".join([title, *(f"  {line}" for line in body.splitlines())])


def _instance_row(state: InstanceState) -> tuple[object, ...]:
    one = state.instance
    up = _duration((one.seen_at - one.started_at).total_seconds())
    pool = f"{one.workers} workers, {one.pool}; operations: {one.running}"
    seen = f"{_duration(state.seen_s)} ago"
    return (one.host, one.pid, one.url, one.version, state.state, up, seen, pool, one.label)


def _queue_row(state: QueuedState) -> tuple[object, ...]:
    operation = state.operation
    done = f"{operation.progress_percent:.0f} %"
    waits = operation.waiting or ""
    return (state.collection, operation.type, operation.status, done, _duration(state.for_s), waits)


def _store_rows(snapshot: StatusSnapshot) -> list[tuple[object, ...]]:
    used = f"{snapshot.redis_bytes / _MIB:.1f} MiB" if snapshot.redis_bytes is not None else "-"
    return [
        ("MongoDB", snapshot.mongo.where, _answers(snapshot.mongo.answers), _holds(snapshot.contents)),
        ("Redis", snapshot.redis.where, _answers(snapshot.redis.answers), used),
    ]


def _answers(yes: bool) -> str:
    return "answers" if yes else "away"


def _holds(contents: StoreContents | None) -> str:
    if contents is None:
        return "-"
    if contents.usage is None:
        return "not counted in time"
    documents, operations = contents.usage.documents, contents.usage.operations
    counts = (sum(documents.values()), contents.usage.chunks, sum(operations.values()))
    return "{:,} documents, {:,} chunks, {:,} operations".format(*counts)


def _duration(seconds: float) -> str:
    """At most two units: 42 s, 3 min, 2 h 5 min, 4 d 1 h."""
    minutes, hours, days = int(seconds) // 60, int(seconds) // 3600, int(seconds) // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"


def _json(snapshot: StatusSnapshot) -> dict[str, Any]:
    contents = snapshot.contents
    return {
        "well": snapshot.is_well,
        "stores": {
            "mongo": vars(snapshot.mongo) | {"holds": _usage(contents)},
            "redis": vars(snapshot.redis) | {"memory_bytes": snapshot.redis_bytes},
        },
        "instances": [_instance_json(each) for each in contents.instances] if contents else None,
        "queue": [_queue_json(each) for each in contents.queue] if contents else None,
        "collections": [vars(each) for each in contents.collections] if contents else None,
    }


def _usage(contents: StoreContents | None) -> dict[str, Any] | None:
    return vars(contents.usage) if contents and contents.usage else None


def _instance_json(state: InstanceState) -> dict[str, Any]:
    one = state.instance
    return vars(one) | {
        "started_at": _moment(one.started_at),
        "seen_at": _moment(one.seen_at),
        "state": state.state,
        "seen_s": round(state.seen_s, 3),
    }


def _queue_json(state: QueuedState) -> dict[str, Any]:
    operation = state.operation
    return {
        "id": operation.id,
        "collection_id": operation.collection_id,
        "collection": state.collection,
        "type": operation.type,
        "status": operation.status,
        "progress_percent": operation.progress_percent,
        "for_s": round(state.for_s, 3),
        "waiting": operation.waiting,
    }


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
