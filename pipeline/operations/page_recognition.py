"""Recognises the pages of some documents, several at a time, and keeps each text at once. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.compute.messages import FileTask
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.context.context import OperationContext
from pipeline.extraction.recognition.installation import Recognition
from pipeline.ingest.errors import most_severe
from semantik.core.models import Document, RecognisedPage


@dataclass(frozen=True)
class DocumentPages:
    """A document, the task that reads its file, and the numbers of those of its pages that are to be recognised."""

    document: Document
    file: FileTask
    pages: tuple[int, ...]


async def pages_to_recognise(
    context: OperationContext, document: Document, found: Recognition
) -> tuple[int, ...]:
    """Those of the document's pages that were not recognised before, with the same engine and languages.

    Where nothing can be recognised now, any text that was serves.
    """
    if document.content_hash is None:
        return ()
    known = await context.deps.store.recognised_pages.of_content(context.collection.id, document.content_hash)
    timeout_s = context.deps.settings.documents.ocr_page_timeout_s
    usable = {page.number for page in known if not found.is_ready or _is_usable(page, found, timeout_s)}
    return tuple(number for number in document.unrecognised if number not in usable)


def _is_usable(page: RecognisedPage, found: Recognition, timeout_s: float) -> bool:
    """A page that failed is tried again when more time is allowed."""
    return page.version == found.version and (page.problem is None or page.timeout_s >= timeout_s)


class PageRecognition:
    """`on_page(document, number)` is called before each page, and `on_done` after it."""

    def __init__(
        self,
        context: OperationContext,
        found: Recognition,
        on_page: Callable[[Document, int], None],
        on_done: Callable[[], None],
    ) -> None:
        self._context = context
        self._found = found
        self._on_page = on_page
        self._on_done = on_done
        self._lost: set[str] = set()

    async def run(self, documents: Sequence[DocumentPages]) -> set[str]:
        """Recognise and save all pages; returns the ids of documents whose files are not what they were.

        Raises Unavailable when a store or the pool is away: what is saved stays.
        """
        jobs = _each_page_once(documents)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._context.deps.pool.batch_workers):
                    tasks.create_task(self._work(jobs))
        except BaseExceptionGroup as group:
            raise most_severe(group) from group
        return self._lost

    async def _work(self, jobs: Iterator[tuple[DocumentPages, int]]) -> None:
        for one, number in jobs:
            if one.document.id not in self._lost:
                await self._recognise(one, number)
            self._on_done()

    async def _recognise(self, one: DocumentPages, number: int) -> None:
        document = one.document
        self._on_page(document, number)
        modified_ns = None if document.is_part else document.modified_ns
        task = PageTask(one.file, document.mime or "", number, self._found.languages, modified_ns)
        text = await self._context.deps.pool.recognise(task)
        if text.lost:
            self._lost.add(document.id)
        else:
            await self._context.deps.store.recognised_pages.put(self._page(document, number, text))

    def _page(self, document: Document, number: int, text: PageText) -> RecognisedPage:
        return RecognisedPage(
            self._context.collection.id,
            document.content_hash or "",
            number,
            self._found.version,
            text.text,
            text.confidence,
            text.turned,
            text.problem,
            self._context.deps.settings.documents.ocr_page_timeout_s,
        )


def _each_page_once(documents: Sequence[DocumentPages]) -> Iterator[tuple[DocumentPages, int]]:
    """Documents with the same content share their pages."""
    seen: set[tuple[str | None, int]] = set()
    for one in documents:
        for number in one.pages:
            if (one.document.content_hash, number) not in seen:
                seen.add((one.document.content_hash, number))
                yield one, number
