"""The domain's records as JSON, for REST and for the sockets."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from semantik.auth.sessions import LoginResult
from semantik.core.models import FOLDER, Document, FileFailure, Source, User
from semantik.index import IndexStats
from semantik.search.index_sync import WordsStats
from semantik.services.folder_languages import FolderLanguages
from semantik.services.sources import SourceKind
from semantik.services.views import CollectionView, OperationView, SourceView

Json = dict[str, Any]


def timestamp_json(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as everywhere on the wire."""
    return None if value is None else _written(value)


@lru_cache(4096)  # of documents that are found again and again
def _written(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_json(user: User) -> Json:
    return {"id": user.id, "username": user.username, "email": user.email, "is_admin": user.is_admin}


def signed_in_json(signed_in: LoginResult) -> Json:
    return {
        "access_token": signed_in.access_token,
        "refresh_token": signed_in.refresh_token,
        "token_type": "bearer",
        "expires_in": signed_in.expires_in_s,
        "user": user_json(signed_in.user),
    }


def collection_json(view: CollectionView) -> Json:
    collection = view.collection
    generation, counts = collection.current, collection.current.counts
    return {
        "id": collection.id,
        "name": collection.name,
        "description": collection.description,
        "status": view.status,
        "embedding_model": generation.model,
        "precision": generation.precision,
        "chunk_size": generation.chunk_size,
        "chunk_overlap": generation.chunk_overlap,
        "generation": collection.generation,
        "document_count": counts.indexed,
        "chunk_count": counts.chunks,
        "pending_count": counts.pending,
        "failed_count": counts.failed,
        "skipped_count": counts.skipped,
        "warned_count": counts.warned,
        "created_at": timestamp_json(collection.created_at),
        "updated_at": timestamp_json(collection.updated_at),
        "active_operation_id": view.active_operation_id,
        "access": view.access,
        "owner": {"id": collection.owner_id, "username": view.owner},
        "public": collection.public,
        "share_count": len(collection.shares) if view.access in ("manage", "own") else None,
        "watched": view.watched,
    }


def stats_json(stats: IndexStats | None, words: WordsStats | None) -> Json:
    """`words` is None where the keyword index is not open, or still read by the server."""
    keywords = {
        "state": "ready" if words is not None and words.ready else "building",
        "chunks": words.chunks if words is not None else 0,
        "bytes": words.bytes if words is not None else 0,
    }
    if stats is None:
        return {"vectors": 0, "segments": 0, "measured_recall": None, "keywords": keywords}
    return {
        "keywords": keywords,
        "vectors": stats.vectors,
        "segments": stats.segments,
        "bytes": stats.bytes,
        "engine": stats.engine,
        "measured_recall": stats.measured_recall,
    }


def source_json(source: Source) -> Json:
    return {
        "id": source.id,
        "path": source.path,
        "created_at": timestamp_json(source.created_at),
        "scanned_at": timestamp_json(source.scanned_at),
        "interval_s": source.interval_s,
        "immediate": source.immediate,
        "removing": source.removing,
        "kind": source.kind,
        "options": dict(source.options),
        "has_secret": bool(source.secret),
        "exclude": list(source.exclude),
        "excluded_count": len(source.excluded),
        "server": source.server or None,
    }


FOLDER_KIND: Json = {
    "kind": FOLDER,
    "title": "Folder",
    "fields": [
        {
            "name": "path",
            "label": "Folder",
            "type": "text",
            "required": True,
            "fixed": True,
            "hint": "A path on the server. Its documents are read, never changed.",
            "default": "",
            "choices": [],
            "low": 0,
            "high": 0,
        }
    ],
}


def source_kind_json(name: str, kind: SourceKind) -> Json:
    return {"kind": name, "title": kind.title, "fields": [asdict(field) for field in kind.fields]}


def source_view_json(view: SourceView) -> Json:
    return {**source_json(view.source), "document_count": view.document_count}


def document_json(document: Document) -> Json:
    failure, metadata = document.failure, document.metadata
    return {
        "id": document.id,
        "path": document.path,
        "name": document.name,
        "size": document.size,
        "modified_at": modified_json(document),
        "status": document.status,
        "source_id": document.source_id,
        "due": document.due is not None,
        "missing": document.missing,
        "mime": document.mime,
        "title": metadata.title,
        "pages": document.pages,
        "length": document.length,
        "content_hash": document.content_hash,
        "chunk_count": document.chunk_count,
        "author": document.author,
        "authors": list(metadata.authors),
        "date": metadata.date,
        "language": metadata.language,
        "tags": list(metadata.tags),
        "user_tags": list(document.user_tags),
        "container_id": document.container_id,
        "part": document.part,
        "part_count": document.part_count,
        "origin": dict(document.origin) if document.origin else None,
        "quality": asdict(document.quality) if document.quality else None,
        "error": {"category": failure.category, "message": failure.message} if failure else None,
    }


def operation_json(view: OperationView) -> Json:
    """The fields of `current_state`, the settings that it ran with, and when it reached each stage."""
    operation = view.operation
    stages = [{"name": stage.name, "at": timestamp_json(stage.at)} for stage in operation.stages]
    return {
        "id": operation.id,
        **state_json(view),
        "settings": operation.settings,
        "stages": stages,
        "cancel_requested": operation.cancel_requested,
    }


def failure_json(failure: FileFailure) -> Json:
    return {
        "document_id": failure.document_id,
        "path": failure.path,
        "error": {"category": failure.failure.category, "message": failure.failure.message},
    }


def state_json(view: OperationView) -> Json:
    """The fields of `current_state`. How fast it goes is unknown while no server runs it: before a crash it was so."""
    operation, runs = view.operation, view.runs
    return {
        "collection_id": operation.collection_id,
        "operation_type": operation.type,
        "source_id": operation.source_id,
        "options": operation.options,
        "status": operation.status,
        "stage": operation.stage,
        "processed_files": operation.counts.processed,
        "failed_files": operation.counts.failed,
        "skipped_files": operation.counts.skipped,
        "total_files": operation.counts.total,
        "progress_percent": operation.progress_percent,
        "current_file": operation.current_file,
        "created_at": timestamp_json(operation.created_at),
        "started_at": timestamp_json(operation.started_at),
        "completed_at": timestamp_json(operation.completed_at),
        "eta_seconds": operation.eta_s if runs else None,
        "files_per_second": operation.files_per_s if runs or operation.ended else None,
        "chunks_per_second": operation.chunks_per_s if runs else None,
        "bytes_per_second": operation.bytes_per_s if runs else None,
        "bytes_done": operation.bytes_done,
        "bytes_total": operation.bytes_total,
        "pages_done": operation.pages_done,
        "pages_total": operation.pages_total,
        "error_message": operation.error_message,
        "queue_position": view.queue_position,
        "waiting": operation.waiting,
        "warnings": list(operation.warnings),
        "result": operation.result,
    }


def languages_json(found: FolderLanguages) -> Json:
    return {"languages": dict(found.files), "recommended_model": found.embedding_model}


def modified_json(document: Document) -> str | None:
    return timestamp_json(datetime.fromtimestamp(document.modified_ns / 1e9, UTC))
