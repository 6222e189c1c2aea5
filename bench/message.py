"""The messages of the socket benchmark: a Redis stream entry for Semantik, or the whole text for the Tornado baseline.

Both become the same bytes on the wire except for timestamps. Must not know who sends them.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

_TYPE = "document_processed"
_TOTAL_FILES = 1_000_000


def stream_entry(seq: int) -> dict[str, str | int]:
    """The fields of a stream entry, as `semantik/progress/stream_store.py` reads them; `sent_ns` is the send time."""
    return {"seq": seq, "type": _TYPE, "at": _now(), "data": _json(_data(seq))}


def websocket_text(seq: int, operation_id: str) -> bytes:
    """The message as sent over the socket: each field in `data`, and again at the top level."""
    data = _data(seq)
    at = _now()
    head = {"type": _TYPE, "timestamp": at, "id": f"{time.time_ns() // 1_000_000}-0", "seq": seq}
    return _json(head | {"operation_id": operation_id, "data": data} | data).encode()


def snapshot_text() -> bytes:
    """The first message of a baseline socket, as a snapshot is for Semantik: it has no seq."""
    return _json({"type": "current_state", "timestamp": _now(), "data": {}}).encode()


def _data(seq: int) -> dict[str, Any]:
    return {
        "processed": seq,
        "failed": 0,
        "total": _TOTAL_FILES,
        "current_file": f"/documents/reports/2026/quarter-{seq % 4 + 1}/report-{seq:06}.pdf",
        "progress_percent": round(100 * seq / _TOTAL_FILES, 4),
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
