"""What changes collections as such: create, rename, delete; and the text of their documents.

What is done to their documents stands in `operations.py`. The pipeline's wake-up call comes in as a plain callable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semantik.auth.authorization import Authorizer
from semantik.config import settings
from semantik.core.errors import Invalid, SemantikError
from semantik.core.models import Collection, Document, Generation, Operation, User, new_id, now
from semantik.core.text import join_chunks
from semantik.services.operations import OperationService, overlap_of
from semantik.storage.mongo import Store

_MAX_NAME = 200
_MAX_DESCRIPTION = 10_000


@dataclass(frozen=True)
class NewCollection:
    """What a user asks for in a new collection; None takes the server's default."""

    name: str
    description: str = ""
    source_path: str | None = None
    embedding_model: str | None = None
    chunk_size: int | None = None
    chunk_overlap: int | None = None


@dataclass(frozen=True)
class DocumentText:
    """A stretch of a document's text, from `offset`; `length` is that of the whole, in characters."""

    text: str
    offset: int
    length: int


class CollectionService:
    """`wake()` tells the dispatcher that there is work."""

    def __init__(
        self,
        store: Store,
        access: Authorizer,
        operations: OperationService,
        defaults: settings.EmbeddingSettings,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._access = access
        self._operations = operations
        self._defaults = defaults
        self._wake = wake

    async def create(self, user: User, wish: NewCollection) -> tuple[Collection, Operation | None]:
        """Add a collection, and with a folder its INDEX operation. The folder is looked at first."""
        collection = self._collection(user, wish)
        path = await self._operations.folder(wish.source_path) if wish.source_path is not None else None
        await self._store.collections.add(collection)
        if path is None:
            return collection, None
        try:
            return collection, (await self._operations.index_folder(user, collection, path))[1]
        except SemantikError:
            await self._store.collections.mark_deleted(collection.id)  # no half of what was asked for
            raise

    async def change(
        self, user: User, collection_id: str, name: str | None, description: str | None
    ) -> Collection:
        await self._access.collection(user, collection_id)
        fields = {}
        if name is not None:
            fields["name"] = _name(name)
        if description is not None:
            fields["description"] = _description(description)
        return await self._store.collections.update(collection_id, fields)

    async def delete(self, user: User, collection_id: str) -> None:
        """Hide the collection at once; the dispatcher ends its operations and clears up behind it."""
        await self._access.collection(user, collection_id)
        await self._store.collections.mark_deleted(collection_id)
        self._wake()

    async def text(self, document: Document, offset: int, limit: int) -> DocumentText:
        """A document's text from character `offset`, put together from its chunks."""
        end = min(offset + limit, document.length)
        chunks = await self._store.chunks.of_document(document, offset, end)
        return DocumentText(join_chunks(chunks, offset, end), offset, document.length)

    def _collection(self, user: User, wish: NewCollection) -> Collection:
        size = self._defaults.chunk_size if wish.chunk_size is None else wish.chunk_size
        collection_id = new_id()
        first = Generation(
            collection_id,
            number=1,
            model=wish.embedding_model or self._defaults.model,
            precision=self._defaults.precision,
            chunk_size=size,
            chunk_overlap=overlap_of(size, wish.chunk_overlap, self._defaults.chunk_overlap),
        )
        return Collection(
            id=collection_id,
            owner_id=user.id,
            name=_name(wish.name),
            description=_description(wish.description),
            generation=first.number,
            generations=(first,),
            next_seq=0,
            running=None,
            created_at=now(),
            updated_at=now(),
        )


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise Invalid(f"name must have 1 to {_MAX_NAME} printable characters.")
    return name


def _description(text: str) -> str:
    if len(text) > _MAX_DESCRIPTION:
        raise Invalid(f"description may have {_MAX_DESCRIPTION} characters at most.")
    return text
