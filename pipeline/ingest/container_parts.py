"""Compares the parts of a container that was read with the documents that stand for them. Runs on the loop.

Parts that are new or have changed become due for the operation, which reads them as it reads files; those that are gone
are removed. The container itself is still due meanwhile, so after a crash all of this is done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline import failpoints
from pipeline.compute.messages import PartList, ReadContainer
from pipeline.context.context import OperationContext
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.scanning.parts import free_paths, parts_within
from pipeline.scanning.removal import remove_documents, remove_parts
from semantik.core.models import Document, new_id
from semantik.storage.mongo.document_rows import DocumentFields

_PARTS_AT_ONCE = 500


class ContainerParts:
    """For the containers of one operation."""

    def __init__(self, context: OperationContext, counts: DocumentCounts) -> None:
        self._context = context
        self._documents = context.deps.store.documents
        self._counts = counts

    async def update(self, container: Document, read: ReadContainer) -> None:
        """Make the documents of a container's parts those that it holds now."""
        if read.parts is None:
            return
        if not container.is_container:  # what was registered is found again even if it is none any more
            await self._documents.update_each({container.id: {"part_count": 0}})
        # In threads: there may be a hundred thousand parts.
        listed = await asyncio.to_thread(_positions, read.parts.names)
        async for page in self._documents.parts_of(container.id):
            gone = [one for one in page if one.part not in listed]
            kept = [(one, listed.pop(one.part or "")) for one in page if one.part in listed]
            if gone:
                await self._remove(gone)
            await self._compare(container, read, kept)
        left = await asyncio.to_thread(_by_name, listed)
        for at in range(0, len(left), _PARTS_AT_ONCE):
            await self._register(container, read, left[at : at + _PARTS_AT_ONCE])

    async def remove(self, container: Document) -> None:
        """Remove the parts of a document that is no container any more."""
        async for page in parts_within(self._context, [container]):
            for one in page:
                self._counts.change(one, None)
        await remove_parts(self._context, [container])

    async def _remove(self, parts: Sequence[Document]) -> None:
        for one in parts:
            self._counts.change(one, None)
        async for page in parts_within(self._context, parts):
            for one in page:
                self._counts.change(one, None)
        await remove_documents(self._context, parts)

    async def _compare(
        self, container: Document, read: ReadContainer, kept: Sequence[tuple[Document, int]]
    ) -> None:
        assert read.parts is not None
        due: DocumentFields = {
            "due": self._context.operation.id,
            "operation_id": self._context.operation.id,
            "fence": self._context.fence,
        }
        changes: dict[str, DocumentFields] = {}
        for document, at in kept:
            _, size, digest, locator = read.parts[at]
            fields: DocumentFields = {"size": size, "digest": digest, "locator": locator, "missing": False}
            if not _is_unchanged(document, digest):
                fields |= due
                fields["modified_ns"] = _modified_ns(container, read)
                self._counts.change(document, self._pending(document))
                self._context.work.add_file(size)
            if any(getattr(document, name) != value for name, value in fields.items()):
                changes[document.id] = fields
        if changes:
            await self._context.save()  # raises LeaseLost
            await self._documents.update_each(changes)

    async def _register(self, container: Document, read: ReadContainer, positions: Sequence[int]) -> None:
        assert read.parts is not None
        parts: PartList = read.parts
        paths = await free_paths(self._context, container.path, [parts.names[at] for at in positions])
        new = [self._new(container, read, at, path) for at, path in zip(positions, paths, strict=True)]
        await self._context.save()  # raises LeaseLost
        await self._documents.register(new)
        for one in new:
            self._counts.change(None, one)
            self._context.work.add_file(one.size)
        failpoints.die_at("storing.parts")

    def _new(self, container: Document, read: ReadContainer, at: int, path: str) -> Document:
        assert read.parts is not None
        name, size, digest, locator = read.parts[at]
        return Document(
            id=new_id(),
            collection_id=container.collection_id,
            generation=container.generation,
            source_id=container.source_id,
            operation_id=self._context.operation.id,
            path=path,
            size=size,
            modified_ns=_modified_ns(container, read),
            status="pending",
            due=self._context.operation.id,
            fence=self._context.fence,
            container_id=container.id,
            part=name,
            locator=locator,
            digest=digest,
        )

    def _pending(self, document: Document) -> Document:
        operation_id = self._context.operation.id
        return replace(document, due=operation_id, operation_id=operation_id)


def _positions(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}


def _by_name(positions: Mapping[str, int]) -> list[int]:
    """The positions in the order of the names, so that the paths which are looked up together are close."""
    return [positions[name] for name in sorted(positions)]


def _is_unchanged(document: Document, digest: str) -> bool:
    """Whether a part need not be read again. One that was unreadable may have been read while its file changed."""
    if document.due is not None or document.status == "pending" or document.digest != digest:
        return False
    if document.status == "indexed" and not document.is_container:
        return document.content_hash is not None
    return document.failure is None or document.failure.category != "unreadable"


def _modified_ns(container: Document, read: ReadContainer) -> int:
    return container.modified_ns if read.modified_ns is None else read.modified_ns
