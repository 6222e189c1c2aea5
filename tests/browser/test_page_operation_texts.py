"""An operation's messages as text for people, in a real Chromium, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from support.browser import needs_chromium
from test_page_modules import page

__all__ = ["page"]

pytestmark = needs_chromium


@pytest.mark.parametrize(
    ("data", "messages", "told"),
    [
        (
            {"operation_type": "append", "status": "queued", "queue_position": 2},
            [],
            ["Updating “Plant”", "Waiting in line: 2 operations before it", ""],
        ),
        (
            {
                "operation_type": "append",
                "status": "queued",
                "queue_position": 0,
                "options": {"retry": "all"},
            },
            [],
            ["Retrying what failed in “Plant”", "Waiting in line: the next to begin", ""],
        ),
        (
            {"operation_type": "append", "status": "queued", "queue_position": 0},
            [("operation_queued", {"queue_position": 0, "waiting": "No server can read /srv/plant."})],
            ["Updating “Plant”", "Waiting: No server can read /srv/plant.", ""],
        ),
        (
            {"operation_type": "append", "status": "queued", "waiting": "No server can read /srv/plant."},
            [("operation_started", {"status": "processing"})],
            ["Updating “Plant”", "Starting", ""],
        ),
        (
            {"operation_type": "append", "status": "processing", "source_id": "s"},
            [
                ("scanning_documents", {"source_path": "/srv/plant", "scanned": 7}),
                ("scanning_completed", {"total_files": 4}),
                ("document_processed", {"processed": 1, "failed": 1, "total": 4, "progress_percent": 25}),
            ],
            [
                "Updating “Plant”",
                "Reading and embedding what is new or changed in “plant”",
                "1 of 4 files · 1 failed",
            ],
        ),
        (
            {"operation_type": "append", "status": "processing"},
            [
                (
                    "operation_completed",
                    {"result": {"new": 1, "missing": 2, "duration_s": 3}},
                )
            ],
            ["Updating “Plant”", "Done", "1 new · 2 missing · 3 s"],
        ),
        (
            {"operation_type": "index", "status": "processing"},
            [
                ("scanning_completed", {"total_files": 2000}),
                (
                    "file_processing",
                    {"processed_files": 4, "bytes_done": 1_500_000, "bytes_total": 3_000_000}
                    | {"chunks_per_second": 42.3, "eta_seconds": 120},
                ),
                ("presence", {"watchers": 3, "users": 1}),
            ],
            [
                "Indexing “Plant”",
                "Reading and embedding the documents",
                "4 of 2,000 files · 1.5 MB of 3.0 MB · 42 chunks/s · about 2 min left",
            ],
        ),
        (
            {"operation_type": "append", "status": "processing", "total_files": 3},
            [("presence", {"watchers": 3, "users": 2})],
            ["Updating “Plant”", "Starting", "0 of 3 files · 2 people watching"],
        ),
        (
            {"operation_type": "reindex", "status": "processing"},
            [
                ("staging_created", {"total_files": 4}),
                ("operation_cancelled", {"message": "Operation cancelled; nothing has changed"}),
            ],
            ["Re-indexing “Plant”", "Operation cancelled; nothing has changed", ""],
        ),
        (
            {
                "operation_type": "remove_source",
                "status": "processing",
                "options": {"source_path": "/srv/old"},
            },
            [("removing_documents", {"removed": 1, "total": 2, "progress_percent": 50})],
            ["Removing a folder from “Plant”", "Removing the documents of “old”", "1 of 2 documents"],
        ),
        (
            {
                **{"operation_type": "remove_source", "status": "completed", "processed_files": 5},
                **{"result": {"documents": 3, "kept": 2, "chunks": 70, "failed": 0, "duration_s": 1.25}},
            },
            [],
            [
                "Removing a folder from “Plant”",
                "Done",
                "3 documents removed · 2 stay, as another folder holds them · 1 s",
            ],
        ),
        (
            {"operation_type": "append", "status": "cancelled", "total_files": 8000}
            | {"started_at": "2026-01-15T10:00:00Z", "completed_at": "2026-01-15T10:00:05Z"},
            [],
            [
                "Updating “Plant”",
                "Operation cancelled; all that was stored before is kept; 0 of 8000 new or changed documents were read"
                "; the next scan reads the others",
                "5 s",
            ],
        ),
        (
            {"operation_type": "index", "status": "cancelled", "processed_files": 3, "failed_files": 1}
            | {
                "total_files": 9,
                "started_at": "2026-01-15T10:00:00Z",
                "completed_at": "2026-01-15T10:00:05Z",
            },
            [],
            [
                "Indexing “Plant”",
                "Operation cancelled; what was stored so far is kept: 2 of 9 documents; the next scan reads the others",
                "1 failed · 5 s",
            ],
        ),
    ],
)
def test_every_operation_has_its_texts(
    page: Page, data: dict[str, Any], messages: list[tuple[str, dict[str, Any]]], told: list[str]
) -> None:
    found = page.evaluate(
        """async ([data, messages]) => {
            const { OperationState } = await import("/static/operation-state.js");
            const state = new OperationState();
            state.apply({ type: "current_state", data });
            messages.forEach(([type, data], number) => state.apply({ type, id: `${number + 1}-0`, data }));
            return [state.title("Plant"), state.stageText, state.countsText];
        }""",
        [data, messages],
    )
    assert found == told
