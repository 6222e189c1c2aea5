"""Fetches what is new or changed in a source that is no folder, and lists it as a walk lists a folder.

The files are kept on this server's disk (`pipeline/connectors/kept_items.py`), so what follows is the same as for a
folder. Runs on the loop; files are written in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

from pipeline import failpoints
from pipeline.connectors.kept_items import KeptItems, is_complete, kept_listings
from pipeline.connectors.protocol import Connector, ConnectorError, Fetched, Item, ItemError, KeptItem
from pipeline.context.context import OperationContext
from semantik.core.errors import Invalid
from semantik.core.globs import Globs
from semantik.core.kept_files import kept_folder
from semantik.core.models import Source
from semantik.core.passed_over import is_passed_over
from semantik.core.scan_entries import FolderListing

_MAX_NAME_BYTES = 4096
_TOUCHED_AT_ONCE = 500
_ITEMS_PER_TURN = 100


async def fetched_listings(context: OperationContext, source: Source) -> Iterator[FolderListing]:
    """Fetch a source, and return its files as folders below its address. Raises ConnectorError, which is an Invalid."""
    await _fetch_source(context, source)
    return kept_listings(kept_folder(context.deps.settings.data, source.id), source.path)


async def fetch_what_is_lost(context: OperationContext) -> None:
    """Fetch those of the operation's sources of which this server has nothing, before their files are read.

    Another server may have scanned them, or the folder with what was kept is gone. What cannot be fetched is reported
    with each document.
    """
    data = context.deps.settings.data
    for source in await context.sources():
        if not source.is_folder and not await asyncio.to_thread(is_complete, kept_folder(data, source.id)):
            try:
                await _fetch_source(context, source)
            except Invalid as error:  # also a ConnectorError
                context.warn(f"{source.path} cannot be fetched: {error}")


async def _fetch_source(context: OperationContext, source: Source) -> None:
    connectors = context.deps.connectors
    folder = kept_folder(context.deps.settings.data, source.id)
    kept = KeptItems(folder, source.path, connectors.fingerprint(source))
    async with _opened(kept), connectors.connect(source, kept.cursor, kept.work) as connector:
        await _Fetch(context, source, kept, connector).run()


@asynccontextmanager
async def _opened(kept: KeptItems) -> AsyncIterator[None]:
    await asyncio.to_thread(kept.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(kept.__exit__)


class _Fetch:
    """One scan of a source: lists its items, and keeps those that are new or changed."""

    def __init__(
        self, context: OperationContext, source: Source, kept: KeptItems, connector: Connector
    ) -> None:
        self._context = context
        self._source = source
        self._kept = kept
        self._connector = connector
        settings = context.deps.settings
        self._exclude = Globs((*settings.documents.exclude, *source.exclude))
        self._excluded = frozenset(source.excluded)
        self._max_items = settings.documents.max_files
        self._max_bytes = settings.connectors.max_source_bytes
        self._listed = self._fetched = self._failed = 0
        self._all_listed = True
        self._touched: list[str] = []

    async def run(self) -> None:
        """Raises ConnectorError: what was fetched until then is kept, and the next scan goes on from there."""
        known = await asyncio.to_thread(self._kept.known)
        seen = 0
        async with aclosing(self._connector.items(known)) as items:
            async for item in items:
                seen += 1
                if seen % _ITEMS_PER_TURN == 0:  # a list may come without ever waiting
                    await asyncio.sleep(0)
                if not self._is_wanted(item):
                    continue
                if self._listed == self._max_items:
                    self._stop_listing(f"documents.max_files = {self._max_items} items")
                    break
                self._listed += 1
                await self._keep(item, known.get(item.name))
                self._publish()
        if self._connector.unchanged:
            return
        await self._flush()
        for warning in self._connector.warnings:
            self._context.warn(warning)
        # Without a cursor the next scan lists all again, and fetches what failed now.
        cursor = self._connector.cursor if self._all_listed and not self._failed else ""
        await asyncio.to_thread(self._kept.finish, cursor, self._all_listed)
        failpoints.die_at("fetching.finished")

    def _is_wanted(self, item: Item) -> bool:
        """Whether an item is fetched: not if a scan of a folder would skip a file of that name."""
        steps = item.name.split("/")
        if not all(steps) or len(item.name.encode()) > _MAX_NAME_BYTES:
            raise ConnectorError(
                f"The connector lists an item with a name that cannot be: {item.name[:100]!r}."
            )
        folders = ("/".join(steps[:at]) for at in range(1, len(steps)))
        return not (
            is_passed_over(item.name)
            or item.name in self._excluded
            or self._exclude.match(item.name)
            or any(self._exclude.match(folder, folder=True) for folder in folders)
        )

    async def _keep(self, item: Item, known: KeptItem | None) -> None:
        if known is not None and item.revision and known.revision == item.revision:
            await self._touch(item)
            return
        try:
            fetched = await self._connector.fetch(item, known)
            if fetched == "unchanged":
                await self._touch(item)
            elif fetched is not None:
                await self._write(item, fetched)
                self._fetched += 1
                failpoints.die_at("fetching.kept")
            # What is gone by now was not listed: `finish` removes it.
        except ItemError as error:
            self._failed += 1
            self._context.warn(f"{self._source.path}/{item.name}: {error}")
            if known is not None:
                await self._touch(item)

    async def _touch(self, item: Item) -> None:
        self._touched.append(item.name)
        if len(self._touched) >= _TOUCHED_AT_ONCE:
            await self._flush()

    async def _flush(self) -> None:
        names, self._touched = self._touched, []
        await asyncio.to_thread(self._kept.touch, names)

    async def _write(self, item: Item, fetched: Fetched) -> None:
        """Raises ItemError for an item that is too large, ConnectorError when all together are."""
        file = await asyncio.to_thread(self._kept.spool)
        size = 0
        with file:
            async with aclosing(fetched.content) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    if self._kept.bytes + size > self._max_bytes:
                        raise ConnectorError(
                            f"{self._source.path} has more than connectors.max_source_bytes = {self._max_bytes} "
                            "bytes: what was fetched until now is kept. Raise the limit, or include less."
                        )
                    await asyncio.to_thread(file.write, piece)
        put = partial(self._kept.put, item.name, size, fetched.modified_ns)
        await asyncio.to_thread(put, item.revision or fetched.revision, fetched.origin, fetched.state)

    def _stop_listing(self, limit: str) -> None:
        self._all_listed = False
        self._context.warn(f"The scan of {self._source.path} stopped after {limit}.")

    def _publish(self) -> None:
        self._context.reporter.publish_latest(
            "scanning_documents",
            status="scanning",
            source_path=self._source.path,
            scanned=self._listed,
            fetched=self._fetched,
        )
