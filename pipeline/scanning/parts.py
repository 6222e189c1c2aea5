"""The parts of containers go where their container goes: removed, marked and moved with it. Runs on the loop.

All of them are found by the id of their container, so what a crash leaves undone is done when it is done again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from pipeline.context.context import OperationContext
from semantik.core.models import Document, part_path
from semantik.storage.mongo.document_rows import DocumentFields

_MAX_NUMBER = 20


async def parts_within(
    context: OperationContext, documents: Iterable[Document]
) -> AsyncIterator[list[Document]]:
    """The parts of those documents that are containers, and the parts of these, a page at a time; containers first."""
    containers = [one for one in documents if one.is_container]
    while containers:
        container = containers.pop()
        async for page in context.deps.store.documents.parts_of(container.id):
            containers += [one for one in page if one.is_container]
            yield page


async def mark_missing(context: OperationContext, documents: Sequence[Document]) -> None:
    """Mark documents as missing, and their parts. A container of parts that were to be read is read when it is back."""
    store = context.deps.store.documents
    unread: list[Document] = []
    for container in documents:
        async for page in parts_within(context, [container]):
            if any(one.due is not None for one in page):
                unread.append(container)
            await store.mark_missing([one.id for one in page])
    await store.mark_missing([one.id for one in documents])
    await store.update_each({one.id: {"modified_ns": 0} for one in unread})


async def mark_found(context: OperationContext, documents: Sequence[Document]) -> None:
    """Save that the files of documents which were missing exist again, and their parts with them."""
    async for page in parts_within(context, documents):
        await context.deps.store.documents.mark_found([one.id for one in page])
    await context.deps.store.documents.mark_found([one.id for one in documents])


async def move(context: OperationContext, document: Document, found: Document) -> None:
    """Give a document, and its parts before it, the path and source of the file that was registered as `found`."""
    await move_parts(context, document, found.path, found.source_id)
    await context.deps.store.documents.move(document.id, found)


async def move_parts(context: OperationContext, container: Document, path: str, source_id: str) -> None:
    """Give the parts of a container, which is to have this path, their own paths below it."""
    if not container.is_container:
        return
    documents = context.deps.store.documents
    # The order changes meanwhile: a part that comes a second time has its path already.
    async for page in documents.parts_of(container.id):
        paths = await free_paths(context, path, [one.part or "" for one in page], moving=page)
        for part, new_path in zip(page, paths, strict=True):
            await move_parts(context, part, new_path, source_id)
            if (part.path, part.source_id) != (new_path, source_id):
                fields: DocumentFields = {"path": new_path, "source_id": source_id}
                await documents.update_each({part.id: fields})


async def give_way(context: OperationContext, parts: Sequence[Document]) -> None:
    """Give parts other paths: files have been found that have theirs."""
    for part in parts:
        [path] = await free_paths(context, part.container_path, [part.part or ""])
        await move_parts(context, part, path, part.source_id)
        await context.deps.store.documents.update_each({part.id: {"path": path}})


async def free_paths(
    context: OperationContext, container: str, names: Sequence[str], moving: Sequence[Document] = ()
) -> list[str]:
    """A path for each part of the container at the path `container` that no other document has."""
    own = {one.id for one in moving}
    chosen: list[str] = []
    numbers = dict.fromkeys(names, 0)
    for _ in range(_MAX_NUMBER):
        chosen = [part_path(container, name, numbers[name]) for name in names]
        known = await context.deps.store.documents.by_paths(context.generation, chosen)
        taken = {path for path, document in known.items() if document.id not in own}
        if not taken:
            return chosen
        for name, path in zip(names, chosen, strict=True):
            numbers[name] += path in taken
    raise RuntimeError(f"there is no path left for parts of {container}")
