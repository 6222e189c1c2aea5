"""Adds and changes sources that are no folders. Knows no connector: a protocol says what it needs. Runs on the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import Conflict, Invalid, NotFound
from semantik.core.models import Operation, Source, new_id, now
from semantik.services.operation_options import WatchOptions
from semantik.services.operations import OperationService
from semantik.storage.mongo import Store

Options = Mapping[str, object]


class SourceKind(Protocol):
    """A kind of source: its title, and the fields of its options (`pipeline/connectors/protocol.py`)."""

    @property
    def title(self) -> str: ...

    @property
    def fields(self) -> Sequence[Any]: ...


class SourceKinds(Protocol):
    """The installed connectors, as `pipeline/connectors/registry.py` knows them."""

    def kinds(self) -> Mapping[str, SourceKind]:
        """The kinds of sources that may be added, by name."""

    def check(self, kind: str, given: Options) -> tuple[str, Options]:
        """The address and the options of a source; raises Invalid or Forbidden."""

    def store(self, kind: str, options: Options) -> tuple[dict[str, object], str]:
        """The options that may be shown, and the others encrypted."""

    def merged(self, source: Source, given: Options) -> Options:
        """All options of a source, the secret ones too, with those that are given instead; raises Conflict."""


class SourceService:
    """`operations` queues the scans of what is added here."""

    def __init__(
        self, store: Store, authorizer: Authorizer, operations: OperationService, kinds: SourceKinds
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._operations = operations
        self._kinds = kinds

    def kinds(self) -> Mapping[str, SourceKind]:
        """The kinds of sources that may be added besides folders, by name."""
        return self._kinds.kinds()

    async def add(
        self, principal: Principal, collection_id: str, kind: str, given: Options, server: str = ""
    ) -> tuple[Source, Operation]:
        """Add a source, and fetch and index it. Raises Invalid, Forbidden, and Conflict when another source
        overlaps.
        """
        collection = await self._authorizer.collection(principal, collection_id, "write")
        address, options = self._kinds.check(kind, given)
        await self._operations.labels.check(server)
        for other in await self._store.collections.sources([collection_id]):
            if other.path != address and _overlap(other.path, address):
                raise Conflict(
                    f"{address} overlaps with {other.path}, which is a source of this collection already: remove that "
                    "first, or use another collection."
                )
        shown, secret = self._kinds.store(kind, options)
        source = Source(
            new_id(),
            collection.id,
            address,
            now(),
            user_id=principal.user.id,
            kind=kind,
            options=shown,
            secret=secret,
            server=server,
        )
        return await self._operations.index_source(principal, collection, source)

    async def change(
        self,
        principal: Principal,
        collection_id: str,
        source_id: str,
        watch: WatchOptions,
        given: Options | None,
    ) -> Source:
        """Change when and by which servers a source is scanned, and those of its options that are given.

        Raises Invalid for options of a folder, and for those that would make it another source.
        """
        collection = await self._authorizer.collection(principal, collection_id, "write")
        source = await self._store.collections.source(collection.id, source_id)
        if source is not None and not source.is_folder and watch.immediate:
            raise Invalid(
                "immediate is for folders: what changes elsewhere is not noticed at once. Set interval_s instead."
            )
        if source is not None and given is not None:
            await self._change_options(source, given)
        return await self._operations.watch_source(principal, collection_id, source_id, watch)

    async def _change_options(self, source: Source, given: Options) -> None:
        if source.is_folder:
            raise Invalid("options are for sources of other kinds: a folder has none.")
        address, options = self._kinds.check(source.kind, self._kinds.merged(source, given))
        if address != source.path:
            raise Invalid(f"These options belong to another source, {address}: add that instead.")
        shown, secret = self._kinds.store(source.kind, options)
        if await self._store.collections.update_source(source, {"options": shown, "secret": secret}) is None:
            raise NotFound(f"There is no source {source.id} in this collection.")


def _overlap(a: str, b: str) -> bool:
    return a.startswith(f"{b}/") or b.startswith(f"{a}/")
