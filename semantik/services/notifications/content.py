"""What is told of alerts and operations, to sockets, feeds, webhooks and mails: JSON values. Pure."""

from __future__ import annotations

from urllib.parse import quote

from semantik.core.models import Alert, Collection, Operation, rfc3339

ALERT_EVENT = "search.matched"
TEST_EVENT = "test"


def alert_data(alert: Alert, collection_name: str, public_url: str = "") -> dict[str, object]:
    """An alert; with the server's `public_url` a link to its document."""
    return {
        "id": alert.id,
        "number": alert.number,
        "search": {"id": alert.search_id, "name": alert.search_name},
        "collection": {"id": alert.collection_id, "name": collection_name},
        "document": {
            "id": alert.document_id,
            "path": alert.path,
            "name": alert.name,
            "title": alert.title,
        },
        "seq": alert.seq,
        "page": alert.page,
        "heading": alert.heading,
        "passage": alert.text,
        "score": alert.score,
        "found_at": rfc3339(alert.created_at),
        "url": document_url(alert, public_url) if public_url else None,
    }


def document_url(alert: Alert, public_url: str) -> str:
    """The page of the alert's document."""
    place = f"collections/{quote(alert.collection_id)}/documents/{quote(alert.document_id)}"
    return f"{public_url.rstrip('/')}/#/{place}"


def operation_data(operation: Operation, collection: Collection) -> dict[str, object]:
    """An operation as it is when its event is queued."""
    counts = operation.counts
    return {
        "operation_id": operation.id,
        "operation_type": operation.type,
        "status": operation.status,
        "collection": {"id": collection.id, "name": collection.name},
        "created_at": rfc3339(operation.created_at),
        "started_at": operation.started_at and rfc3339(operation.started_at),
        "completed_at": operation.completed_at and rfc3339(operation.completed_at),
        "documents": {
            "total": counts.total,
            "indexed": counts.indexed,
            "failed": counts.failed,
            "skipped": counts.skipped,
        },
        "error_message": operation.error_message,
    }
