"""Recognises the pages of some documents, several at a time, and keeps what was recognised. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.compute.messages import FileTask
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.context.context import OperationContext
from pipeline.extraction.recognition.installation import Recognition
from pipeline.ingest.errors import most_severe
from semantik.core.cancellation import not_lost
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


_Job = tuple[DocumentPages, int]  # a page


class PageRecognition:
    """`on_page(document, number)` is called before the pages of each task, of which it is the first; `on_done` is
    called after each page.
    """

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
        pool = self._context.deps.pool
        running: set[asyncio.Task[None]] = set()
        try:
            async with asyncio.TaskGroup() as tasks:
                for jobs in self._in_tasks(documents):
                    running.add(task := tasks.create_task(not_lost(self._recognise, jobs)))
                    task.add_done_callback(running.discard)
                    # Asked each time: the workers of a cluster come and go.
                    while len(running) >= pool.batch_workers:
                        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        except BaseExceptionGroup as group:
            raise most_severe(group) from group
        return self._lost

    def _in_tasks(self, documents: Sequence[DocumentPages]) -> Iterator[list[_Job]]:
        """The pages, in tasks of as many pages of one file as the pool takes together by then."""
        for _, pages in groupby(_each_page_once(documents), key=lambda job: job[0].file.path):
            left = deque(pages)
            while left:
                if left[0][0].document.id in self._lost:
                    left.popleft()
                    self._on_done()
                else:
                    count = self._context.deps.pool.pages_together(left[0][0].file, len(left))
                    yield [left.popleft() for _ in range(count)]

    async def _recognise(self, jobs: Sequence[_Job]) -> None:
        self._on_page(jobs[0][0].document, jobs[0][1])
        texts = await self._context.deps.pool.recognise([self._task(*job) for job in jobs])
        for (one, number), text in zip(jobs, texts, strict=True):
            if text.lost:
                self._lost.add(one.document.id)
            else:
                page = self._page(one.document, number, text)
                await self._context.deps.store.recognised_pages.put(page)
            self._on_done()

    def _task(self, one: DocumentPages, number: int) -> PageTask:
        document, found = one.document, self._found
        modified_ns = None if document.is_part else document.modified_ns
        return PageTask(one.file, document.mime or "", number, found.languages, modified_ns, found.engine)

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


def _each_page_once(documents: Sequence[DocumentPages]) -> Iterator[_Job]:
    """Documents with the same content share their pages."""
    seen: set[tuple[str | None, int]] = set()
    for one in documents:
        for number in one.pages:
            if (one.document.content_hash, number) not in seen:
                seen.add((one.document.content_hash, number))
                yield one, number
