"""The message that the load is made of: fields for a stream of ours, or the whole text for a bare server.

Both come out as the same bytes on the wire but for the times in them. Must not know who sends it.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

_TYPE = "document_processed"
_TOTAL = 1_000_000


def entry(seq: int) -> dict[str, str | int]:
    """A stream entry's fields, as `semantik/progress/stream_store.py` reads them; `data` has the time as `sent_ns`."""
    return {"seq": seq, "type": _TYPE, "at": _now(), "data": _json(_data(seq))}


def text(seq: int, operation_id: str) -> bytes:
    """The envelope as it goes over the socket: each field in `data`, and once more beside it."""
    data = _data(seq)
    at = _now()
    head = {"type": _TYPE, "timestamp": at, "id": f"{time.time_ns() // 1_000_000}-0", "seq": seq}
    return _json(head | {"operation_id": operation_id, "data": data} | data).encode()


def hello() -> bytes:
    """What opens a bare socket, as a snapshot opens ours: it has no seq."""
    return _json({"type": "current_state", "timestamp": _now(), "data": {}}).encode()


def _data(seq: int) -> dict[str, Any]:
    return {
        "processed": seq,
        "failed": 0,
        "total": _TOTAL,
        "current_file": f"/documents/reports/2026/quarter-{seq % 4 + 1}/report-{seq:06}.pdf",
        "progress_percent": round(100 * seq / _TOTAL, 4),
        "chunks": 7 * seq,
        "eta_seconds": 1234.5,
        "files_per_second": 17.25,
        # This clock is the same in every process of a machine.
        "sent_ns": time.monotonic_ns(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
