"""Creates, changes and deletes collections, and reads the text of their documents.

Operations on the documents are in `operations.py`. Knows no pipeline: its wake-up call is a plain callable. Runs on
the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config import settings
from semantik.core.errors import Forbidden, Invalid, SemantikError
from semantik.core.models import Chunk, Collection, Document, Generation, Operation, new_id, now
from semantik.core.text import join_chunks
from semantik.services.model_rules import check_model, effective_overlap
from semantik.services.operations import OperationService
from semantik.storage.mongo import Store

_MAX_NAME = 200
_MAX_DESCRIPTION = 10_000


@dataclass(frozen=True)
class NewCollection:
    """The properties of a collection to create; None takes the server's default."""

    name: str
    description: str = ""
    source_path: str | None = None
    server: str | None = None  # the label of the servers that see the folder
    embedding_model: str | None = None
    chunk_size: int | None = None
    chunk_overlap: int | None = None


@dataclass(frozen=True)
class DocumentText:
    """A part of a document's text, from `offset`; `length` is the length of the document. Both in characters."""

    text: str
    offset: int
    length: int


class CollectionService:
    """`defaults()` are the current settings for new collections; `wake()` wakes the dispatcher."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        operations: OperationService,
        defaults: Callable[[], settings.EmbeddingSettings],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._operations = operations
        self._defaults = defaults
        self._wake = wake

    async def create(self, principal: Principal, new: NewCollection) -> tuple[Collection, Operation | None]:
        """Add a collection and, with a folder, its INDEX operation. Raises Invalid, and Forbidden for the folder or
        for an API key that is limited to collections."""
        if principal.collections is not None:
            raise Forbidden("This API key is limited to certain collections, so it cannot create another.")
        collection = self._build(principal, new)
        path, server = None, new.server or ""
        if new.source_path is not None:
            path = await self._operations.resolve_folder(principal, new.source_path, server)
        elif server:
            raise Invalid("server is for a folder: give its source_path, too.")
        await self._store.collections.add(collection)
        if path is None:
            return collection, None
        try:
            return collection, (await self._operations.index_folder(principal, collection, path, server))[1]
        except SemantikError:
            await self._store.collections.mark_deleted(collection.id)  # all or nothing
            raise

    async def change(
        self, principal: Principal, collection_id: str, name: str | None, description: str | None
    ) -> Collection:
        await self._authorizer.collection(principal, collection_id, "manage")
        fields = {}
        if name is not None:
            fields["name"] = _name(name)
        if description is not None:
            fields["description"] = _description(description)
        return await self._store.collections.update(collection_id, fields)

    async def delete(self, principal: Principal, collection_id: str) -> Collection:
        """Hide the collection at once; the dispatcher ends its operations and deletes its data. Returns what it was."""
        collection = await self._authorizer.collection(principal, collection_id, "own")
        await self._store.collections.mark_deleted(collection_id)
        self._wake()
        return collection

    async def document_text(self, document: Document, offset: int, limit: int) -> DocumentText:
        """At most `limit` characters of a document's text from `offset`, joined from its chunks."""
        end = min(offset + limit, document.length)
        chunks = await self._store.chunks.of_document(document, offset, end)
        return DocumentText(join_chunks(chunks, offset, end), offset, document.length)

    async def document_chunks(self, document: Document, start: int, end: int) -> list[Chunk]:
        """The chunks that hold the characters `start` to `end` of a document, in order."""
        return await self._store.chunks.of_document(document, start, min(end, document.length))

    async def neighbours(self, document: Document, first: int, last: int) -> list[Chunk]:
        """The chunks `first` to `last` of a document, as far as it has them, in order."""
        seqs = [seq for seq in range(first, last + 1) if document.has_chunk(seq)]
        found = await self._store.chunks.by_seqs(document.collection_id, seqs)
        return [found[seq] for seq in seqs if seq in found and found[seq].document_id == document.id]

    def _build(self, principal: Principal, new: NewCollection) -> Collection:
        defaults = self._defaults()
        if new.embedding_model:
            check_model(new.embedding_model, defaults)
        size = defaults.chunk_size if new.chunk_size is None else new.chunk_size
        collection_id = new_id()
        first = Generation(
            collection_id,
            number=1,
            model=new.embedding_model or defaults.model,
            precision=defaults.precision,
            chunk_size=size,
            chunk_overlap=effective_overlap(size, new.chunk_overlap, defaults.chunk_overlap),
        )
        return Collection(
            id=collection_id,
            owner_id=principal.user.id,
            name=_name(new.name),
            description=_description(new.description),
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
