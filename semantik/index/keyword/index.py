"""The words of one generation of a collection: a `Retriever` by BM25.

Runs on the loop and submits the work to threads: changes one after the other, searches beside them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from semantik.analysis import QueryWord
from semantik.core.errors import Invalid, SemantikError, Unavailable
from semantik.index import ranges
from semantik.index.files.durable import Damaged
from semantik.index.keyword import folder, listing, searching, vocabulary
from semantik.index.keyword.context import KeywordContext
from semantik.index.keyword.folder import tantivy_errors
from semantik.index.keyword.queries import KeywordQuery
from semantik.index.keyword.query_cache import QueryCache
from semantik.index.keyword.schema import WORDS
from semantik.index.keyword.searching import KeywordSnapshot
from semantik.index.keyword.serial import SerialExecutor
from semantik.index.keyword.state import KeywordState, checked
from semantik.index.keyword.texts import Fields, KeywordText, analyse
from semantik.index.keyword.vocabulary import Vocabulary
from semantik.index.ranges import Ranges
from semantik.index.retriever import RetrievalQuery, ScoredSeq

log = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH = 256  # texts that are analysed or added at a time: some ten milliseconds
# So many are only read from MongoDB at once; those of an operation do not wait behind its texts to be embedded.
_POOL_BATCH = 2000
_POOL_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class KeywordStats:
    """`chunks` can be found; `unsaved` of them are in memory only."""

    chunks: int
    unsaved: int


class KeywordIndex:
    """Made by `KeywordRegistry.open`. After `close` or `KeywordRegistry.drop` every call raises Unavailable.

    The same happens when its files turn out to be damaged, or cannot be written. Opened again, it has what was saved,
    and a lower `last_seq`.
    """

    def __init__(self, state: KeywordState, context: KeywordContext) -> None:
        self._state = state
        self._context = context
        self._changes = SerialExecutor(context.writers)
        self._adding = asyncio.Lock()
        self._closed = False
        self._released: Future[None] | None = None
        self._vocabulary: vocabulary.DatedVocabulary | None = None
        self._queries = QueryCache()
        self._refreshing: asyncio.Task[None] | None = None
        self._maintaining: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def last_seq(self) -> int:
        return self._state.last_seq

    @property
    def idle_s(self) -> float:
        """For how long nothing was added or searched."""
        return self._state.idle_s

    @property
    def size(self) -> int:
        """How many chunks can be found."""
        return self._state.size

    async def add(self, seqs: NDArray[np.int64], texts: Sequence[KeywordText]) -> None:
        """Let texts be found from now on; those of seqs up to `last_seq` are skipped.

        Many texts are analysed in the pool. Raises Invalid for bad seqs, Unavailable when they cannot be written.
        """
        given = checked(seqs, texts)
        async with self._adding:
            new = int(np.searchsorted(given, self.last_seq, side="right"))
            for at in range(new, len(given), _POOL_BATCH):
                fields = await self._analyse(texts[at : at + _POOL_BATCH])
                for start in range(0, len(fields), _BATCH):
                    part = slice(start, start + _BATCH)
                    await self._change(self._state.add, given[at : at + _POOL_BATCH][part], fields[part])

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of half-open ranges not be found from now on, also if they are added only later."""
        await self._change(self._state.delete, seqs)

    async def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        """The k best chunks that have a word of the query and meet its conditions. Scores are sums of BM25."""
        if k < 1:
            raise Invalid("A search must ask for at least one result.")
        within = None if allowed is None else ranges.normalize(allowed)

        def find(snapshot: KeywordSnapshot, built: KeywordQuery) -> list[ScoredSeq]:
            return searching.search(snapshot, built, k, within, threshold)

        return await self._read(query, find)

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int]) -> dict[int, float]:
        """The score of each of these chunks, 0.0 where no word matches.

        One that cannot be found, or does not meet the query's conditions, is absent.
        """
        wanted = np.array(sorted(set(seqs)), np.int64)

        def find(snapshot: KeywordSnapshot, built: KeywordQuery) -> dict[int, float]:
            return searching.score(snapshot, built, wanted)

        return await self._read(query, find)

    async def frequency(self, word: str) -> int:
        """How many chunks have the word in their text; `word` as `semantik.analysis` gives it."""
        snapshot = await self._snapshot()
        with self._faults():
            return snapshot.frequency(WORDS, word)

    async def knows(self, words: Sequence[QueryWord]) -> list[bool]:
        """Whether each word is found under any of its terms, in a text, a title or a heading."""
        return await self._list(listing.known, words)

    async def complete(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """The most frequent words that begin with `prefix`, most frequent first, each with its frequency."""
        if not prefix or vocabulary.has_script(prefix):
            return (await self.vocabulary()).complete(prefix, limit)
        snapshot = await self._snapshot()
        with self._faults():
            return await self._submit(self._context.readers, listing.complete, snapshot, prefix, limit)

    async def headings(self, limit: int) -> list[tuple[str, int]]:
        """The most frequent headings of the chunks, each with the number of chunks right below it."""
        return await self._list(listing.headings, limit)

    async def examples(self, terms: Sequence[tuple[str, str]], count: int) -> list[list[int]]:
        """For each (field, term) the seqs of `count` chunks that have it."""
        return await self._list(listing.examples, terms, count)

    async def vocabulary(self) -> Vocabulary:
        """The words of the texts; it may lack the newest. The first call reads it, for a second or so."""
        if self._vocabulary is None or self._vocabulary.outdated(self.size):
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._read_vocabulary(), name="keyword-vocabulary")
            if self._vocabulary is None:
                await asyncio.shield(self._refreshing)
        if self._vocabulary is None:
            raise Unavailable("The index was closed; please ask again.")
        return self._vocabulary.words

    def stats(self) -> KeywordStats:
        """Without the disk's numbers where the files are closed."""
        return KeywordStats(self.size, self._state.unsaved)

    async def disk_bytes(self) -> int:
        return await self._submit(self._context.readers, folder.disk_bytes, self._state.directory)

    def maintain(self, commit_s: float, idle_s: float, keep_files: bool) -> None:
        """Called every second or so: commit what is old enough, and close what is not used."""
        state = self._state
        if self._closed or (self._maintaining is not None and not self._maintaining.done()):
            return
        if state.idle_s >= idle_s and (state.has_writer or not keep_files):
            function = state.close_writer if keep_files else state.close_files
        elif state.dirty_s >= commit_s:
            function = state.commit
        else:
            return
        self._maintaining = asyncio.create_task(self._maintain(function), name="keyword-maintenance")

    async def close(self) -> None:
        """Save what was added, and close the files; what cannot be saved is added again later."""
        if self._closed:
            return
        committing = self._submit(self._changes, self._state.commit)
        self.stop()
        try:
            await asyncio.shield(committing)
        except (OSError, Damaged) as error:
            log.warning(
                "keyword index %s: the newest words cannot be saved: %s", self._state.directory, error
            )
        await self.wait_stopped()

    def stop(self) -> None:
        """Refuse every later call, and close the files without a commit, after the changes that were begun."""
        if not self._closed:
            self._closed = True
            self._released = self._changes.submit(self._state.release)

    async def wait_stopped(self) -> None:
        """Wait until the files are closed."""
        if self._released is not None:
            await asyncio.wrap_future(self._released)
        tasks = [task for task in (self._refreshing, self._maintaining) if task is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def _maintain(self, function: Callable[[], None]) -> None:
        with suppress(Unavailable):  # logged, and opened again by the next call
            await self._change(function)

    async def _read_vocabulary(self) -> None:
        size = self.size
        try:
            snapshot = await self._snapshot()
            words = await self._submit(self._context.readers, vocabulary.read, snapshot.searcher)
        except Unavailable:
            return  # `vocabulary` says so
        self._vocabulary = vocabulary.DatedVocabulary(words, time.monotonic(), size)

    async def _analyse(self, texts: Sequence[KeywordText]) -> list[Fields]:
        if len(texts) >= _POOL_BATCH:
            with suppress(Unavailable):  # without the pool it takes longer
                fields: list[Fields] = await self._context.run_in_pool(
                    analyse, list(texts), timeout_s=_POOL_TIMEOUT_S
                )
                return fields
        found: list[Fields] = []
        for at in range(0, len(texts), _BATCH):
            found += await self._submit(self._context.writers, analyse, texts[at : at + _BATCH])
        return found

    async def _read(self, query: RetrievalQuery, find: Callable[[KeywordSnapshot, KeywordQuery], T]) -> T:
        snapshot = await self._snapshot()

        known = self._vocabulary

        def run() -> T:
            complete = partial(listing.expand, snapshot, known.words if known else None)
            return find(snapshot, self._queries.built(snapshot, query, complete))

        with self._faults():
            return await self._submit(self._context.readers, run)

    async def _list(self, function: Callable[..., T], *args: Any) -> T:
        """What a function of `listing` finds in the present snapshot."""
        snapshot = await self._snapshot()
        with self._faults():
            return await self._submit(self._context.readers, function, snapshot, *args)

    async def _snapshot(self) -> KeywordSnapshot:
        """What can be found, with everything that was added before this call."""
        self._state.used = time.monotonic()
        ready = self._state.ready_snapshot
        return ready if ready is not None else await self._change(self._state.searchable)

    async def _change(self, function: Callable[..., T], *args: Any) -> T:
        """Run after all earlier changes, also when the caller is cancelled."""
        with self._faults():
            return await asyncio.shield(self._submit(self._changes, function, *args))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """After a fault of tantivy or of the disk, the index is opened again by the next call, and repaired there."""
        try:
            with tantivy_errors(self._state.directory):
                yield
        except SemantikError:
            raise
        except (Damaged, OSError) as error:
            if not self._closed:
                log.warning("keyword index %s: %s; it will be opened again", self._state.directory, error)
                self.stop()
            raise Unavailable(
                "The keyword index is being opened again; please ask again shortly.", 5
            ) from error

    def _submit(self, executor: Executor, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        if self._closed:
            raise Unavailable("The index was closed; please ask again.")
        return asyncio.get_running_loop().run_in_executor(executor, function, *args)
