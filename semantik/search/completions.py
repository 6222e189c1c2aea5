"""The titles and headings of collections, in memory, brought up to date in the background. Runs on the loop.

They may be some seconds older than the collection: callers must check that what they show still exists.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from semantik.core.errors import SemantikError
from semantik.core.models import Collection
from semantik.query.folding import words_key
from semantik.search.completion_index import CompletionIndex
from semantik.search.index_sync import IndexSync
from semantik.storage.mongo import Store

log = logging.getLogger(__name__)

_MAX_TITLES = 100_000
_MAX_HEADINGS = 50_000
_MAX_ENTRIES = 400_000  # of all collections: some 200 bytes each
_REFRESH_S = 5.0
_WAIT_S = 0.5
_DAYS_IN_YEAR = 365.0


@dataclass(frozen=True)
class Completions:
    """`titles` with the first chunk of the newest document that has each, by its seq; `headings`."""

    titles: CompletionIndex
    title_seqs: list[int]
    headings: CompletionIndex

    @property
    def size(self) -> int:
        return len(self.titles) + len(self.headings)


@dataclass
class _Loaded:
    """Of a collection as it was at a moment."""

    collection: Collection
    moment: float
    completions: Completions


class CompletionCache:
    """Loads what is asked for; of too many collections, those that were used last stay."""

    def __init__(self, store: Store, indexes: IndexSync, refresh_s: float = _REFRESH_S) -> None:
        self._store = store
        self._indexes = indexes
        self._refresh_s = refresh_s
        self._loaded: OrderedDict[tuple[str, int], _Loaded] = OrderedDict()
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def get(self, collection: Collection) -> Completions | None:
        """Those of the collection's current generation; None when the first load takes longer than half a second."""
        key = collection.id, collection.generation
        loaded = self._loaded.get(key)
        if loaded is None or self._outdated(loaded, collection):
            if key not in self._tasks:
                task = self._tasks[key] = asyncio.create_task(self._load(key, collection), name="completions")
                task.add_done_callback(lambda _: self._tasks.pop(key, None))
            if loaded is None:
                await asyncio.wait([self._tasks[key]], timeout=_WAIT_S)
                loaded = self._loaded.get(key)
        if loaded is None:
            return None
        self._loaded.move_to_end(key)
        return loaded.completions

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _outdated(self, loaded: _Loaded, collection: Collection) -> bool:
        return loaded.collection != collection and time.monotonic() - loaded.moment >= self._refresh_s

    async def _load(self, key: tuple[str, int], collection: Collection) -> None:
        titles: dict[str, tuple[str, int, int, int]] = {}
        headings: list[tuple[str, int]] = []
        try:
            async for page in self._store.documents.scan(collection.current):
                rows = zip(page.columns.titles, page.columns.days, page.spans[:, 0].tolist(), strict=True)
                await asyncio.to_thread(_add_titles, titles, list(rows))
            words = self._indexes.words_if_ready(collection.current)
            if words is not None:
                headings = await words.headings(_MAX_HEADINGS)
        except SemantikError as error:  # what was loaded before stays; the next call tries again
            log.warning("the titles of the collection %s cannot be read: %s", collection.id, error)
            return
        completions = await asyncio.to_thread(_completions, titles, headings)
        self._loaded[key] = _Loaded(collection, time.monotonic(), completions)
        while len(self._loaded) > 1 and sum(e.completions.size for e in self._loaded.values()) > _MAX_ENTRIES:
            self._loaded.popitem(last=False)


def _add_titles(titles: dict[str, tuple[str, int, int, int]], rows: list[tuple[str, int, int]]) -> None:
    """Add documents (title, day, seq); of each title (as its newest document has it, day, seq, documents) are kept."""
    for title, day, seq in rows:
        key = words_key(title)
        known = titles.get(key)
        count = known[3] + 1 if known else 1
        if known is None or day >= known[1]:
            titles[key] = " ".join(title.split()), day, seq, count
        else:
            titles[key] = *known[:3], count
    if len(titles) > 2 * _MAX_TITLES:
        _keep_newest(titles)


def _keep_newest(titles: dict[str, tuple[str, int, int, int]]) -> None:
    for key in sorted(titles, key=lambda key: titles[key][1])[: len(titles) - _MAX_TITLES]:
        del titles[key]


def _completions(
    titles: dict[str, tuple[str, int, int, int]], headings: list[tuple[str, int]]
) -> Completions:
    if len(titles) > _MAX_TITLES:
        _keep_newest(titles)
    rows = list(titles.values())
    days = np.array([day for _, day, _, _ in rows], np.float32)
    age = (days.max(initial=0) - days) / _DAYS_IN_YEAR
    counts = np.array([count for _, _, _, count in rows], np.float32)
    # As much as twice the documents counts to be of this year.
    title_scores = (np.log2(1 + counts) + 1 / (1 + age)).astype(np.float32)
    heading_scores = np.log2(1 + np.array([count for _, count in headings], np.float32))
    return Completions(
        CompletionIndex([title for title, _, _, _ in rows], title_scores),
        [seq for _, _, seq, _ in rows],
        CompletionIndex([heading for heading, _ in headings], heading_scores),
    )
