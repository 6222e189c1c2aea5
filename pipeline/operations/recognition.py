"""After all files of an INDEX, APPEND or REINDEX were read: the text of pages that are pictures is recognised.

    recognizing_text… → (for each group of documents) document_processed…

A document with such pages waits in a queue in MongoDB. Its pages are recognised one by one, on a cluster perhaps some
together, and each text is kept; then the document is read again, with the texts at their pages. What a crash or a
cancellation leaves in the queue is taken up there; so is what an earlier operation could not recognise, because
tesseract was not installed.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.context.rate import RateEstimator
from pipeline.extraction.recognition.installation import Recognition, recognition
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.part_places import PartPlaces
from pipeline.ingest.pipeline import ingest
from pipeline.operations.ingestion import record_model
from pipeline.operations.page_recognition import DocumentPages, PageRecognition, pages_to_recognise
from pipeline.scanning.removal import remove_unused_pages
from semantik.core.models import Document

# Documents are searchable once their group is done; a document with more pages is a group of its own. Where many pages
# are recognised at the same time, a group has more of them: at its end, workers wait for the last one.
_GROUP_PAGES, _GROUP_DOCUMENTS = 40, 40
_PAGES_PER_WORKER = 10


async def recognise(
    context: OperationContext, counts: DocumentCounts, *, progress_message: str = "document_processed"
) -> None:
    """Recognise the text of all documents in the queue that belong to the operation's sources."""
    documents = [one async for one in _waiting(context)]
    if not documents:
        return
    options = context.deps.settings.documents
    found = await asyncio.to_thread(recognition, options.ocr, options.ocr_languages)
    if found.is_ready or await context.deps.store.recognised_pages.any_of(context.collection.id):
        await _RecognitionStage(context, counts, found, progress_message).run(documents)
    # Documents that are left in the queue are done for this operation.
    context.unrecognised = 0
    await counts.save()


async def _waiting(context: OperationContext) -> AsyncIterator[Document]:
    sources = {source.id for source in await context.sources()}
    async for page in context.deps.store.documents.to_recognise(context.generation):
        for one in page:
            if one.source_id in sources and not one.missing and one.status != "removing":
                yield one


class _RecognitionStage:
    """The documents group by group: recognised, read again, embedded and written."""

    def __init__(
        self, context: OperationContext, counts: DocumentCounts, found: Recognition, progress_message: str
    ) -> None:
        self._context = context
        self._counts = counts
        self._found = found
        self._progress_message = progress_message
        self._places = PartPlaces(context)
        self._rate = RateEstimator()
        self._documents = self._pages = self._done = 0

    async def run(self, documents: list[Document]) -> None:
        context = self._context
        if not self._found.is_ready:
            documents = [one for one in documents if not await self._remaining(one)]
        if not documents:
            return
        if self._found.warning:
            context.warn(self._found.warning)
        await record_model(context)
        if (
            context.generation.number == context.collection.current.number
        ):  # a REINDEX changes nothing that is searched
            await context.mark_dirty()
        for at in range(0, len(documents), _GROUP_DOCUMENTS):
            ids = [one.id for one in documents[at : at + _GROUP_DOCUMENTS]]
            await context.deps.store.documents.assign(ids, context.operation.id)
        await self._counts.recount()
        self._documents = len(documents)
        self._pages = sum(len(one.unrecognised) for one in documents)
        self._advance(0)
        self._rate.start(self._pages)
        context.page_rate = self._rate
        await context.stage("recognizing_text", **self._progress())
        async for group in self._groups(documents):
            await self._recognise(group)
        await remove_unused_pages(context)

    async def _groups(self, documents: list[Document]) -> AsyncIterator[list[DocumentPages]]:
        """Documents with the tasks that read their files, together as many pages as one group has."""
        group: list[DocumentPages] = []
        for at in range(0, len(documents), _GROUP_DOCUMENTS):
            page = documents[at : at + _GROUP_DOCUMENTS]
            await self._places.look_up(page)
            for document in page:
                remaining = await self._remaining(document)
                self._advance(len(document.unrecognised) - len(remaining))
                group.append(DocumentPages(document, self._places.task(document, None), remaining))
                if self._is_full(group):
                    yield group
                    group = []
        if group:
            yield group

    def _is_full(self, group: list[DocumentPages]) -> bool:
        busy = _PAGES_PER_WORKER * self._context.deps.pool.batch_workers
        pages = sum(len(one.pages) for one in group)
        return pages >= max(_GROUP_PAGES, busy) or len(group) >= max(_GROUP_DOCUMENTS, busy)

    async def _remaining(self, document: Document) -> tuple[int, ...]:
        return await pages_to_recognise(self._context, document, self._found)

    async def _recognise(self, group: list[DocumentPages]) -> None:
        context, documents = self._context, self._context.deps.store.documents
        lost = await PageRecognition(context, self._found, self._start_page, self._finish_page).run(group)
        failpoints.die_at("recognition.recognised")
        ready = [one.document for one in group if one.document.id not in lost]
        await documents.mark_changed(ready, context.operation.id, context.fence)
        failpoints.die_at("recognition.marked")
        await self._counts.recount()
        await ingest(context, self._counts, progress_message=self._progress_message)

    def _start_page(self, document: Document, number: int) -> None:
        self._context.current_file = document.path
        self._publish(current_file=document.path, page=number)

    def _finish_page(self) -> None:
        self._advance(1)
        self._rate.advance(1)
        self._publish(current_file=self._context.current_file)

    def _advance(self, pages: int) -> None:
        self._done += pages
        self._context.pages = (self._done, self._pages)
        share = self._done / self._pages if self._pages else 1.0
        self._context.unrecognised = self._documents * max(0.0, 1 - share)

    def _publish(self, **fields: Any) -> None:
        self._context.reporter.publish_latest("recognizing_text", **self._progress(), **fields)

    def _progress(self) -> dict[str, Any]:
        counts = self._counts.operation
        return {
            "status": "recognizing",
            "documents": self._documents,
            "pages_done": self._done,
            "pages_total": self._pages,
            "processed_files": counts.processed,
            "total_files": counts.total,
            "progress_percent": self._context.percent(),
            "eta_seconds": self._rate.eta_s,
            "languages": self._found.languages,
        }
