"""Actions on many documents of a collection at once: read again, remove, exclude, tag. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import Conflict
from semantik.core.models import Collection, Document, Operation, Source, Upload, now
from semantik.core.upload_paths import content_of, is_upload
from semantik.services.listing.ordering import ListingQuery
from semantik.services.listing.service import ListingService
from semantik.services.operations import OperationService
from semantik.services.tags import checked_tags
from semantik.storage.mongo import Store
from semantik.storage.mongo.rows import milliseconds

MAX_EXCLUDED = 10_000
_PAGE = 500


@dataclass(frozen=True)
class Choice:
    """Documents of a list: those with these ids, or all."""

    ids: Sequence[str] | None
    where: ListingQuery


class BulkActions:
    """`remove_upload(upload)` removes an uploaded file; raises Conflict while it is changing."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        operations: OperationService,
        lists: ListingService,
        remove_upload: Callable[[Upload], Awaitable[None]],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._operations = operations
        self._lists = lists
        self._remove_upload = remove_upload

    async def retry(self, principal: Principal, collection_id: str, choice: Choice) -> tuple[Operation, int]:
        """Read those again that failed. Raises Conflict when none of them has; returns their number, too."""
        collection = await self._authorizer.collection(principal, collection_id, "write")
        failed = [
            one.id
            async for page in self._chosen(collection, choice)
            for one in page
            if one.status == "failed"
        ]
        if not failed:
            raise Conflict("None of these documents has failed.")
        operation = await self._operations.on_documents(principal, collection_id, {"retry": failed})
        return operation, len(failed)

    async def remove(
        self, principal: Principal, collection_id: str, choice: Choice, exclude: bool
    ) -> tuple[Operation, int]:
        """Remove documents; uploaded files are deleted. With `exclude` later scans pass over the others' files, else
        they find them again. What is inside another document goes with that only.

        Raises Conflict when there is nothing to remove, or too much to exclude; returns the number, too.
        """
        collection = await self._authorizer.collection(principal, collection_id, "write")
        ids: list[str] = []
        paths: dict[str, list[str]] = {}
        uploads: list[str] = []
        async for page in self._chosen(collection, choice):
            for one in page:
                if one.is_part:
                    continue
                ids.append(one.id)
                if is_upload(one.path):
                    uploads.append(one.path)
                else:
                    paths.setdefault(one.source_id, []).append(one.path)
        if not ids:
            raise Conflict(
                "There is nothing to remove: what is inside another document goes with that document only."
            )
        sources = {one.id: one for one in await self._store.collections.sources([collection_id])}
        if exclude:
            await self._exclude([(sources[key], each) for key, each in paths.items() if key in sources])
        await self._remove_uploads(collection_id, uploads)
        # Otherwise the next scan would not look into folders in which nothing has changed.
        await self._store.folder_digests.remove(list(paths))
        operation = await self._operations.on_documents(principal, collection_id, {"remove": ids})
        return operation, len(ids)

    async def tag(
        self,
        principal: Principal,
        collection_id: str,
        choice: Choice,
        add: Sequence[str],
        remove: Sequence[str],
    ) -> int:
        """Add tags of users to documents, and remove others; returns how many have changed."""
        wanted, unwanted = checked_tags(add), {tag.casefold() for tag in checked_tags(remove)}
        collection = await self._authorizer.collection(principal, collection_id, "write")
        collections, moment, changed = self._store.collections, milliseconds(now()), 0
        await collections.begin_tagging(collection_id)
        try:
            async for page in self._chosen(collection, choice):
                for one in page:
                    kept = [tag for tag in one.user_tags if tag.casefold() not in unwanted]
                    tags = checked_tags([*kept, *wanted])
                    if tags != one.user_tags:
                        await self._store.documents.set_user_tags(collection, one, tags, moment)
                        changed += 1
        finally:
            await collections.end_tagging(collection_id)
        return changed

    async def _chosen(self, collection: Collection, choice: Choice) -> AsyncIterator[list[Document]]:
        """The chosen documents that exist, some at a time."""
        ids = list(choice.ids or ())
        if choice.ids is None or not choice.where.is_plain:
            matching = await self._lists.chosen(collection, choice.where)
            wanted = set(ids)
            ids = [key for key in matching if choice.ids is None or key in wanted]
        for at in range(0, len(ids), _PAGE):
            found = await self._store.documents.by_ids(ids[at : at + _PAGE])
            yield [
                one
                for one in found.values()
                if one.collection_id == collection.id
                and one.generation == collection.generation
                and one.status != "removing"
            ]

    async def _exclude(self, chosen: Sequence[tuple[Source, list[str]]]) -> None:
        """Have later scans pass over these files. Raises Conflict before anything is changed."""
        excluded: list[tuple[Source, list[str]]] = []
        for source, paths in chosen:
            start = source.path.rstrip("/") + "/"
            new = [path.removeprefix(start) for path in paths if path.startswith(start)]
            all_paths = list(dict.fromkeys((*source.excluded, *new)))
            if len(all_paths) > MAX_EXCLUDED:
                raise Conflict(
                    f"{source.path} would have {len(all_paths):,} excluded files, and {MAX_EXCLUDED:,} is the most: "
                    "exclude them with a glob in the source's options."
                )
            excluded.append((source, all_paths))
        for source, paths in excluded:
            await self._store.collections.update_source(source, {"excluded": paths})

    async def _remove_uploads(self, collection_id: str, paths: Sequence[str]) -> None:
        for path in paths:
            content = content_of(path)
            upload = await self._store.uploads.stored(collection_id, content) if content else None
            if upload is not None:
                with suppress(Conflict):  # somebody has just removed it
                    await self._remove_upload(upload)
