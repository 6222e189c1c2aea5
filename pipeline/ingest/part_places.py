"""Where the parts of containers are: a worker gets the file and the way from there. Runs on the loop.

A part waits until every container around it has been listed, which may change or remove the part.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.compute.messages import FileTask, PartPlace
from pipeline.context.context import OperationContext
from semantik.core.models import Document
from semantik.core.sidecars import sidecar_path


@dataclass(frozen=True)
class _Container:
    """What is needed of a container that is not due."""

    path: str
    size: int
    modified_ns: int
    container_id: str | None
    part: str
    locator: str


class PartPlaces:
    """For the documents that one operation reads; remembers the containers, and where files of each source may lie."""

    def __init__(self, context: OperationContext) -> None:
        self._context = context
        self._documents = context.deps.store.documents
        self._roots: Mapping[str, tuple[str, ...]] = {}
        self._kept: Mapping[str, str] = {}
        self._containers: dict[str, _Container] = {}

    async def readable(self, pages: AsyncIterator[list[Document]]) -> AsyncIterator[list[Document]]:
        """The same documents without the parts that have to wait."""
        async for page in pages:
            waiting, just_listed = await self._waiting(page)
            # A container may have been listed since the page was read: its parts are not what they were.
            fresh = await self._documents.by_ids(sorted(just_listed)) if just_listed else {}
            ready = [fresh.get(one.id, one) for one in page if one.id not in waiting]
            ready = [one for one in ready if one.id in fresh or one.id not in just_listed]
            if ready := [one for one in ready if one.due is not None]:
                yield ready

    async def look_up(self, documents: Sequence[Document]) -> None:
        """Look up the containers of documents that are not due, so that `task` knows where they are."""
        await self._waiting(documents)

    def task(self, document: Document, known_hash: str | None) -> FileTask:
        """The task that reads a document; a part must have been `readable`."""
        roots, kept = self._roots.get(document.source_id, ()), self._kept.get(document.source_id, "")
        steps: list[tuple[str, str]] = []
        part, locator, container_id = document.part, document.locator, document.container_id
        container = None
        while container_id is not None:
            container = self._containers.get(container_id)
            if (
                container is None
            ):  # it was removed: the file of this name does not exist, which the worker reports
                return FileTask(document.id, document.path, document.size, known_hash, roots=roots, kept=kept)
            steps.append((part or "", locator or ""))
            part, locator, container_id = container.part, container.locator, container.container_id
        if container is None:
            sidecar = sidecar_path(document.path, document.sidecar) if document.sidecar else None
            return FileTask(
                document.id,
                document.path,
                document.size,
                known_hash,
                roots=roots,
                sidecar=sidecar,
                kept=kept,
            )
        place = PartPlace(tuple(reversed(steps)), container.size, container.modified_ns)
        return FileTask(document.id, container.path, document.size, known_hash, place, roots=roots, kept=kept)

    async def _waiting(self, page: Sequence[Document]) -> tuple[set[str], set[str]]:
        """The ids of the parts in a page: of those that have a container which is due, and of those that have one which
        was looked up now."""
        self._roots = await self._context.roots_of_sources()
        self._kept = await self._context.kept_folders()
        await self._context.deps.uploads.fetch(one.path for one in page if not one.is_part)
        around = {one.id: one.container_id for one in page if one.container_id is not None}
        waiting: set[str] = set()
        looked_up: set[str] = set()
        while around:
            unknown = {key for key in around.values() if key not in self._containers}
            found = await self._documents.by_ids(sorted(unknown)) if unknown else {}
            due = {key for key, one in found.items() if one.due is not None}
            self._containers |= {key: _container(one) for key, one in found.items() if key not in due}
            waiting |= {part for part, key in around.items() if key in due}
            await self._context.deps.uploads.fetch(one.path for one in self._containers.values())
            looked_up |= {part for part, key in around.items() if key in unknown}
            outer = {
                part: self._containers[key].container_id
                for part, key in around.items()
                if key in self._containers
            }
            around = {part: key for part, key in outer.items() if key is not None}
        return waiting, looked_up - waiting


def _container(document: Document) -> _Container:
    return _Container(
        document.path,
        document.size,
        document.modified_ns,
        document.container_id,
        document.part or "",
        document.locator or "",
    )
