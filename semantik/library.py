"""What changes collections: create, add a folder, delete, cancel; each leaves work for the pipeline.

The rules for folders and the pipeline's wake-up call come in as plain callables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from semantik import settings
from semantik.access import Access
from semantik.errors import Conflict, Invalid, SemantikError
from semantik.records import Collection, Counts, Document, Operation, Source, User, new_id, now
from semantik.store import Store

_MAX_NAME = 200
_MAX_DESCRIPTION = 10_000


@dataclass(frozen=True)
class Wish:
    """What a user asks for in a new collection; None takes the server's default."""

    name: str
    description: str = ""
    source_path: str | None = None
    embedding_model: str | None = None
    chunk_size: int | None = None
    chunk_overlap: int | None = None


@dataclass(frozen=True)
class Passages:
    """A stretch of a document's text, from `offset`; `length` is that of the whole, in characters."""

    text: str
    offset: int
    length: int


class Library:
    """`resolve(path)` gives the real folder or raises; `wake()` tells the dispatcher that there is work."""

    def __init__(
        self,
        store: Store,
        access: Access,
        defaults: settings.Embedding,
        resolve: Callable[[str], Path],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._access = access
        self._defaults = defaults
        self._resolve = resolve
        self._wake = wake

    async def create(self, user: User, wish: Wish) -> tuple[Collection, Operation | None]:
        """Add a collection, and with a folder its INDEX operation. The folder is looked at first."""
        collection = self._collection(user, wish)
        path = await self._folder(wish.source_path) if wish.source_path is not None else None
        await self._store.collections.add(collection)
        if path is None:
            return collection, None
        try:
            source = await self._add_source(collection, path)
            return collection, await self._index(user, source)
        except SemantikError:
            await self._store.collections.mark_deleted(collection.id)  # no half of what was asked for
            raise

    async def add_source(self, user: User, collection_id: str, path: str) -> tuple[Source, Operation]:
        """Add a folder to a collection and index it. One whose operation was cancelled or failed goes on."""
        collection = await self._access.collection(user, collection_id)
        source = await self._add_source(collection, await self._folder(path))
        return source, await self._index(user, source)

    async def change(
        self, user: User, collection_id: str, name: str | None, description: str | None
    ) -> Collection:
        await self._access.collection(user, collection_id)
        fields = {}
        if name is not None:
            fields["name"] = _name(name)
        if description is not None:
            fields["description"] = _description(description)
        return await self._store.collections.change(collection_id, fields)

    async def delete(self, user: User, collection_id: str) -> None:
        """Hide the collection at once; the dispatcher ends its operations and clears up behind it."""
        await self._access.collection(user, collection_id)
        await self._store.collections.mark_deleted(collection_id)
        self._wake()

    async def cancel(self, user: User, operation_id: str) -> None:
        """Ask an operation to end; what it has stored so far stays."""
        operation = await self._access.operation(user, operation_id)
        if not await self._store.operations.request_cancel(operation.id):
            raise Conflict(f"The operation has ended already: it is {operation.status}.")
        self._wake()

    async def text(self, document: Document, offset: int, limit: int) -> Passages:
        """A document's text from character `offset`, put together from its chunks.

        What lies between two chunks has no letter or digit, and is mostly white space; a gap comes back as long as
        it is, as white space.
        """
        end = min(offset + limit, document.length)
        parts: list[str] = []
        at = offset
        for chunk in await self._store.chunks.of_document(document.id, offset, end):
            parts.append(_gap(chunk.start - at))
            begin = max(at, chunk.start)
            parts.append(chunk.text[begin - chunk.start : max(end - chunk.start, 0)])
            at = max(at, min(chunk.end, end))
        parts.append(_gap(end - at))
        return Passages("".join(parts), offset, document.length)

    async def _folder(self, path: str) -> str:
        return str(await asyncio.to_thread(self._resolve, path))

    async def _add_source(self, collection: Collection, path: str) -> Source:
        for known in await self._store.collections.sources([collection.id]):
            if known.path == path:
                await self._refuse_indexed(known)
                return known
            if Path(path).is_relative_to(known.path) or Path(known.path).is_relative_to(path):
                raise Conflict(f"{path} overlaps {known.path}, which is a source of this collection already.")
        source = Source(new_id(), collection.id, path, now())
        await self._store.collections.add_source(source)
        return source

    async def _refuse_indexed(self, source: Source) -> None:
        """Raises Conflict unless the source's last operation ended early, or a crash left it without any."""
        last = await self._store.operations.last_of_source(source.id)
        if last is not None and not last.ended:
            raise Conflict(f"{source.path} is being indexed already, by operation {last.id}.")
        if last is not None and last.status == "completed":
            raise Conflict(f"{source.path} is a source of this collection already, and it is indexed.")

    async def _index(self, user: User, source: Source) -> Operation:
        operation = Operation(
            id=new_id(),
            collection_id=source.collection_id,
            user_id=user.id,
            type="index",
            source_id=source.id,
            status="queued",
            stage=None,
            counts=Counts(),
            current_file=None,
            progress_percent=0.0,
            created_at=now(),
        )
        await self._store.operations.add(operation)
        self._wake()
        return operation

    def _collection(self, user: User, wish: Wish) -> Collection:
        size = self._defaults.chunk_size if wish.chunk_size is None else wish.chunk_size
        overlap = wish.chunk_overlap
        if overlap is None:
            overlap = min(self._defaults.chunk_overlap, size // 4)
        if overlap >= size:
            raise Invalid(f"chunk_overlap ({overlap}) must be less than chunk_size ({size}).")
        return Collection(
            id=new_id(),
            owner_id=user.id,
            name=_name(wish.name),
            description=_description(wish.description),
            model=wish.embedding_model or self._defaults.model,
            precision=self._defaults.precision,
            chunk_size=size,
            chunk_overlap=overlap,
            generation=1,
            dimension=None,
            next_seq=0,
            last_seq=-1,
            running=None,
            counts=Counts(),
            created_at=now(),
            updated_at=now(),
        )


def _gap(length: int) -> str:
    """A break between paragraphs, however long: a rule of a thousand dashes may stand in one."""
    return " " * (length - 2) + "\n" * min(length, 2)


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise Invalid(f"name must have 1 to {_MAX_NAME} printable characters.")
    return name


def _description(text: str) -> str:
    if len(text) > _MAX_DESCRIPTION:
        raise Invalid(f"description may have {_MAX_DESCRIPTION} characters at most.")
    return text
