"""`semantik-status --warnings`: the documents that gave warnings, and how well each was read. It only reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

from semantik.commands.store_connection import find_stores
from semantik.config.settings import Settings
from semantik.core.errors import Invalid
from semantik.core.models import Collection, Document, Quality
from semantik.storage.mongo import Store

_PRINTED = 3  # warnings of a document in the text; the JSON has all


@dataclass(frozen=True)
class WarnedDocuments:
    """Some documents with warnings of a collection, by path; `total` are all that it has, `more` says if any follow."""

    collection: Collection
    owner: str
    total: int
    documents: Sequence[Document]
    more: bool


async def warned_documents(settings: Settings, wanted: str, limit: int, after: str) -> list[WarnedDocuments]:
    """At most `limit` documents with warnings of each collection, or of those with the id or the name `wanted`.

    Only paths after `after` count. Raises Invalid when no collection is called so, Unavailable.
    """
    async with find_stores(settings) as stores, AsyncExitStack() as stack:
        store = Store(stores.mongo_url, settings.mongo_database)
        # Not entered: that would create the indexes of a database that does not exist.
        stack.push_async_exit(store)
        return [
            await _of_collection(store, collection, owner, limit, after)
            for collection, owner in await _collections(store, wanted)
        ]


async def _collections(store: Store, wanted: str) -> list[tuple[Collection, str]]:
    found = [
        (collection, user.username)
        for user in await store.users.all()
        for collection in await store.collections.of_owner(user.id)
        if not wanted or wanted in (collection.id, collection.name)
    ]
    if wanted and not found:
        raise Invalid(f"There is no collection {wanted!r}; semantik-status lists them all.")
    return found


async def _of_collection(
    store: Store, collection: Collection, owner: str, limit: int, after: str
) -> WarnedDocuments:
    found = await store.documents.page(collection.current, "indexed", None, after, limit + 1, warned=True)
    total = collection.current.counts.warned
    return WarnedDocuments(collection, owner, total, found[:limit], len(found) > limit)


def warnings_text(found: Sequence[WarnedDocuments]) -> str:
    """For a person: each document with a sentence on its quality, and its warnings below it."""
    parts = [_collection_text(one) for one in found if one.documents]
    return "\n\n".join(parts) or "No document has warnings."


def warnings_json(found: Sequence[WarnedDocuments]) -> list[dict[str, Any]]:
    """For programs; `next` is the path to go on after, null at the end."""
    return [
        {
            "id": one.collection.id,
            "name": one.collection.name,
            "owner": one.owner,
            "warned": one.total,
            "documents": [
                {"id": each.id, "path": each.path, "quality": asdict(each.quality or Quality())}
                for each in one.documents
            ],
            "next": one.documents[-1].path if one.more else None,
        }
        for one in found
    ]


def _collection_text(found: WarnedDocuments) -> str:
    lines = [f"{found.collection.name} of {found.owner}: {found.total:,} with warnings"]
    for document in found.documents:
        quality = document.quality or Quality()
        lines += [f"  {document.path}", f"    {_sentence(quality)}"]
        lines += [f"    - {warning}" for warning in quality.warnings[:_PRINTED]]
        if (more := len(quality.warnings) - _PRINTED) > 0:
            lines.append(f"    - and {more} more")
    if found.more:
        lines.append(f"  More follow: --after {found.documents[-1].path!r}")
    return "\n".join(lines)


def _sentence(quality: Quality) -> str:
    """What is out of the ordinary, like "1,204 characters were read; 3 pages have no text." """
    parts = [f"{quality.characters:,} characters were read"]
    if quality.unknown_share:
        parts.append(f"{quality.unknown_share:.0%} of the words are unknown to the model")
    if quality.left_out:
        parts.append(f"{quality.left_out:,} characters are no language and were left out")
    if pages := quality.pages_without_text:
        parts.append(f"{pages} {'page has' if pages == 1 else 'pages have'} no text")
    if pages := quality.recognised_pages:
        parts.append(f"{pages} {'page was' if pages == 1 else 'pages were'} recognised")
    return "; ".join(parts) + "."
