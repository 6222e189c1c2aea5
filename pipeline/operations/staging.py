"""The generation that a REINDEX builds: created, filled with the known documents, dropped. Runs on the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline import failpoints
from pipeline.context.context import OperationContext
from semantik.core.models import Document, Generation, new_id
from semantik.core.path_metadata import path_metadata


def planned_staging(context: OperationContext) -> Generation:
    """The generation that the operation's options ask for; its number is 0 until it is created."""
    options, current = context.operation.options, context.collection.current
    size = int(str(options.get("chunk_size", current.chunk_size)))
    return Generation(
        context.collection.id,
        number=0,
        model=str(options.get("embedding_model", current.model)),
        precision=str(options.get("precision", current.precision)),
        chunk_size=size,
        chunk_overlap=int(str(options.get("chunk_overlap", min(current.chunk_overlap, size // 4)))),
        settled_seq=context.collection.next_seq - 1,
        operation_id=context.operation.id,
    )


async def create_staging(context: OperationContext, staging: Generation) -> None:
    collections = context.deps.store.collections
    number = await collections.allocate_generation(context.collection.id, context.fence)
    context.refresh(await collections.add_generation(replace(staging, number=number), context.fence))


async def register_documents(context: OperationContext) -> None:
    """Register every document of the current generation as due in the new one."""
    documents = context.deps.store.documents
    containers: dict[
        str, str
    ] = {}  # ids in the new generation by those in the current one; before their parts
    async for page in documents.of_generation(context.collection.current):
        registered = await documents.by_paths(context.generation, [one.path for one in page])
        new: list[Document] = []
        for one in page:
            if one.path not in registered:
                new.append(_pending(context, one, containers))
            if one.is_container:
                containers[one.id] = registered[one.path].id if one.path in registered else new[-1].id
        await documents.register(new)
        failpoints.die_at("reindex.registered")


async def drop_staging(context: OperationContext, staging: Generation) -> None:
    """Remove everything of the generation, its entry in the collection last."""
    store = context.deps.store
    await context.deps.index_sync.drop_generation(staging)
    # Read again: a step that was interrupted may have allocated chunk numbers that the context does not know of.
    collection = await store.collections.get_including_deleted(context.collection.id)
    await store.chunks.remove_generation(staging, collection.next_seq)
    await store.documents.remove(context.collection.id, staging.number)
    failpoints.die_at("reindex.discarded")
    await store.collections.drop_generation(staging)
    collection = await store.collections.get_including_deleted(context.collection.id)
    context.refresh(collection, collection.generation)


def _pending(context: OperationContext, document: Document, containers: Mapping[str, str]) -> Document:
    return Document(
        id=new_id(),
        collection_id=document.collection_id,
        generation=context.generation.number,
        source_id=document.source_id,
        operation_id=context.operation.id,
        path=document.path,
        size=document.size,
        modified_ns=document.modified_ns,
        missing=document.missing,
        status="pending",
        due=context.operation.id,
        fence=context.fence,
        container_id=containers.get(document.container_id) if document.container_id else None,
        part=document.part,
        locator=document.locator,
        digest=document.digest,
        part_count=document.part_count,
        user_tags=document.user_tags,
        tagged_at=document.tagged_at,
        sidecar=document.sidecar,
        by_path=None
        if document.is_part
        else path_metadata(document.path, context.deps.settings.documents.path_metadata),
        origin=document.origin,
        since_seq=document.origin_seq,
        since_hash=document.content_hash,
    )
