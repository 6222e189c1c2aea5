"""Publishes which document an operation works on, and how far it is. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.context.context import OperationContext
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.document_failures import publish_failure
from pipeline.ingest.partial_document import FinishedDocument


class DocumentProgress:
    """`progress_message` is the type of the message with the counts, published after each document."""

    def __init__(self, context: OperationContext, counts: DocumentCounts, progress_message: str) -> None:
        self._context = context
        self._counts = counts
        self._message = progress_message

    def processing(self, path: str) -> None:
        """Say which file is being read or embedded."""
        self._context.current_file = path
        self._publish_processing(path)

    def advanced(self) -> None:
        """Say how far it is; the files are those of before."""
        if self._context.current_file is not None:
            self._publish_processing(self._context.current_file)

    async def finished(self, finished: Sequence[FinishedDocument]) -> None:
        """Publish documents that were written and counted: each failure, and the counts with the last of them."""
        context, counts = self._context, self._counts.operation
        for one in finished:
            if one.failure is not None:
                # Before the failure, which some clients show until another file is processed.
                self._publish_processing(one.document.path)
                await publish_failure(context, one.document, one.failure)
        path = finished[-1].document.path
        self._publish_processing(path)
        context.reporter.publish_latest(
            "file_completed", current_file=path, processed_files=counts.processed, total_files=counts.total
        )
        context.reporter.publish_latest(
            self._message,
            self._work,
            processed=counts.processed,
            failed=counts.failed,
            skipped=counts.skipped,
            total=counts.total,
            current_file=path,
            chunks=counts.chunks,
            **self._work(),
        )

    def _publish_processing(self, path: str) -> None:
        self._context.reporter.publish_latest(
            "file_processing",
            self._work,
            current_file=path,
            processed_files=self._counts.operation.processed,
            total_files=self._counts.operation.total,
            status="Processing",
            **self._work(),
        )

    def _work(self) -> dict[str, Any]:
        pace, work = self._context.pace_fields(), self._context.work
        return {
            "progress_percent": self._context.percent(),
            "bytes_done": work.bytes_done,
            "bytes_total": work.bytes_total,
            "eta_seconds": pace["eta_s"],
            "files_per_second": pace["files_per_s"],
            "chunks_per_second": pace["chunks_per_s"],
            "bytes_per_second": pace["bytes_per_s"],
        }
